"""Exact search among 256-bit hashes by Hamming distance.

Up to SCAN_LIMIT hashes every one is compared, by NumPy: half a millisecond, and nothing has to be
compiled. Above, most of them are in the buckets of `haechi.index.bands`; what was added since they
were built is compared one by one, and what was removed is skipped. Either way recall is 1.0.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haechi.index import compiled

if TYPE_CHECKING:
    from haechi.index.bands import Buckets

WORDS = 4
"""A hash is four uint64 here; which bit is where does not matter to a distance."""

MAX_RADIUS = 40
"""Past this PDQ says nothing, and the buckets of a query become most of the index."""

SCAN_LIMIT = 20_000


class HammingIndex:
    """Keys and their 256-bit hashes; finds all within a radius. Not thread-safe.

    Keys are any integers of 64 bits. 100 bytes a hash above SCAN_LIMIT and 40 below, beside the
    dictionary of keys.
    """

    def __init__(self, *, scan_limit: int = SCAN_LIMIT) -> None:
        """Buckets are built once more than `scan_limit` hashes lie outside of them."""
        self._scan_limit = scan_limit
        self._hashes = np.zeros((64, WORDS), dtype=np.uint64)
        self._keys = np.zeros(64, dtype=np.int64)
        self._alive = np.zeros(64, dtype=np.bool_)
        self._used = 0
        self._slot_of: dict[int, int] = {}
        self._buckets: Buckets | None = None
        self._built = 0

    def __len__(self) -> int:
        """How many hashes are kept."""
        return len(self._slot_of)

    def insert(self, key: int, bits: bytes) -> None:
        """Add the 32 bytes `bits` under `key`, or replace what it has."""
        self.remove(key)
        if self._used == len(self._keys):
            if len(self._slot_of) * 2 < self._used:
                self._compact()
            else:
                self._make_room()
        slot = self._used
        self._hashes[slot] = words(bits)
        self._keys[slot] = key
        self._alive[slot] = True
        self._slot_of[key] = slot
        self._used += 1

    def remove(self, key: int) -> None:
        """Forget the hash of `key`; nothing happens if there is none."""
        slot = self._slot_of.pop(key, None)
        if slot is not None:
            self._alive[slot] = False

    def search(self, bits: bytes, radius: int) -> list[tuple[int, int]]:
        """(key, distance) of every hash within `radius` bits of the 32 bytes `bits`.

        `radius` is 0..40; a larger one is taken as 40.
        """
        radius = min(radius, MAX_RADIUS)
        query = words(bits)
        self._refresh()
        slots, found = self._from_buckets(query, radius)
        loose = self._hashes[self._built : self._used]
        tail = scan(loose, query)
        near = np.flatnonzero(tail <= radius)
        slots = np.concatenate([slots, near + self._built])
        found = np.concatenate([found, tail[near]])
        alive = self._alive[slots]
        return list(zip(self._keys[slots[alive]].tolist(), found[alive].tolist(), strict=True))

    def _from_buckets(
        self, query: NDArray[np.uint64], radius: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        kernels = compiled.BANDS.ready() if self._buckets is not None else None
        if kernels is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        rows, bits = kernels.search(self._hashes[: self._built], self._buckets, query, radius)
        return rows.astype(np.int64), bits

    def _refresh(self) -> None:
        """Build the buckets anew when too much lies outside of them, or much in them is dead."""
        outside = self._used - self._built
        dead = self._used - len(self._slot_of)
        if outside <= max(self._scan_limit, self._built // 16) and dead * 2 <= self._used:
            return
        self._compact()
        if self._used <= self._scan_limit:
            self._buckets, self._built = None, 0
            return
        kernels = compiled.BANDS.ready()
        if kernels is not None:
            self._buckets = kernels.build(self._hashes[: self._used])
            self._built = self._used

    def _compact(self) -> None:
        """Close the gaps that removals left; nothing is in the buckets afterwards."""
        self._buckets, self._built = None, 0
        alive = np.flatnonzero(self._alive[: self._used])
        if len(alive) == self._used:
            return
        self._used = len(alive)
        self._hashes[: self._used] = self._hashes[alive]
        self._keys[: self._used] = self._keys[alive]
        self._alive[: self._used] = True
        self._alive[self._used :] = False
        self._slot_of = {int(key): at for at, key in enumerate(self._keys[: self._used])}

    def _make_room(self) -> None:
        self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
        self._keys = np.concatenate([self._keys, np.zeros_like(self._keys)])
        self._alive = np.concatenate([self._alive, np.zeros_like(self._alive)])


def words(bits: bytes) -> NDArray[np.uint64]:
    """uint64 (4,) of 32 bytes."""
    return np.frombuffer(bits, dtype=np.uint64, count=WORDS)


def distances(hashes: NDArray[np.uint64], query: NDArray[np.uint64]) -> NDArray[np.int64]:
    """int64 (n,) distances of uint64 (n, 4) to uint64 (4,): the reference for all others."""
    return np.bitwise_count(hashes ^ query).sum(axis=1, dtype=np.int64)


def scan(hashes: NDArray[np.uint64], query: NDArray[np.uint64]) -> NDArray[np.int64]:
    """`distances`, four times as fast: the four counts of a row are added as one integer."""
    if not len(hashes):
        return np.empty(0, dtype=np.int64)
    counts = np.bitwise_count(hashes ^ query).view(np.uint32).reshape(-1)
    low = np.uint32(0x00FF00FF)
    pairs = (counts & low) + (counts >> np.uint32(8) & low)
    return ((pairs & np.uint32(0xFFFF)) + (pairs >> np.uint32(16))).astype(np.int64)
