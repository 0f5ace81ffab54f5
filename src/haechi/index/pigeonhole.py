"""Where to look so that no neighbour is missed, and how to cut hashes so that looking is cheap.

The 256 bits are cut into m bands. If two hashes differ in at most r bits, and the numbers t of the
bands add up so that the sum of all (t + 1) is r + 1, then in at least one band they differ in at
most t bits: otherwise they would differ in at least r + 1. A band with t = -1 need not be looked at
(Norouzi, Punjani and Fleet, Fast Exact Search in Hamming Space with Multi-Index Hashing, 2014, with
equal t; Qin et al., GPH: Similarity Search in Hamming Space, ICDE 2018, with free ones).

For every band the hashes are sorted by its value. A query looks into the buckets of all values that
are at most t flips away: few wide bands mean many small buckets, many narrow ones few large buckets.
The best mix depends on how many hashes there are, and is found here by counting what each costs.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

BITS = 256
RADIUS = 31
"""Bands are cut for this one, at which PDQ is exchanged; others are answered with the same bands."""

BYTES_PER_HASH = 78
"""What rows and starts of all bands may take, beside 32 bytes of hash and 9 of key and mark."""

LOOKUP_COST, CANDIDATE_COST = 2.0, 1.0
"""In memory that the cache does not hold: where a bucket starts and its first row; a hash."""

PAST_END = 4
"""Rows that may be read after a bucket's last: buckets are copied four rows at a time."""

_MOST_BANDS, _FEWEST_BANDS = 16, 11
WIDEST = 26
"""Bits of the widest band: 67 million buckets."""


@dataclass(frozen=True, slots=True)
class Bands:
    """How hashes are cut, for about `count` of them.

    Attributes:
        widths: Bits of each band, from the lowest bit of the first word on; together 256.
        count: Number of hashes that the cut was made for.
    """

    widths: tuple[int, ...]
    count: int

    @property
    def starts_at(self) -> tuple[int, ...]:
        """For each band where its 2**width + 1 bucket starts begin, and the end of all."""
        return tuple(accumulate((2**width + 1 for width in self.widths), initial=0))

    @property
    def bytes_per_hash(self) -> float:
        """Of rows and starts together."""
        return 4 * (len(self.widths) + self.starts_at[-1] / max(1, self.count))


@dataclass(frozen=True, slots=True)
class Probes:
    """The buckets that one radius needs.

    Attributes:
        cut: int64 (m, 3): lowest bit, width, and where the starts begin, of each band.
        flips: int64 (m,): the t of each band, -1 or more.
        masks: int64 (p,): what to xor a band's value with, band after band.
        first: int64 (m + 1,): where the masks of each band begin.
    """

    cut: NDArray[np.int64]
    flips: NDArray[np.int64]
    masks: NDArray[np.int64]
    first: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Buckets:
    """For each band the rows of all hashes in the order of its value. Nothing is written to later.

    Attributes:
        bands: The cut.
        order: uint32 (m * n + PAST_END,): row numbers, band after band.
        starts: uint32 (bands.starts_at[-1],): where in its band's part of `order` each value's
            bucket starts, and at last n.
    """

    bands: Bands
    order: NDArray[np.uint32]
    starts: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Kept:
    """Hashes with their keys, as one search sees them.

    Attributes:
        keys: int64 (at least used,).
        hashes: uint64 (at least used, 4).
        alive: bool (at least used,): what was not removed.
        used: How many of them count.
    """

    keys: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    alive: NDArray[np.bool_]
    used: int


def choose(count: int) -> Bands:
    """The cheapest cut for `count` hashes that keeps to BYTES_PER_HASH, or nearly for few of them."""
    cuts = [Bands(widths, count) for widths in _cuts()]
    small = [bands for bands in cuts if bands.bytes_per_hash <= BYTES_PER_HASH]
    if not small:
        return min(cuts, key=lambda bands: bands.bytes_per_hash)
    return min(small, key=lambda bands: _spend(bands.widths, count, RADIUS)[0])


@lru_cache(maxsize=64)
def probes(bands: Bands, radius: int) -> Probes:
    """The cheapest thresholds for `radius` (0 to 40), and every mask that they ask for."""
    flips = _spend(bands.widths, bands.count, radius)[1]
    masks = [_masks(width, most) for width, most in zip(bands.widths, flips, strict=True)]
    lowest = accumulate(bands.widths[:-1], initial=0)
    return Probes(
        cut=np.array(list(zip(lowest, bands.widths, bands.starts_at[:-1], strict=True))),
        flips=np.array(flips),
        masks=np.concatenate(masks),
        first=np.array(list(accumulate(map(len, masks), initial=0))),
    )


@lru_cache(maxsize=1)
def _cuts() -> tuple[tuple[int, ...], ...]:
    """Cuts of which some bands take two flips at RADIUS and the others, narrower, one."""
    cuts = []
    for number in range(_FEWEST_BANDS, _MOST_BANDS + 1):
        wide = RADIUS + 1 - 2 * number  # so that 3 * wide + 2 * (number - wide) == RADIUS + 1
        for width in range(BITS // number, WIDEST + 1):
            left = BITS - wide * width if wide else BITS
            if not 0 <= wide <= number or left < 8 * (number - wide):
                continue
            narrow, more = divmod(left, number - wide)
            if narrow <= width:
                cuts.append(
                    (width,) * wide + (narrow + 1,) * more + (narrow,) * (number - wide - more)
                )
    return tuple(dict.fromkeys(cuts))


def _spend(widths: tuple[int, ...], count: int, radius: int) -> tuple[float, list[int]]:
    """(cost, flips): `radius` + 1 flips given one by one to the band where the next is cheapest.

    That is optimal, because each further flip in a band costs more than the one before.
    """
    flips, cost = [-1] * len(widths), 0.0
    prices = [_price(width, 0, count) for width in widths]
    for _ in range(radius + 1):
        at = prices.index(min(prices))
        cost += prices[at]
        flips[at] += 1
        prices[at] = _price(widths[at], flips[at] + 1, count)
    return cost, flips


@lru_cache(maxsize=4096)
def _price(width: int, flips: int, count: int) -> float:
    """Of all buckets that are exactly `flips` away, at random hashes."""
    return comb(width, flips) * (LOOKUP_COST + CANDIDATE_COST * count / (1 << width))


@lru_cache(maxsize=256)
def _masks(width: int, most: int) -> NDArray[np.int64]:
    """Every value of `width` bits with at most `most` bits set; none for -1."""
    values = [
        sum(1 << bit for bit in chosen)
        for flips in range(most + 1)
        for chosen in combinations(range(width), flips)
    ]
    return np.array(values, dtype=np.int64)
