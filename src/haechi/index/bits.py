"""The Hamming index of a catalog: numbered rows, searched by many threads at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from haechi.index.hamming import HammingIndex

Hashes = NDArray[np.uint64]
Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""(number of the asked hash, row, distance in bits) of pairs, (k,) each."""


class Bits:
    """256-bit hashes under the numbers 0, 1, 2, ..; none is ever taken out.

    Searches run side by side; adding waits for those under way, and is over in microseconds but
    for the times at which the index builds itself anew.
    """

    def __init__(self, hashes: Hashes) -> None:
        """Begin with uint64 (n, 4)."""
        self._index = HammingIndex()
        self._access = Shared()
        self._rows = 0
        self.append(hashes)

    def append(self, hashes: Hashes) -> None:
        """Add uint64 (n, 4) under the next numbers."""
        numbers = np.arange(self._rows, self._rows + len(hashes), dtype=np.int64)
        with self._access.alone():
            _load(self._index, numbers, hashes)
        self._rows += len(hashes)

    def search(self, hashes: Hashes, radius: int) -> Found:
        """Every row within `radius` bits, 0..40, of one of uint64 (m, 4)."""
        with self._access.shared():
            return _search_many(self._index, hashes, radius)


class Shared:
    """Many readers, or one writer. A writer that waits goes before readers that come later."""

    def __init__(self) -> None:
        """Nobody is in."""
        self._changed = threading.Condition()
        self._readers = 0
        self._writers = 0
        self._writing = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Inside, others may read and nobody writes."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writers)
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, nobody else reads or writes."""
        with self._changed:
            self._writers += 1
            self._changed.wait_for(lambda: not self._readers and not self._writing)
            self._writing = True
        try:
            yield
        finally:
            with self._changed:
                self._writers -= 1
                self._writing = False
                self._changed.notify_all()


def _load(index: HammingIndex, numbers: NDArray[np.int64], hashes: Hashes) -> None:
    for number, row in zip(numbers.tolist(), hashes, strict=True):
        index.insert(number, row.tobytes())


def _search_many(index: HammingIndex, hashes: Hashes, radius: int) -> Found:
    found = [
        (asked, row, distance)
        for asked, bits in enumerate(hashes)
        for row, distance in index.search(bits.tobytes(), radius)
    ]
    asked, rows, distances = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return asked, rows, distances
