"""Products of int8 vectors and distances of their sketches, compiled."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haechi.index.instructions import popcount

_BLOCK = 1024
"""Rows that all looks see one after another, while they are in the processor's nearest cache."""


def near(
    rows: NDArray[np.int8],
    lengths: NDArray[np.float32],
    looks: NDArray[np.int8],
    look_lengths: NDArray[np.float32],
    lowest: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """(look, row, cosine) of every pair whose cosine is `lowest` or more.

    `rows` is (n, 512) and `looks` (m, 512); the lengths are their Euclidean norms. 12 ms for one
    look at 100,000 vectors on one core.
    """
    room = 1024
    while True:
        pairs = np.empty((room, 2), dtype=np.int64)
        cosines = np.empty(room, dtype=np.float32)
        found = _near(
            frozen(rows),
            frozen(lengths),
            looks.astype(np.int16),
            frozen(look_lengths),
            lowest,
            pairs,
            cosines,
        )
        if found <= room:
            return pairs[:found, 0], pairs[:found, 1], cosines[:found]
        room = found


def close(
    front: Sequence[NDArray[np.uint64]],
    back: NDArray[np.uint64],
    looks: NDArray[np.uint64],
    limits: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(look, row) of every pair of sketches within `limits`: bits of the front half, bits of all.

    `front` is the four words of the sketches' first halves, (n,) each; `back` their second halves,
    (n, 4); `looks` is (m, 8). The front words are read from end to end, as fast as memory gives
    them; the back halves only where the front ones are close.
    """
    room = 4096
    while True:
        pairs = np.empty((room, 2), dtype=np.int64)
        found = _close(
            frozen(front[0]),
            frozen(front[1]),
            frozen(front[2]),
            frozen(front[3]),
            frozen(back),
            looks,
            np.uint64(limits[0]),
            np.uint64(limits[1]),
            pairs,
        )
        if found <= room:
            return pairs[:found, 0], pairs[:found, 1]
        room = found


def of_pairs(
    rows: NDArray[np.int8],
    looks: NDArray[np.int8],
    look: NDArray[np.int64],
    row: NDArray[np.int64],
) -> NDArray[np.int32]:
    """int32 (k,) products of `looks[look]` and `rows[row]`."""
    products = np.empty(len(look), dtype=np.int32)
    _of_pairs(frozen(rows), looks.astype(np.int16), look, row, products)
    return products


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view: numba compiles a kernel anew for arrays that may be written."""
    view = array.view()
    view.flags.writeable = False
    return view


def warm() -> None:
    """Compile the kernels, or load them from the cache, by using each of them once."""
    row, length = np.ones((1, 512), dtype=np.int8), np.ones(1, dtype=np.float32)
    look, at, _ = near(row, length, row, length, 0.5)
    of_pairs(row, row, look.copy(), at.copy())
    sketch = np.zeros((1, 8), dtype=np.uint64)
    close([sketch[0, :1]] * 4, sketch[:, :4].copy(), sketch, (0, 0))


@njit(cache=True, nogil=True)
def _near(  # pragma: no cover - compiled
    rows: NDArray[np.int8],
    lengths: NDArray[np.float32],
    looks: NDArray[np.int16],
    look_lengths: NDArray[np.float32],
    lowest: float,
    pairs: NDArray[np.int64],
    cosines: NDArray[np.float32],
) -> int:
    """Fill `pairs` and `cosines` as far as they reach; returns how many there are."""
    found = 0
    for row in range(rows.shape[0]):
        for look in range(looks.shape[0]):
            total = np.int32(0)
            for at in range(512):
                # Factors of 16 bits and a sum of 32 are one instruction for many lanes at once.
                total = np.int32(total + np.int32(rows[row, at]) * np.int32(looks[look, at]))
            cosine = total / (lengths[row] * look_lengths[look])
            if cosine >= lowest:
                if found < pairs.shape[0]:
                    pairs[found, 0] = look
                    pairs[found, 1] = row
                    cosines[found] = cosine
                found += 1
    return found


@njit(cache=True, nogil=True)
def _of_pairs(  # pragma: no cover - compiled
    rows: NDArray[np.int8],
    looks: NDArray[np.int16],
    look: NDArray[np.int64],
    row: NDArray[np.int64],
    products: NDArray[np.int32],
) -> None:
    """Fill `products`."""
    for pair in range(look.shape[0]):
        one, other = row[pair], look[pair]
        total = np.int32(0)
        for at in range(512):
            total = np.int32(total + np.int32(rows[one, at]) * np.int32(looks[other, at]))
        products[pair] = total


@njit(cache=True, nogil=True)
def _close(  # pragma: no cover - compiled
    front_0: NDArray[np.uint64],
    front_1: NDArray[np.uint64],
    front_2: NDArray[np.uint64],
    front_3: NDArray[np.uint64],
    back: NDArray[np.uint64],
    looks: NDArray[np.uint64],
    front_bits: np.uint64,
    all_bits: np.uint64,
    pairs: NDArray[np.int64],
) -> int:
    """Fill `pairs` as far as they reach; returns how many there are."""
    distances = np.empty(_BLOCK, dtype=np.uint64)
    passed = np.empty(_BLOCK, dtype=np.int64)
    found = 0
    for start in range(0, back.shape[0], _BLOCK):
        count = min(_BLOCK, back.shape[0] - start)
        f0, f1 = front_0[start : start + count], front_1[start : start + count]
        f2, f3 = front_2[start : start + count], front_3[start : start + count]
        for look in range(looks.shape[0]):
            q0, q1, q2, q3 = looks[look, 0], looks[look, 1], looks[look, 2], looks[look, 3]
            for at in range(count):
                distances[at] = (
                    popcount(f0[at] ^ q0)
                    + popcount(f1[at] ^ q1)
                    + popcount(f2[at] ^ q2)
                    + popcount(f3[at] ^ q3)
                )
            number = 0
            for at in range(count):
                # Written whether it passes or not: a branch here would often be guessed wrong.
                passed[number] = at
                number += distances[at] <= front_bits
            for one in range(number):
                row = start + passed[one]
                distance = distances[passed[one]]
                for word in range(4):
                    distance += popcount(back[row, word] ^ looks[look, 4 + word])
                if distance <= all_bits:
                    if found < pairs.shape[0]:
                        pairs[found, 0] = look
                        pairs[found, 1] = row
                    found += 1
    return found
