"""Asking Haechi for orders, for a board that cannot be reached from outside, or in addition to it.

The documents are those of the webhook: an order that came both ways is carried out once (obey.py).
"""

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import quote

import httpx
from examples.board.obey import Disobeyed, carry_out
from examples.board.settings import Settings
from examples.board.store import Store

log = logging.getLogger(__name__)


class Orders:
    """What waits for this board at Haechi."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None) -> None:
        self._wait_s = settings.retry_s
        self._on = bool(settings.api_url)
        self._http = httpx.AsyncClient(
            base_url=settings.api_url,
            headers={"Authorization": f"Bearer {settings.match_key}"},
            timeout=10,
            transport=transport,
            trust_env=False,
        )

    async def run(self, store: Store, clock: Callable[[], float]) -> None:
        """Ask again and again, while it is switched on."""
        while self._on:
            try:
                await self.obey_all(store, clock())
            except (httpx.HTTPError, ValueError, KeyError):
                log.warning("orders could not be fetched; trying again")
            await asyncio.sleep(self._wait_s)

    async def obey_all(self, store: Store, now: float) -> int:
        """Carry out what waits, page by page, and say so; how many orders there were."""
        count, after = 0, ""
        while True:
            found = (await self._get(after)).json()
            for order in found["actions"]:
                await self._obey(store, order, now)
            count, after = count + len(found["actions"]), found["next"] or ""
            if not after:
                return count

    async def _get(self, after: str) -> httpx.Response:
        answer = await self._http.get("/api/v1/actions", params={"after": after} if after else {})
        return answer.raise_for_status()

    async def _obey(self, store: Store, order: dict[str, object], now: float) -> None:
        try:
            with store.transaction():
                said = carry_out(store, order, now)
        except Disobeyed as error:
            said = {"outcome": "refused", "reason": "other", "note": error.words}
        known = {name: said[name] for name in ("outcome", "reason", "note") if name in said}
        key = quote(str(order["idempotency_key"]), safe="")
        answer = await self._http.post(f"/api/v1/actions/{key}", json=known)
        # 409: it was answered the other way, or taken back meanwhile.
        if answer.status_code != 409:
            answer.raise_for_status()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
