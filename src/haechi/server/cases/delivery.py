"""Tell a platform what it must do: one signed webhook, safe to repeat; and read what it answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx
from django.db.models import F
from django.db.models.functions import Coalesce

from haechi.errors import DeliveryFailed, InvalidDocument
from haechi.formats import webhook
from haechi.server.cases.models import Action, Outcome, Refusal, Trial
from haechi.server.matching.models import Platform

TIMEOUT_S = 10.0
NOTE_LIMIT = 2_000
ANSWER_BYTES = 64_000


@dataclass(frozen=True)
class Answered:
    """What a platform says to one order: done, or refused for a reason."""

    outcome: Outcome
    reason: str = ""
    note: str = ""


def read(document: object) -> Answered:
    """An answer: {"outcome": "done"}, or {"outcome": "refused", "reason", "note"?}.

    {"removed": true} says "done" too, as it did in the first version. Raises InvalidDocument.
    """
    if not isinstance(document, dict):
        raise InvalidDocument("the answer is not a JSON object")
    if "outcome" not in document and document.get("removed") is True:
        return Answered(Outcome.DONE)
    outcome, reason = document.get("outcome"), document.get("reason")
    if outcome == Outcome.DONE:
        return Answered(Outcome.DONE)
    if outcome != Outcome.REFUSED:
        raise InvalidDocument("outcome must be done or refused")
    if reason not in Refusal.values:
        raise InvalidDocument(f"reason must be one of {', '.join(Refusal.values)}")
    note = document.get("note") or ""
    if not isinstance(note, str) or len(note) > NOTE_LIMIT:
        raise InvalidDocument(f"note must be a string of at most {NOTE_LIMIT} characters")
    return Answered(Outcome.REFUSED, str(reason), note)


def send(row: Action | Trial, order: Mapping[str, object], *, now: datetime) -> Answered:
    """POST `order`, signed, and return what the platform said.

    Every attempt carries the same delivery id, so that a platform acts once; asked anew after a
    refusal it has another, so that a platform looks anew. Raises DeliveryFailed, after noting it on
    the row.
    """
    payload = json.dumps(order, ensure_ascii=False).encode()
    secret, *older = secrets_of(row.platform, now=now)
    headers = webhook.sign(secret, payload, delivery_id=_delivery_id(row), at=now, also=older)
    type(row)._default_manager.filter(pk=row.pk).update(attempts=F("attempts") + 1)
    try:
        return read(_post(row.platform.webhook_url, payload, headers))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, InvalidDocument) as error:
        raise _failed(row, str(error) or type(error).__name__, now) from error


def secrets_of(platform: Platform, *, now: datetime) -> list[bytes]:
    """The secret, and the one before while it still counts."""
    until = platform.previous_until
    older = [bytes(platform.previous_secret or b"")] if until and until > now else []
    return [bytes(platform.webhook_secret), *filter(None, older)]


def _delivery_id(row: Action | Trial) -> str:
    if isinstance(row, Trial):
        return row.idempotency_key
    refusals = row.answers.filter(outcome=Outcome.REFUSED).count()
    return f"{row.idempotency_key}-{refusals}" if refusals else row.idempotency_key


def _post(url: str, payload: bytes, headers: Mapping[str, str]) -> object:
    sent = {**headers, "content-type": "application/json"}
    with httpx.stream("POST", url, content=payload, headers=sent, timeout=TIMEOUT_S) as answer:
        answer.raise_for_status()
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise InvalidDocument("the answer is too long")
    return json.loads(bytes(body))


def _failed(row: Action | Trial, why: str, now: datetime) -> DeliveryFailed:
    type(row)._default_manager.filter(pk=row.pk).update(
        last_error=why[:200], failing_since=Coalesce("failing_since", now)
    )
    return DeliveryFailed(f"{row}: {why}")
