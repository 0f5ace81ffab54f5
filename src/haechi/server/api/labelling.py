"""POST /api/v1/labels: an AI service sends a file it made, and gets it back labelled and written down.

The file comes as it is, and what is told of it as headers, so that nothing of an account stands in an
address. It is written down before it is given out.
"""

from collections.abc import Mapping
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from haechi.errors import InvalidDocument
from haechi.labels import Level
from haechi.labels.watermark import spelled
from haechi.labels.writing import ALTERED, LANGUAGES, MADE
from haechi.server.api import bodies
from haechi.server.api.door import with_key
from haechi.server.api.generations import (
    ACCOUNT,
    HEX,
    MODEL,
    PRINTED,
    PRINTED_TEXT,
    SCOPE,
    made,
    printed,
)
from haechi.server.api.places import Places
from haechi.server.api.told import MOMENT, Json, Told
from haechi.server.matching.api_keys import Caller
from haechi.server.tracing import making

LIMIT_BYTES = 50 * 1024 * 1024
# A file that arrives is held in memory, so one service may send a few at a time, as slowly as it likes.
ARRIVING = Places(most=32, each=8)
# What becomes of it takes several times that. One of these is always left to the other services.
LABELLING = Places(most=4, each=3)
WAIT_S = 5.0
SOURCES: Mapping[str, str] = {"made": MADE, "altered": ALTERED}
LEVELS: Mapping[str, Level] = {
    "is": Level.IS,
    "may_be": Level.MAY_BE,
    "suspected": Level.SUSPECTED,
}


def _choice(*names: str) -> Json:
    return {"type": "string", "enum": list(names)}


SCHEMAS: Mapping[str, Json] = {
    "LabelledFile": {
        "type": "string",
        "format": "binary",
        "description": "The labelled file. Haechi-Number, Haechi-Produce-Id, Haechi-Trace-Id and"
        " Haechi-Marks say under what it was written down and what it bears; Haechi-Watermark whether"
        " the watermark could be placed (placed, not_placed), and Haechi-Findings why not.",
    },
}
_HEADERS: Mapping[str, Json] = {
    "Haechi-Account!": ACCOUNT | {"description": "Percent-encoded UTF-8, as all of these."},
    "Haechi-Model!": MODEL,
    "Haechi-Language!": _choice(*LANGUAGES),
    "Haechi-Made-At": MOMENT,
    "Haechi-Produce-Id": PRINTED,
    "Haechi-Producer": PRINTED,
    "Haechi-Prompt-Sha256": HEX,
    "Haechi-Visible": _choice("yes", "no"),
    "Haechi-Source": _choice(*SOURCES),
    "Haechi-Level": _choice(*LEVELS),
}
TOLD: Mapping[tuple[str, str], Told] = {
    ("POST", "/api/v1/labels"): Told(
        "Label a file an AI service made, write it down, and give it back.",
        {200: "LabelledFile"},
        (400, 409, 413, 415, 422),
        scope=SCOPE,
        headers=_HEADERS,
        body="binary",
        gives=("image/*", "video/*", "audio/*"),
    ),
}


@with_key(SCOPE)
def label(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Label a file, write it down, and give it back."""
    now, said = timezone.now(), _said(request)
    told, wanted = made(said, now=now), _wanted(said, caller)
    service = caller.platform
    with ARRIVING.one(service.pk):
        data = bodies.raw(request, limit_bytes=LIMIT_BYTES)
        with LABELLING.one(service.pk, wait_s=WAIT_S):
            given, done = making.label(service, told, data, wanted, now=now)
    answer = HttpResponse(given.data, content_type=given.media_type)
    answer.headers["Haechi-Number"] = str(done.number)
    answer.headers["Haechi-Produce-Id"] = done.names.produce_id
    answer.headers["Haechi-Trace-Id"] = spelled(done.names.trace_id)
    answer.headers["Haechi-Watermark"] = given.placed
    if given.findings:
        answer.headers["Haechi-Findings"] = " ".join(finding.code for finding in given.findings)
    answer.headers["Haechi-Marks"] = " ".join(dict.fromkeys(mark.kind for mark in given.marks))
    return answer


def _said(request: HttpRequest) -> dict[str, object]:
    """The headers, percent-decoded, under the names that a JSON body has."""
    names = [name.rstrip("!").lower().removeprefix("haechi-") for name in _HEADERS]
    given = {name: request.headers.get(f"haechi-{name}") for name in names}
    return {
        name.replace("-", "_"): unquote(value, errors="replace")
        for name, value in given.items()
        if value is not None
    }


def _wanted(said: Mapping[str, object], caller: Caller) -> making.Wish:
    language = _one_of(said, "language", {each: each for each in LANGUAGES}, usual=None)
    return making.Wish(
        producer=printed(said, "producer") or _producer(caller),
        language=language,
        visible=_one_of(said, "visible", {"yes": True, "no": False}, usual="yes"),
        source_type=_one_of(said, "source", SOURCES, usual="made"),
        level=_one_of(said, "level", LEVELS, usual="is"),
    )


def _producer(caller: Caller) -> str:
    name = caller.platform.name
    return name if PRINTED_TEXT.fullmatch(name) else caller.platform.name_in_log


def _one_of[T](
    said: Mapping[str, object], name: str, choices: Mapping[str, T], *, usual: str | None
) -> T:
    value = said.get(name, usual)
    if not isinstance(value, str) or value not in choices:
        raise InvalidDocument(f"{name} must be one of {', '.join(choices)}")
    return choices[value]
