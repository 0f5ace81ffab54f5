"""Cosine search over int8 embeddings: a plain product, block by block."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import sscd
from haechi.index import compiled

_BLOCK_ROWS = 16_384
"""Rows turned to float32 at a time: 32 MB, so that a million rows never become 2 GB."""


SCAN_LIMIT = 10_000


class Near(NamedTuple):
    """One vector near one look of a query: which look, whose, how near, and if it is a whole."""

    look: int
    key: int
    cosine: float
    whole: bool


class EmbeddingIndex:
    """Vectors of 512 int8, each owned by a key; one key may own many. Not thread-safe.

    Exact: every vector is compared.
    """

    def __init__(self, *, scan_limit: int = SCAN_LIMIT) -> None:
        """Up to `scan_limit` vectors are compared by NumPy, more by compiled code."""
        self._scan_limit = scan_limit
        self._rows = np.zeros((64, sscd.DIMENSIONS), dtype=np.int8)
        self._lengths = np.ones(64, dtype=np.float32)
        self._owner = np.zeros(64, dtype=np.int64)
        self._whole = np.zeros(64, dtype=np.bool_)
        self._used = 0
        self._slots: dict[int, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        """How many vectors are kept."""
        return self._used

    def insert(self, key: int, vector: bytes, *, whole: bool) -> None:
        """Add one vector of `key`; `whole` says that it is of the picture and not of a view."""
        if self._used == len(self._rows):
            self._grow()
        slot = self._used
        row = np.frombuffer(vector, dtype=np.int8)
        self._rows[slot] = row
        self._lengths[slot] = norms(row[None])[0]
        self._owner[slot] = key
        self._whole[slot] = whole
        self._slots[key].append(slot)
        self._used += 1

    def remove(self, key: int) -> None:
        """Forget every vector of `key`; nothing happens if it has none."""
        while self._slots.get(key):
            self._drop(self._slots[key][-1])
        self._slots.pop(key, None)

    def search(self, vectors: Sequence[bytes], lowest: float) -> list[Near]:
        """Every vector whose cosine to one of `vectors`, 512 int8 each, is `lowest` or more."""
        if not vectors or not self._used:
            return []
        looks = np.stack([np.frombuffer(vector, dtype=np.int8) for vector in vectors])
        rows, lengths = self._rows[: self._used], self._lengths[: self._used]
        kernels = compiled.DOTS.ready() if self._used > self._scan_limit else None
        nearest = scan if kernels is None else kernels.near
        pairs = zip(*nearest(rows, lengths, looks, norms(looks), lowest), strict=True)
        return [
            Near(int(look), int(self._owner[row]), float(cosine), bool(self._whole[row]))
            for look, row, cosine in pairs
        ]

    def _drop(self, slot: int) -> None:
        """Move the last vector into the hole."""
        last = self._used - 1
        self._slots[int(self._owner[slot])].remove(slot)
        if slot != last:
            for column in (self._rows, self._lengths, self._owner, self._whole):
                column[slot] = column[last]
            slots = self._slots[int(self._owner[slot])]
            slots[slots.index(last)] = slot
        self._used = last

    def _grow(self) -> None:
        more = len(self._rows)
        self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._lengths = np.concatenate([self._lengths, np.ones(more, dtype=np.float32)])
        self._owner = np.concatenate([self._owner, np.zeros(more, dtype=np.int64)])
        self._whole = np.concatenate([self._whole, np.zeros(more, dtype=np.bool_)])


def norms(vectors: NDArray[np.int8]) -> NDArray[np.float32]:
    """float32 (n,) Euclidean lengths of int8 (n, 512), at least 1 so that zero is like nothing."""
    squares = (vectors.astype(np.float32) ** 2).sum(axis=1)
    return np.maximum(np.sqrt(squares), np.float32(1))


def scan(
    rows: NDArray[np.int8],
    lengths: NDArray[np.float32],
    looks: NDArray[np.int8],
    look_lengths: NDArray[np.float32],
    lowest: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """(look, row, cosine) of every pair at `lowest` or more: `dots.near` by NumPy, its reference.

    All looks go together, because turning the rows to float32 is half the work.
    """
    found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        products = looks.astype(np.float32) @ rows[block].astype(np.float32).T
        cosines = products / (look_lengths[:, None] * lengths[block])
        look, row = np.nonzero(cosines >= lowest)
        found.append((look, row + start, cosines[look, row]))
    looked, numbers, values = zip(*found, strict=True)
    return np.concatenate(looked), np.concatenate(numbers), np.concatenate(values)
