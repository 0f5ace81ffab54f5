"""Multi-index hashing: exact Hamming search that looks at thousands of hashes instead of millions.

The 256 bits are cut into 16 bands of 16. If two hashes differ in at most r bits, then in at least
one band they differ in at most r // 16 (pigeonhole; Norouzi, Punjani and Fleet, Fast Exact Search
in Hamming Space with Multi-Index Hashing, 2014). So for every band the hashes are sorted by its
value, and a query looks into the bucket of its own value and of every value that is r // 16 flips
away: 17 buckets a band for r = 31, 137 for r = 40. What is found there is compared in full.

The kernels are compiled by numba. The compiled code is kept beside this file, or in the user's
cache folder if that is not writable; without either, compiling takes a few seconds a process.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

BANDS = 16
WIDTH = 16
VALUES = 1 << WIDTH


@dataclass(frozen=True, slots=True)
class Buckets:
    """For each band the hashes in order of its value.

    Attributes:
        order: uint32 (16, n): row numbers.
        starts: uint32 (16, 65537): where in `order` each value begins.
    """

    order: NDArray[np.uint32]
    starts: NDArray[np.uint32]


def build(hashes: NDArray[np.uint64]) -> Buckets:
    """The buckets of uint64 (n, 4), n < 2**32. About 64 bytes a hash."""
    count = len(hashes)
    order = np.empty((BANDS, count), dtype=np.uint32)
    starts = np.zeros((BANDS, VALUES + 1), dtype=np.uint32)
    _fill(_band_values(hashes), order, starts)
    return Buckets(order, starts)


def search(
    hashes: NDArray[np.uint64], buckets: Buckets, query: NDArray[np.uint64], radius: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Row numbers, each once, and distances of all within `radius` of the query, uint64 (4,)."""
    room = 1024
    while True:
        rows = np.empty(room, dtype=np.uint32)
        bits = np.empty(room, dtype=np.int64)
        found = _probe(
            hashes,
            buckets.order,
            buckets.starts,
            query,
            _band_values(query[None])[0],
            _masks(radius // BANDS),
            radius,
            rows,
            bits,
        )
        if found <= room:
            first = np.unique(rows[:found], return_index=True)[1]
            return rows[first], bits[first]
        room = found


def warm() -> None:
    """Compile the kernels, or load them from the cache, by using them once."""
    hashes = np.zeros((1, 4), dtype=np.uint64)
    search(hashes, build(hashes), hashes[0], 0)


def _band_values(hashes: NDArray[np.uint64]) -> NDArray[np.uint16]:
    return np.ascontiguousarray(hashes).view(np.uint16)


_MASKS: dict[int, NDArray[np.uint16]] = {}


def _masks(flips: int) -> NDArray[np.uint16]:
    """Every 16-bit value with at most `flips` bits set."""
    if flips not in _MASKS:
        values = [
            sum(1 << bit for bit in chosen)
            for count in range(flips + 1)
            for chosen in combinations(range(WIDTH), count)
        ]
        _MASKS[flips] = np.array(values, dtype=np.uint16)
    return _MASKS[flips]


def _ctpop(_context: Any, _value: Any) -> Any:  # noqa: ANN401  # pragma: no cover - numba's
    """The number of set bits of a uint64: one machine instruction."""

    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


_popcount: Any = intrinsic(_ctpop)


@njit(cache=True, nogil=True)
def _fill(  # pragma: no cover - compiled
    values: NDArray[np.uint16], order: NDArray[np.uint32], starts: NDArray[np.uint32]
) -> None:
    """Counting sort of the rows, once a band."""
    count = values.shape[0]
    place = np.empty(VALUES, dtype=np.uint32)
    for band in range(BANDS):
        for row in range(count):
            starts[band, np.int64(values[row, band]) + 1] += 1
        for value in range(VALUES):
            starts[band, value + 1] += starts[band, value]
            place[value] = starts[band, value]
        for row in range(count):
            order[band, place[values[row, band]]] = row
            place[values[row, band]] += 1


@njit(cache=True, nogil=True)
def _probe(  # pragma: no cover - compiled
    hashes: NDArray[np.uint64],
    order: NDArray[np.uint32],
    starts: NDArray[np.uint32],
    query: NDArray[np.uint64],
    values: NDArray[np.uint16],
    masks: NDArray[np.uint16],
    radius: int,
    rows: NDArray[np.uint32],
    bits: NDArray[np.int64],
) -> int:
    """Fill `rows` and `bits` as far as they reach; returns how many there are, repeats included.

    All four words are always compared: a branch that gives up early would stop the processor from
    fetching the next rows meanwhile, and fetching is what takes the time.
    """
    q0, q1, q2, q3 = query[0], query[1], query[2], query[3]
    found = 0
    for band in range(BANDS):
        for mask in masks:
            value = np.int64(values[band] ^ mask)  # wider, so that value + 1 does not wrap
            for at in range(starts[band, value], starts[band, value + 1]):
                row = order[band, at]
                distance = (
                    _popcount(hashes[row, 0] ^ q0)
                    + _popcount(hashes[row, 1] ^ q1)
                    + _popcount(hashes[row, 2] ^ q2)
                    + _popcount(hashes[row, 3] ^ q3)
                )
                if distance <= radius:
                    if found < rows.shape[0]:
                        rows[found] = row
                        bits[found] = np.int64(distance)
                    found += 1
    return found
