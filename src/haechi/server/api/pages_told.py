"""What the pages without login answer to programs: the public count, and files in pieces.

The views are `public`'s own; here stands only what the document tells of them.
"""

from collections.abc import Mapping

from haechi.server.api.told import NUMBER, TEXT, YES_NO, Json, Told, an_object, maybe

SCHEMAS: Mapping[str, Json] = {
    "PageRefusal": an_object({"code": TEXT, "words": TEXT}, {"received": NUMBER})
    | {"description": "Why not: a stable code, and words for whoever sends the file."},
    "Numbers": {
        "type": "object",
        "additionalProperties": maybe({"type": ["number", "string"]}),
        "description": "The public count, by name.",
    },
    "UploadBegun": an_object({"upload": TEXT, "received": NUMBER, "piece_bytes": NUMBER}),
    "UploadHere": an_object({"received": NUMBER}, {"finished": YES_NO}),
    "Nothing": {"type": "object", "maxProperties": 0, "description": "Done."},
}
# Both come with the page; without them the answer is a page for people that says so.
_PAGE: Mapping[str, Json] = {"X-CSRFToken!": TEXT, "Upload-Page!": TEXT}
_WHOLE: Json = {"type": "integer", "minimum": 0, "maximum": 999_999_999_999}
_UPLOAD = "/report/upload/{name}"


def _upload(
    words: str,
    answers: Mapping[int, str],
    *refusals: int,
    headers: Mapping[str, Json] | None = None,
    body: str = "",
) -> Told:
    return Told(
        words,
        answers,
        (*refusals, 403, 503),
        "PageRefusal",
        pages=(403,),
        headers={**_PAGE, **(headers or {})},
        body=body,
    )


TOLD: Mapping[tuple[str, str], Told] = {
    ("GET", "/numbers.json"): Told("The public count.", {200: "Numbers"}, (503,), pages=(503,)),
    ("POST", "/report/upload"): _upload(
        "Make room for one sealed file.",
        {201: "UploadBegun"},
        *(400, 413, 429),
        headers={"Upload-Length!": _WHOLE},
    ),
    ("GET", _UPLOAD): _upload("How far one file has come.", {200: "UploadHere"}, 400, 404),
    ("PUT", _UPLOAD): _upload(
        "One piece of it.",
        {200: "UploadHere"},
        *(400, 404, 409, 413),
        headers={"Upload-Offset!": _WHOLE},
        body="binary",
    ),
    ("POST", _UPLOAD): _upload("All of it is here.", {200: "UploadHere"}, 400, 404, 409, 413),
    ("DELETE", _UPLOAD): _upload("Forget it.", {200: "Nothing"}, 400, 404, 409),
}
