"""How many requests may do one thing at the same time: all together, and of one service."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from haechi.errors import RateLimited

AGAIN_S = 2.0
"""When who was refused may ask again."""


class Places:
    """`most` places in this process, of which one service has `each` at most. Thread-safe."""

    def __init__(self, *, most: int, each: int) -> None:
        self._most, self._each = most, each
        self._taken: Counter[int] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def one(self, service: int, *, wait_s: float = 0.0) -> Iterator[None]:
        """A place until the end. Raises RateLimited where none gets free within `wait_s`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._free(service), wait_s):
                raise RateLimited(AGAIN_S)
            self._taken[service] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= Counter({service: 1})
                self._changed.notify_all()

    def _free(self, service: int) -> bool:
        return self._taken[service] < self._each and self._taken.total() < self._most
