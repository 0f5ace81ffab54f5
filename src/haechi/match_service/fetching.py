"""Fetch a file from an address that a client names, so many at once (haechi.reach says how)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from haechi.match_service.config import Settings
from haechi.match_service.gate import Gate
from haechi.reach import Asker, Limits, resolved
from haechi.reach.asking import RESOLVE_S, Resolve

AT_ONCE, WAITING = 8, 32
"""A place each; a slow server abroad holds one of these and none of the decoders'."""

ACCEPT = "image/*,video/*;q=0.9,*/*;q=0.1"


class Fetcher:
    """Fetches for one process, within the limits of its settings."""

    def __init__(
        self, settings: Settings, resolve: Resolve = resolved, resolve_s: float = RESOLVE_S
    ) -> None:
        """`resolve` gives every address of a name, and is given `resolve_s` for it."""
        limits = Limits(
            length=settings.limit_bytes,
            seconds=settings.fetch_s,
            allow=settings.fetch_allow,
            ports=settings.fetch_ports,
        )
        self._asker = Asker(limits, resolve, resolve_s)
        self._gate = Gate(AT_ONCE, WAITING)

    @property
    def under_way(self) -> int:
        """Files that are being fetched now, or were and are still being looked at."""
        return self._gate.inside

    @asynccontextmanager
    async def file(self, url: str) -> AsyncIterator[bytes]:
        """The file at `url`.

        Its place is held until the caller is done with it: so many files are in memory at once and
        no more. Raises AddressRefused for what must not be asked, AddressUnreachable for what gives
        nothing usable in time, TooManyBytes, MatchBusy.
        """
        async with self._gate.place():
            reply = await self._asker.get(url, accept=ACCEPT, statuses=(200,))
            yield reply.body
