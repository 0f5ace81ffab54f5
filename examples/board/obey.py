"""Obeying Haechi's signed orders: verified, acted on once, answered the same each time."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from examples.board.store import Store

from haechi.errors import WebhookForged, WebhookReplayed, WebhookStale
from haechi.formats import webhook

BODY_LIMIT_BYTES = 256_000
LABEL_LIMIT = 200


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
        answer = carry_out(store, _order(body), now)
        store.remember_delivery(delivery_id, digest, answer)
    return answer


def carry_out(store: Store, order: Mapping[str, object], now: float) -> dict[str, object]:
    """Do what an order says, once for each key, and give the answer; inside a transaction.

    The same whether it was sent here or fetched (fetch.py). Raises Disobeyed.
    """
    act = ACTS.get(str(order.get("type")))
    if act is None:
        raise Disobeyed(422, "board.order_unknown", "No such order is known here.")
    key = _text(order, "idempotency_key")
    if order.get("test") is True:
        return {"outcome": "done"}
    done = store.act(key)
    if done is None:
        done = act(store, order, now)
        if done["outcome"] == "done":
            store.remember_act(key, done)
    return done


def _remove(store: Store, order: Mapping[str, object], now: float) -> dict[str, object]:
    content_id = _text(order, "content_id")
    removed_at = store.remove(content_id, _why(order, "content.removed"), now)
    if removed_at is None:
        return NOT_FOUND
    at = datetime.fromtimestamp(removed_at, UTC).isoformat()
    return {"outcome": "done", "content_id": content_id, "removed_at": at}


def _restrict(store: Store, order: Mapping[str, object], _now: float) -> dict[str, object]:
    content_id = _text(order, "content_id")
    if order.get("restriction") == "labelled":
        done = store.mark(content_id, _words_of(order))
    else:
        done = store.restrict(content_id, _why(order, "content.restricted"))
    if not done:
        return NOT_FOUND
    return {"outcome": "done", "content_id": content_id}


def _restore(store: Store, order: Mapping[str, object], _now: float) -> dict[str, object]:
    content_id = _text(order, "content_id")
    if store.restore(content_id):
        return {"outcome": "done", "content_id": content_id}
    return {"outcome": "refused", "reason": "other", "note": "The file was deleted."}


def _ping(_store: Store, _order: Mapping[str, object], _now: float) -> dict[str, object]:
    return {"outcome": "done"}


NOT_FOUND: dict[str, object] = {"outcome": "refused", "reason": "not_found"}
ACTS = {
    "content.remove": _remove,
    "content.restrict": _restrict,
    "content.restore": _restore,
    "ping": _ping,
}


def _why(order: Mapping[str, object], code: str) -> dict[str, object]:
    statement = order.get("statement")
    return {
        "code": code,
        "words": _text(order, "reason"),
        "appeal_url": order.get("appeal_url"),
        "statement": statement if isinstance(statement, dict) else {},
    }


def _words_of(order: Mapping[str, object]) -> str:
    """What is written beside the picture: the words of the label, or else why there is one."""
    label = order.get("label")
    words = label.get("words") if isinstance(label, dict) else None
    told = words.get("en") if isinstance(words, dict) else None
    shown = told if isinstance(told, str) and told.strip() else _text(order, "reason")
    return shown[:LABEL_LIMIT]


def _order(body: bytes) -> dict[str, object]:
    try:
        order = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Disobeyed(400, "format.invalid", "The body is not JSON.") from error
    if not isinstance(order, dict):
        raise Disobeyed(400, "format.invalid", "The body is not a JSON object.")
    return order


def _text(order: Mapping[str, object], name: str) -> str:
    value = order.get(name)
    if not isinstance(value, str) or not value:
        raise Disobeyed(400, "format.invalid", f"{name} must be a string that is not empty.")
    return value
