"""So many at once, so many waiting, and a clear no to the rest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from haechi.errors import MatchBusy


class Gate:
    """A semaphore whose queue has an end, so that a flood costs a refusal and not the memory."""

    def __init__(self, places: int, queue: int) -> None:
        """`places` may be inside at once and `queue` may wait; both at least 1."""
        self._places = asyncio.Semaphore(places)
        self._queue = queue
        self.waiting = 0
        self.inside = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one place. Raises MatchBusy at once when the queue is full."""
        if self._places.locked() and self.waiting >= self._queue:
            raise MatchBusy
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
            self._places.release()
