"""POST /api/notices takes a notice of a known sender; GET /api/notices/<number> tells how far it is.

A document haechi-notice/1 is signed by its sender (Standard Webhooks, v1a); XARF comes with the API
key that the sender was given. Either is only sealed here: the worker reads it (flow.receiving).
"""

import json
from collections.abc import Mapping
from threading import BoundedSemaphore
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from haechi.errors import IncomingUnknown, InvalidDocument, RateLimited, SenderUnknown, WebhookError
from haechi.formats import notice, webhook
from haechi.server import flow
from haechi.server.api import bodies
from haechi.server.api.door import open_to_all
from haechi.server.api.told import NUMBER, TEXT, Json, Told, a_list, an_object, maybe
from haechi.server.notices.incoming import reading
from haechi.server.notices.incoming import services as incoming
from haechi.server.notices.incoming_models import Incoming, NoticeSender, Proof, Way
from haechi.server.notices.models import Notice

LIMIT_BYTES = 16 * 1024 * 1024
LARGE_BYTES = 256 * 1024
# Whoever is not known yet may make us hold so many long bodies at once, and no more.
LARGE = BoundedSemaphore(4)
WAIT_S = 5.0

SCHEMAS: Mapping[str, Json] = {
    "AnyNotice": {
        "type": ["object", "array"],
        "description": "A document haechi-notice/1, signed; or, with a key, a XARF 4 document or a"
        " list of them (docs/notices-in.md).",
    },
    "NoticeTaken": an_object({"number": TEXT}) | {"description": "Kept, under this number."},
    "NoticeState": an_object(
        {
            "number": TEXT,
            "received_at": TEXT,
            "state": TEXT,
            "same_as": maybe(TEXT),
            "items": a_list(an_object({"number": NUMBER, "outcome": maybe(TEXT)})),
        }
    )
    | {"description": "How far a notice is; an outcome is null until it is known."},
}
_HEADERS = (webhook.ID, webhook.TIMESTAMP, webhook.SIGNATURE)
_SIGNED: Mapping[str, Json] = {
    "Authorization": TEXT,
    webhook.ID: TEXT,
    webhook.TIMESTAMP: TEXT,
    webhook.SIGNATURE: TEXT,
}
TOLD: Mapping[tuple[str, str], Told] = {
    ("POST", "/api/notices"): Told(
        "Take a notice of a known sender; the same document twice is one.",
        {202: "NoticeTaken"},
        (400, 401, 413),
        headers=_SIGNED,
        body="AnyNotice",
    ),
    ("GET", "/api/notices/{number}"): Told(
        "How far a notice is, item by item; for its sender alone.",
        {200: "NoticeState"},
        (401, 404),
        headers=_SIGNED,
        path={"number": {"type": "string", "format": "uuid"}},
    ),
}


@open_to_all("api_open")
def take(request: HttpRequest) -> JsonResponse:
    """202 and its number, once it is sealed and stored with its job."""
    body = _body(request)
    if webhook.SIGNATURE in request.headers:
        number = _signed(request, body)
    else:
        number = _keyed(request, body)
    return JsonResponse({"number": str(number)}, status=202)


@open_to_all("api_open")
def state(request: HttpRequest, number: UUID) -> JsonResponse:
    """The state of a notice. Another's, and one that is not there, are the same answer."""
    found = _own(request, number)
    rows = found.same_as.items if found.same_as else found.items
    return JsonResponse(
        {
            "number": str(found.pk),
            "received_at": found.received_at.isoformat(),
            "state": found.stage,
            "same_as": str(found.same_as_id) if found.same_as_id else None,
            "items": [
                {"number": item, "outcome": outcome or None}
                for item, outcome in rows.values_list("number", "outcome")
            ],
        }
    )


def _body(request: HttpRequest) -> bytes:
    length = request.headers.get("content-length", "")
    large = not length.isdecimal() or int(length[:12]) > LARGE_BYTES
    if not large:
        return bodies.raw(request, limit_bytes=LARGE_BYTES)
    if not LARGE.acquire(blocking=False):
        raise RateLimited(WAIT_S)
    try:
        return bodies.raw(request, limit_bytes=LIMIT_BYTES)
    finally:
        LARGE.release()


def _signed(request: HttpRequest, body: bytes) -> UUID:
    """A document by the key that it names: of a known sender, or answering a notice of ours.

    Whether an answer is signed by whom that notice went to is sealed; the worker looks (take_document).
    """
    said = bodies.parsed(body)
    who = said.get("from")
    text = who.get("key") if isinstance(who, dict) else None
    sender = incoming.by_public_key(text) if isinstance(text, str) else None
    if not isinstance(text, str) or (sender is None and not _answers_ours(said)):
        raise SenderUnknown
    now = timezone.now()
    read = notice.accept(notice.read_key(text), request.headers, body, now=now)
    headers = {name: request.headers[name] for name in _HEADERS}
    raw = incoming.signed_raw(headers, body)
    proof = Proof.KEY if sender else Proof.NONE
    return flow.accept(raw, Way.SIGNED, f"{text}:{read['id']}", sender=sender, proof=proof, now=now)


def _answers_ours(said: Mapping[str, object]) -> bool:
    if said.get("kind") not in ("receipt", "answer"):
        return False
    try:
        return Notice.objects.filter(pk=UUID(str(said.get("in_reply_to")))).exists()
    except ValueError:
        return False


def _keyed(request: HttpRequest, body: bytes) -> UUID:
    """XARF with a key; the documents name themselves."""
    sender = _by_key(request)
    read = reading.of_keyed(body)
    if not read.items:
        raise InvalidDocument("url: no document names a place")
    named = json.dumps([sender.pk, read.name])
    return flow.accept(
        body, Way.XARF, named, sender=sender, proof=Proof.API_KEY, now=timezone.now()
    )


def _by_key(request: HttpRequest) -> NoticeSender:
    scheme, _space, text = request.headers.get("authorization", "").partition(" ")
    sender = incoming.by_key(text.strip()) if scheme.lower() == "bearer" and text.strip() else None
    if sender is None:
        raise SenderUnknown
    return sender


def _own(request: HttpRequest, number: UUID) -> Incoming:
    rows = Incoming.objects.select_related("sender", "same_as").filter(pk=number)
    if webhook.SIGNATURE not in request.headers:
        found = rows.filter(sender=_by_key(request)).first()
    else:
        found = rows.filter(sender__enabled=True).exclude(sender__public_key="").first()
        if found is None or not _signed_by(found, request):
            raise IncomingUnknown
    if found is None:
        raise IncomingUnknown
    return found


def _signed_by(found: Incoming, request: HttpRequest) -> bool:
    """A question is signed as an empty body whose id is the number."""
    if found.sender is None:
        return False
    key = notice.read_key(found.sender.public_key)
    try:
        named = notice.verify(key, request.headers, b"", now=timezone.now())
    except WebhookError:
        return False
    return named == str(found.pk)
