"""What the OpenAPI document says of each address beside what its code says: forms and codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """One method of one address.

    answers    status to schema: a name of SCHEMAS, "text", or None where there is no body
    refusals   further status codes; those of keys and paces come by themselves
    scope      what its key must be for; "" where no key is asked for
    query      parameters of the address; a name with ! is needed
    body       media type to schema; "binary" is any bytes
    """

    answers: Mapping[int, str | None]
    refusals: tuple[int, ...] = ()
    scope: str = "match"
    query: Mapping[str, Json] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)


_TEXT: Json = {"type": "string"}
_DECIMAL: Json = {"type": "number"}
_NUMBER: Json = {"type": "integer"}
_YES_NO: Json = {"type": "boolean"}
_HEX64: Json = {"type": ["string", "null"], "pattern": "^[0-9a-fA-F]{64}$"}
_MAYBE_TEXT: Json = {"type": ["string", "null"]}
_MOMENT: Json = {"type": "string", "format": "date-time"}
_MEDIA = (408, 413, 415, 422)


def _object(
    needed: Mapping[str, Json], more: Mapping[str, Json] | None = None, words: str = ""
) -> Json:
    made: Json = {"type": "object", "properties": {**needed, **(more or {})}}
    made["required"] = list(needed)
    return made | ({"description": words} if words else {})


def _list(of: Json, words: str = "") -> Json:
    return {"type": "array", "items": of} | ({"description": words} if words else {})


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_BANK: Json = _object({"name": _TEXT, "matching_enabled_ratio": {"type": "number"}})

SCHEMAS: dict[str, Json] = {
    "Refusal": _object(
        {"error": _object({"code": _TEXT, "message": _TEXT}, {"detail": _TEXT})},
        words="Why not: a stable code, and words for people.",
    ),
    "HmaRefusal": {
        "description": "Why not, as HMA says it; a list where a field is missing or mistyped. Where an "
        "address leads nowhere, as we say it.",
        "anyOf": [_object({"message": _TEXT}), _list({"type": "object"}), _ref("Refusal")],
    },
    "Fingerprint": _object(
        {},
        {
            "sha256": _HEX64,
            "pdq": _HEX64,
            "pdq_quality": {"type": "integer", "minimum": 0, "maximum": 100},
            "label": _MAYBE_TEXT,
        },
        "One of the two hashes; the quality with a PDQ. A label only in a batch.",
    ),
    "Batch": _object({"items": {**_list(_ref("Fingerprint")), "minItems": 1}}),
    "Hit": _object(
        {
            "member": _NUMBER,
            "bank": _TEXT,
            "policy": _TEXT,
            "verdict": _TEXT,
            "found_by": _TEXT,
            "distance_bits": {"type": ["integer", "null"]},
            "similarity": {"type": ["number", "null"]},
            "orientation": {"type": "integer", "minimum": 0, "maximum": 7},
            "clip": {"anyOf": [_ref("Clip"), {"type": "null"}]},
            "held": {"enum": ["flood", "disputed", "staff", None]},
        },
        {
            "source": _TEXT,
            "note": _MAYBE_TEXT,
            "metadata": {"type": ["object", "null"]},
            "created_at": _MOMENT,
            "expires_at": {"anyOf": [_MOMENT, {"type": "null"}]},
            "case": {"type": ["integer", "null"]},
        },
        "What is kept beside the member; the case only for a key with the scope staff-metadata.",
    ),
    "Clip": _object(
        {
            "query_from_s": _DECIMAL,
            "query_to_s": _DECIMAL,
            "known_from_s": _DECIMAL,
            "known_to_s": _DECIMAL,
            "matched_frames": _NUMBER,
            "query_share": _DECIMAL,
        },
        words="Which part of the video shows which part of the known one, in seconds.",
    ),
    "Verdict": _object(
        {
            "outcome": {"enum": ["publish", "review", "block"]},
            "verdict": {"enum": ["identical_file", "same_picture", "edited_copy", "no_match"]},
            "check": _NUMBER,
            "fingerprint": _object(
                {
                    "sha256": _MAYBE_TEXT,
                    "md5": _MAYBE_TEXT,
                    "pdq": _MAYBE_TEXT,
                    "pdq_quality": _NUMBER,
                    "embedding": _YES_NO,
                }
            ),
            "hits": _list(_ref("Hit")),
            "truncated": _YES_NO,
            "veto": {"anyOf": [_ref("Hit"), {"type": "null"}]},
            "reason": _object({"code": _TEXT, "words": _TEXT}),
            "appeal_url": _MAYBE_TEXT,
        },
        words="What to do with the upload, and what it matches, the best first. `truncated`: there "
        "is more than is told.",
    ),
    "Verdicts": _object(
        {"answers": _list({"anyOf": [_ref("Verdict"), _ref("Refusal")]})},
        words="A verdict or an error for each item, in the order of the items.",
    ),
    "Registration": _object({"url": _TEXT, "account": _TEXT, "fingerprint_of": _NUMBER}),
    "Registered": _object(
        {
            "content_id": _TEXT,
            "registered_at": _MOMENT,
            "removed_at": {"anyOf": [_MOMENT, {"type": "null"}]},
        }
    ),
    "Removed": _object({"content_id": _TEXT, "removed_at": _MOMENT}),
    "Status": _object(
        {"ready": _YES_NO, "members": _NUMBER, "banks": _NUMBER, "seq": _NUMBER, "sscd": _YES_NO},
        {"platform": _object({"hosted": _NUMBER, "checks": _NUMBER})},
        "What is loaded in this process; with a key, the counts of its platform too.",
    ),
    "Alive": _object({"status": _TEXT}),
    "Document": {"type": "object", "description": "An OpenAPI document."},
    "HmaHashes": {"type": "object", "additionalProperties": _TEXT, "description": "By type."},
    "HmaMatches": _object(
        {
            "matches": _list(
                {"anyOf": [_NUMBER, _object({"bank_content_id": _NUMBER, "distance": _TEXT})]}
            )
        }
    ),
    "HmaByBank": {
        "type": "object",
        "description": "Content by bank; asked with a file, by type and bank.",
    },
    "HmaPairs": {
        "type": "object",
        "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
    },
    "HmaBank": _BANK,
    "HmaBanks": _list(_BANK),
    "HmaNewBank": _object({"name": _TEXT}, {"enabled": _YES_NO, "enabled_ratio": {}}),
    "HmaChange": {"type": "object"},
    "HmaAdded": _object({"id": _NUMBER, "signals": _ref("HmaHashes")}),
    "HmaContent": _object({"id": _NUMBER, "disable_until_ts": _NUMBER, "bank": _BANK}),
    "HmaDeleted": _object({"deleted": _NUMBER}),
    "HmaDone": _object({"message": _TEXT}),
    "HmaTypes": _list({"type": "object"}),
    "HmaNames": _list(_TEXT),
    "HmaByType": {"type": "object", "additionalProperties": {"type": "object"}},
}

_JSON = "application/json"
_CONTENT = "/v1/content/{content_id}"
OWN: Mapping[tuple[str, str], Told] = {
    ("POST", "/v1/match"): Told(
        {200: "Verdict"},
        (400, *_MEDIA),
        query={"fingerprints": {"enum": ["all", "pdq"]}},
        body={_JSON: "Fingerprint", "application/octet-stream": "binary"},
    ),
    ("POST", "/v1/match/batch"): Told({200: "Verdicts"}, (400, 408, 413), body={_JSON: "Batch"}),
    ("PUT", _CONTENT): Told(
        {200: "Registered"}, (400, 404, 408, 413), "register", body={_JSON: "Registration"}
    ),
    ("DELETE", _CONTENT): Told({200: "Removed"}, (400, 404), "register"),
    ("GET", "/v1/status"): Told({200: "Status"}, (401, 403, 429, 503), ""),
    ("GET", "/health"): Told({200: "Alive"}, (), ""),
    ("GET", "/ready"): Told({200: "Alive"}, (503,), ""),
    ("GET", "/metrics"): Told({200: "text"}, (), "metrics"),
    ("GET", "/openapi.json"): Told({200: "Document"}, (), ""),
}

_FORM = {"multipart/form-data": "binary"}
_BANK_AT, _CONTENT_AT = "/c/bank/{bank}", "/c/bank/{bank}/content/{content_id}"
_EXCHANGE, _KIND = "/c/exchange/{name}", "/c/exchanges/api/{name}"
_CHANGE = {_JSON: "HmaChange"}
_WHERE = {"banks": _TEXT, "seed": _TEXT, "bypass_coinflip": _YES_NO, "types": _TEXT}
HMA: Mapping[tuple[str, str], Told] = {
    ("GET", "/h/hash"): Told(
        {200: "HmaHashes"}, (400, 413), query={"url!": _TEXT, "types": _TEXT, "content_type": _TEXT}
    ),
    ("POST", "/h/hash"): Told({200: "HmaHashes"}, (408, 413), query={"types": _TEXT}, body=_FORM),
    ("GET", "/m/raw_lookup"): Told(
        {200: "HmaMatches"},
        query={
            "signal!": _TEXT,
            "signal_type!": _TEXT,
            "include_distance": _YES_NO,
            "banks": _TEXT,
        },
    ),
    ("GET", "/m/lookup"): Told(
        {200: "HmaByBank"},
        (413,),
        query={
            "signal": _TEXT,
            "signal_type": _TEXT,
            "url": _TEXT,
            "content_type": _TEXT,
            **_WHERE,
        },
    ),
    ("POST", "/m/lookup"): Told({200: "HmaByBank"}, (408, 413), query=_WHERE, body=_FORM),
    ("POST", "/m/compare"): Told({200: "HmaPairs"}, (408, 413), body={_JSON: "HmaPairs"}),
    ("GET", "/m/index/status"): Told({200: "HmaByType"}, query={"signal_type": _TEXT}),
    ("GET", "/c/banks"): Told({200: "HmaBanks"}),
    ("POST", "/c/banks"): Told({201: "HmaBank"}, (408, 413), "curate", body={_JSON: "HmaNewBank"}),
    ("GET", _BANK_AT): Told({200: "HmaBank"}, (400, 404)),
    ("PUT", _BANK_AT): Told({200: "HmaBank"}, (404, 408, 413), "curate", body=_CHANGE),
    ("DELETE", _BANK_AT): Told({200: "HmaDone"}, (400,), "curate"),
    ("POST", f"{_BANK_AT}/content"): Told(
        {200: "HmaAdded"},
        (404, 408, 413),
        "curate",
        {"url": _TEXT, "content_type": _TEXT, "types": _TEXT},
        {**_FORM, _JSON: "HmaChange"},
    ),
    ("POST", f"{_BANK_AT}/signal"): Told(
        {200: "HmaAdded"}, (404, 408, 413), "curate", body=_CHANGE
    ),
    ("GET", _CONTENT_AT): Told(
        {200: "HmaContent"},
        (404,),
        query={"include_signals": _YES_NO, "include_metadata": _YES_NO},
    ),
    ("PUT", _CONTENT_AT): Told({200: "HmaContent"}, (404, 408, 413), "curate", body=_CHANGE),
    ("DELETE", _CONTENT_AT): Told({200: "HmaDeleted"}, (400, 404), "curate"),
    ("GET", "/c/content_type"): Told({200: "HmaTypes"}),
    ("GET", "/c/signal_type"): Told({200: "HmaTypes"}),
    ("GET", "/c/signal_type/index"): Told({200: "HmaByType"}, query={"signal_type": _TEXT}),
    ("PUT", "/c/signal_type/{name}"): Told({204: None}, (404, 408, 413), "curate", body=_CHANGE),
    ("GET", "/c/exchanges"): Told({200: "HmaNames"}),
    ("POST", "/c/exchanges"): Told({}, (400, 408, 413), "curate", body=_CHANGE),
    ("GET", "/c/exchanges/apis"): Told({200: "HmaNames"}),
    ("GET", _KIND): Told({}, (400,)),
    ("POST", _KIND): Told({}, (400,), "curate"),
    ("GET", f"{_KIND}/schema"): Told({}, (404,)),
    ("GET", _EXCHANGE): Told({}, (404,)),
    ("PUT", _EXCHANGE): Told({}, (404,), "curate"),
    ("DELETE", _EXCHANGE): Told({200: "HmaDone"}, (), "curate"),
    ("GET", f"{_EXCHANGE}/status"): Told({}, (404,)),
    ("GET", "/status"): Told({200: "text", 503: "text"}, (), ""),
    ("GET", "/status/live"): Told({200: "text"}, (), ""),
    ("GET", "/openapi/openapi.json"): Told({200: "Document"}, (), ""),
    ("GET", "/"): Told({302: None}, (), ""),
}
