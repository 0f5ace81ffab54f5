"""A PDQ as eleven numbers that PostgreSQL indexes, so that what is near is a question to eleven indexes.

Two hashes that differ in at most 31 bits differ in at most two in one of these bands, as
index.pigeonhole proves; so every value within those flips is looked up, and what is found is compared
in full. The eleven numbers are all of the hash: nothing else is kept to compare with.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from haechi.index import pigeonhole
from haechi.index.pigeonhole import BITS, Bands

MADE_FOR = 100_000_000
"""Hashes: few wide bands cost look-ups where few are known, many narrow ones comparisons where many."""

BANDS = Bands((24,) * 3 + (23,) * 8, MADE_FOR)
_EDGES = tuple(np.cumsum((0, *BANDS.widths)).tolist())

type Hashes = NDArray[np.uint64]


def words(hashes: list[bytes]) -> Hashes:
    """uint64 (n, 4) of 32 bytes each."""
    return np.frombuffer(b"".join(hashes), dtype="<u8").reshape(-1, BITS // 64)


def cut(hashes: Hashes) -> NDArray[np.int64]:
    """(n, 11): the value of each band."""
    bits = np.unpackbits(hashes.view(np.uint8), axis=1, bitorder="little").astype(np.int64)
    powers = 1 << np.arange(max(BANDS.widths), dtype=np.int64)
    bands = [bits[:, a:b] @ powers[: b - a] for a, b in pairwise(_EDGES)]
    return np.stack(bands, axis=1)


def joined(cuts: NDArray[np.int64]) -> Hashes:
    """The hashes that `cut` took apart."""
    bits = np.empty((len(cuts), BITS), dtype=np.uint8)
    for band, (a, b) in enumerate(pairwise(_EDGES)):
        bits[:, a:b] = cuts[:, band, None] >> np.arange(b - a) & 1
    return np.packbits(bits, axis=1, bitorder="little").view("<u8")


def looked_up(hashes: Hashes, radius: int) -> list[list[int]]:
    """For each band every value that a hash within `radius` bits of one of these may have there."""
    probes, cuts = pigeonhole.probes(BANDS, radius), cut(hashes)
    return [
        np.unique(cuts[:, band, None] ^ probes.masks[a:b]).tolist()
        for band, (a, b) in enumerate(pairwise(probes.first.tolist()))
    ]
