"""Sketches of vectors: 512 bits that tell from afar which of a million can be alike.

A bit is the side of a hyperplane on which a vector lies. Two vectors at an angle of a differ in a
share a / pi of the bits (Charikar, Similarity Estimation Techniques from Rounding Algorithms, STOC
2002), so a limit on the bits keeps nearly all pairs above a cosine and drops nearly all others;
those kept are measured in full. At a cosine of 0.5 a third of the bits differ, of unrelated vectors
half: at the limits below one in 200,000 unrelated vectors is looked at.

Why no graph (HNSW): SSCD spreads its embeddings almost evenly, and a graph finds its way by what is
uneven. On 50,000 random vectors usearch 2.26 with 32 links took 10 ms a vector to build (one busy
core: hours a million) and 6 ms a search for a recall of 1.0, with 16 links 2 ms and 52 ms; sketches
take 0.01 ms and under 1 ms. Nor can a graph be shared, changed and checked as rows of numbers can.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from math import acos, erf, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint.sscd import DIMENSIONS

BITS = DIMENSIONS
WORDS = BITS // 64
HALF = WORDS // 2

_SPREAD = 3.3
"""Standard deviations left beyond the mean: each of both limits misses 5 in 10,000 at the threshold
itself, and the fewer the more alike two vectors are."""

_BATCH = 8192


def of(vectors: NDArray[np.int8]) -> NDArray[np.uint64]:
    """uint64 (n, 8) sketches of int8 (n, 512).

    The hyperplanes are a Hadamard matrix with its columns' signs drawn once, so that no direction
    of the space is special; sums of int8 are exact in float32, so every machine gets equal bits.
    """
    found = np.empty((len(vectors), WORDS), dtype=np.uint64)
    planes = _planes()
    for start in range(0, len(vectors), _BATCH):
        sides = vectors[start : start + _BATCH].astype(np.float32) @ planes
        packed = np.packbits(sides > 0, axis=1)
        found[start : start + _BATCH] = packed.view(np.uint64)
    return found


def limits(lowest: float) -> tuple[int, int]:
    """Within how many bits of the first half, and of the whole, a pair at cosine `lowest` lies."""
    differing = acos(max(-1.0, min(1.0, lowest))) / pi
    return _limit(differing, BITS // 2), _limit(differing, BITS)


def share_passing(lowest: float) -> float:
    """The part of unrelated vectors that `limits(lowest)` lets through, about."""
    deviation = sqrt(BITS) / 2
    return (1 + erf((limits(lowest)[1] - BITS / 2) / deviation / sqrt(2))) / 2


def close(
    front: Sequence[NDArray[np.uint64]],
    back: NDArray[np.uint64],
    looks: NDArray[np.uint64],
    limits: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(look, row) of every pair within `limits`: `dots.close` by NumPy, its reference."""
    found = [np.empty((2, 0), dtype=np.int64)]
    for number, look in enumerate(looks):
        first = np.zeros(len(back), dtype=np.int64)
        for word, asked in zip(front, look, strict=False):
            first += np.bitwise_count(word ^ asked)
        rows = np.flatnonzero(first <= limits[0])
        both = first[rows] + np.bitwise_count(back[rows] ^ look[HALF:]).sum(axis=1, dtype=np.int64)
        rows = rows[both <= limits[1]]
        found.append(np.stack([np.full_like(rows, number), rows]))
    look_numbers, row_numbers = np.concatenate(found, axis=1)
    return look_numbers, row_numbers


def _limit(differing: float, bits: int) -> int:
    deviation = sqrt(bits * differing * (1 - differing))
    return round(bits * differing + _SPREAD * deviation)


@cache
def _planes() -> NDArray[np.float32]:
    """float32 (512, 512) of 1 and -1: a column is a hyperplane."""
    matrix = np.ones((1, 1), dtype=np.float32)
    while len(matrix) < DIMENSIONS:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    drawn = hashlib.shake_128(b"haechi sketch 1").digest(DIMENSIONS // 8)
    signs = np.unpackbits(np.frombuffer(drawn, dtype=np.uint8)).astype(np.float32) * 2 - 1
    return np.ascontiguousarray(matrix * signs[:, None])
