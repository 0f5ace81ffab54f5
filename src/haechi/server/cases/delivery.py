"""Tell a platform what it must do: one signed webhook, safe to repeat."""

import json
from datetime import datetime

import httpx
from django.db.models import F

from haechi.errors import DeliveryFailed
from haechi.formats import webhook
from haechi.server.cases.models import Action

TIMEOUT_S = 10.0


def send(action: Action, body: dict[str, object], *, now: datetime) -> None:
    """POST `body`, signed, and return when the platform confirmed the removal.

    Every attempt carries the same delivery id, so that a platform acts once. Raises
    DeliveryFailed, after noting it on the action.
    """
    payload = json.dumps(body, ensure_ascii=False).encode()
    headers = webhook.sign(
        bytes(action.platform.webhook_secret), payload, delivery_id=action.idempotency_key, at=now
    )
    Action.objects.filter(pk=action.pk).update(attempts=F("attempts") + 1)
    try:
        answer = httpx.post(
            action.platform.webhook_url,
            content=payload,
            headers={**headers, "content-type": "application/json"},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        removed = answer.json().get("removed") is True
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        raise _failed(action, str(error) or type(error).__name__) from error
    if not removed:
        raise _failed(action, "the platform answered without confirming the removal")


def _failed(action: Action, why: str) -> DeliveryFailed:
    Action.objects.filter(pk=action.pk).update(last_error=why[:200])
    return DeliveryFailed(f"{action}: {why}")
