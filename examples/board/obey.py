"""Obeying Haechi's signed orders: verified, acted on once, answered the same each time."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from examples.board.store import Store

from haechi.errors import WebhookForged, WebhookReplayed, WebhookStale
from haechi.formats import webhook

BODY_LIMIT_BYTES = 256_000


class Disobeyed(Exception):
    """An order that is not carried out; `status` and `code` tell the sender why."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(code)
        self.status, self.code, self.words = status, code, words


def obey(
    store: Store, secret: bytes, headers: Mapping[str, str], body: bytes, now: float
) -> dict[str, object]:
    """Carry out one delivery and give the answer. Raises Disobeyed."""
    try:
        delivery_id = webhook.verify(
            secret, headers, body, now=datetime.fromtimestamp(now, UTC), window_s=300
        )
    except WebhookForged as error:
        raise Disobeyed(401, error.code, "The signature does not fit.") from error
    except WebhookStale as error:
        raise Disobeyed(400, error.code, "The time stamp is too old or lies ahead.") from error
    digest = hashlib.sha256(body).digest()
    # One transaction: if the process dies before COMMIT, Haechi delivers again and nothing is lost.
    with store.transaction():
        seen = store.delivery(delivery_id)
        if seen is not None and seen[0] == digest:
            return seen[1]
        if seen is not None:
            raise Disobeyed(409, WebhookReplayed.code, "This id was used for another message.")
        answer = _act(store, _order(body), now)
        store.remember_delivery(delivery_id, digest, answer)
    return answer


def _act(store: Store, order: Mapping[str, object], now: float) -> dict[str, object]:
    key, content_id = _text(order, "idempotency_key"), _text(order, "content_id")
    done = store.act(key)
    if done is not None:
        return done
    statement = order.get("statement")
    why: dict[str, object] = {
        "code": "content.removed",
        "words": _text(order, "reason"),
        "appeal_url": order.get("appeal_url"),
        "statement": statement if isinstance(statement, dict) else {},
    }
    removed_at = store.remove(content_id, why, now)
    if removed_at is None:
        raise Disobeyed(404, "board.content_unknown", "There is no content of that id here.")
    at = datetime.fromtimestamp(removed_at, UTC).isoformat()
    answer: dict[str, object] = {"removed": True, "content_id": content_id, "removed_at": at}
    store.remember_act(key, answer)
    return answer


def _order(body: bytes) -> dict[str, object]:
    try:
        order = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Disobeyed(400, "format.invalid", "The body is not JSON.") from error
    if not isinstance(order, dict):
        raise Disobeyed(400, "format.invalid", "The body is not a JSON object.")
    if order.get("type") != "content.remove":
        raise Disobeyed(422, "board.order_unknown", "Only content.remove is known here.")
    return order


def _text(order: Mapping[str, object], name: str) -> str:
    value = order.get(name)
    if not isinstance(value, str) or not value:
        raise Disobeyed(400, "format.invalid", f"{name} must be a string that is not empty.")
    return value
