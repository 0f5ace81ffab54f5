"""POST /api/v1/generations: an AI service writes down what it made, and for which of its accounts.

POST /api/v1/accounts/erase has all of that erased for one account. `labelling` also labels the file.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from haechi.errors import InvalidDocument
from haechi.labels.watermark import spelled
from haechi.server.api import bodies
from haechi.server.api.door import with_key
from haechi.server.api.told import MOMENT, NUMBER, Json, Told, an_object
from haechi.server.matching.api_keys import Caller
from haechi.server.tracing import registry
from haechi.server.tracing.registry import Look, Made, Recorded

SCOPE = "label"
ACCOUNT_LIMIT, MODEL_LIMIT, ID_LIMIT, TYPE_LIMIT = 200, 120, 120, 40
AHEAD = timedelta(minutes=10)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# What GB 45438 lets stand in a label.
PRINTED_TEXT = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]*")
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
_MEDIA_TYPE = re.compile(r"(image|video|audio)/[a-z0-9.+-]{1,30}")

ACCOUNT: Json = {"type": "string", "minLength": 1, "maxLength": ACCOUNT_LIMIT}
MODEL: Json = {"type": "string", "minLength": 1, "maxLength": MODEL_LIMIT}
HEX: Json = {"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"}
TRACE: Json = {"type": "string", "pattern": "^[0-9a-f]{12}$"}
PRINTED: Json = {"type": "string", "pattern": r"^[!#-\[\]-~]*$", "maxLength": ID_LIMIT}
SCHEMAS: Mapping[str, Json] = {
    "Generation": an_object(
        {"account": ACCOUNT, "model": MODEL},
        {
            "made_at": MOMENT,
            "produce_id": PRINTED,
            "prompt_sha256": HEX,
            "sha256": HEX,
            "source_sha256": HEX,
            "pdq": HEX,
            "pdq_quality": {"type": "integer", "minimum": 0, "maximum": 100},
            "media_type": {"type": "string", "pattern": "^(image|video|audio)/[a-z0-9.+-]{1,30}$"},
            "manifest": {"type": "string", "maxLength": ID_LIMIT},
        },
    )
    | {"description": "What a service made, and for which of its accounts."},
    "Recorded": an_object(
        {"number": NUMBER, "trace_id": TRACE, "produce_id": PRINTED, "expires_at": MOMENT}
    )
    | {"description": "Written down; `trace_id` is what a watermark should carry."},
    "AccountToErase": an_object({"account": ACCOUNT})
    | {"description": "As it was named when its files were told of."},
    "ErasureTaken": an_object({"number": NUMBER, "asked_at": MOMENT})
    | {"description": "It is done within minutes; what a law keeps, when that is over."},
}
TOLD: Mapping[tuple[str, str], Told] = {
    ("POST", "/api/v1/generations"): Told(
        "Write down what an AI service made; the same produce_id again is the same.",
        {200: "Recorded", 201: "Recorded"},
        (400, 409, 413),
        scope=SCOPE,
        body="Generation",
    ),
    ("POST", "/api/v1/accounts/erase"): Told(
        "Ask that all that was written down for one account be erased.",
        {202: "ErasureTaken"},
        (400, 413),
        scope=SCOPE,
        body="AccountToErase",
    ),
}


@with_key(SCOPE)
def generations(request: HttpRequest, caller: Caller) -> JsonResponse:
    """Write one down. The same produce_id of the same account again is answered the same."""
    body, now = bodies.document(request), timezone.now()
    done = registry.record(caller.platform, made(body, now=now), _look(body), now=now)
    return JsonResponse(_told(done), status=201 if done.new else 200)


@with_key(SCOPE)
def erase_account(request: HttpRequest, caller: Caller) -> JsonResponse:
    """Ask that everything written down for one account be erased; the worker does it within minutes."""
    account = bodies.text(bodies.document(request), "account", limit=ACCOUNT_LIMIT)
    wish = registry.ask_erasure(caller.platform, account, now=timezone.now())
    return JsonResponse({"number": wish.pk, "asked_at": wish.asked_at.isoformat()}, status=202)


def _told(done: Recorded) -> dict[str, object]:
    return {
        "number": done.number,
        "trace_id": spelled(done.names.trace_id),
        "produce_id": done.names.produce_id,
        "expires_at": done.expires_at.isoformat(),
    }


def made(body: Mapping[str, object], *, now: datetime) -> Made:
    """What is told of one file. Raises InvalidDocument."""
    prompt = _digest(body, "prompt_sha256")
    return Made(
        account=bodies.text(body, "account", limit=ACCOUNT_LIMIT),
        model=bodies.text(body, "model", limit=MODEL_LIMIT),
        made_at=_moment(body, now=now),
        produce_id=printed(body, "produce_id"),
        prompt_sha256=prompt,
    )


def _look(body: Mapping[str, object]) -> Look:
    sha256, pdq = _digest(body, "sha256"), _digest(body, "pdq")
    fingerprint: dict[str, object] = {"sha256": sha256, "pdq": pdq}
    if pdq is not None:
        fingerprint |= {"pdq_quality": _quality(body), "turns": pdq}
    media_type = bodies.text(body, "media_type", limit=TYPE_LIMIT, needed=False)
    if media_type and not _MEDIA_TYPE.fullmatch(media_type):
        raise InvalidDocument("media_type must be one of a picture, a video or a sound")
    manifest = bodies.text(body, "manifest", limit=ID_LIMIT, needed=False)
    return Look(fingerprint, media_type, manifest, _digest(body, "source_sha256"))


def printed(body: Mapping[str, object], name: str) -> str:
    """Something that may stand in a label, "" where it is missing. Raises InvalidDocument."""
    value = bodies.text(body, name, limit=ID_LIMIT, needed=False)
    if not PRINTED_TEXT.fullmatch(value):
        raise InvalidDocument(f"{name} holds what may not stand in a label (GB 45438)")
    return value


def _digest(body: Mapping[str, object], name: str) -> bytes | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise InvalidDocument(f"{name} must be 64 hex digits")
    return bytes.fromhex(value)


def _quality(body: Mapping[str, object]) -> int:
    value = body.get("pdq_quality")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
        raise InvalidDocument("pdq_quality must be a whole number from 0 to 100")
    return value


def _moment(body: Mapping[str, object], *, now: datetime) -> datetime:
    text = bodies.text(body, "made_at", limit=40, needed=False)
    if not text:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidDocument("made_at must be a moment (RFC 3339)") from error
    if moment.tzinfo is None:
        raise InvalidDocument("made_at must name its time zone")
    try:
        fits = EARLIEST <= moment <= now + AHEAD
    except OverflowError as error:
        raise InvalidDocument("made_at is no moment") from error
    if not fits:
        raise InvalidDocument("made_at lies in the future, or before 2000")
    return moment
