"""So many at once, so many waiting, and a clear no to the rest."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

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


class Room:
    """Memory for bodies that are arriving or being worked on; so many bytes and so many bodies.

    A slow client holds what it has sent so far and no place that another one needs.
    """

    def __init__(self, limit_bytes: int, bodies: int) -> None:
        """`limit_bytes` for all together, `bodies` at once."""
        self._limit_bytes = limit_bytes
        self._bodies = bodies
        self.bodies = 0
        self.bytes = 0

    @contextmanager
    def share(self) -> Iterator[Callable[[int], None]]:
        """What to call for each piece that arrives, with its length; all is given back at the end.

        Both raise MatchBusy when there is no room: waiting for it, two halves of a body could wait
        for each other.
        """
        if self.bodies >= self._bodies:
            raise MatchBusy
        self.bodies += 1
        taken = 0

        def take(length: int) -> None:
            nonlocal taken
            if self.bytes + length > self._limit_bytes:
                raise MatchBusy
            taken += length
            self.bytes += length

        try:
            yield take
        finally:
            self.bodies -= 1
            self.bytes -= taken
