"""The keyed tile: which waves carry the frame of reference, which the id.

All waves have whole numbers of periods in a tile of 64 x 64 units, so that the tile repeats without
seams. A few known ones ("pilots") are stronger: they give size, turn, mirror and place. The others
carry two of the coded bits each, in their phase.
"""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import code

TILE = 64
"""Units. A unit is a pixel of the picture at its canonical size."""

CANONICAL = 384
"""A picture of 384 x 384 or smaller has units of one pixel, a larger one of more."""

PILOTS = 16
PILOT_SHARE, PILOT_SHARE_SMALL = 0.47, 0.37
"""Of the energy. A small picture has least left for the id, a large one is cut up more often."""

SMALL_PX = 1.8
"""Below this unit a picture is small."""

_LOWEST, _HIGHEST = 3.5, 14.2
_PILOTS_FROM, _PILOTS_TO = 7.0, 12.6


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What follows from a key.

    Attributes:
        pilots: int (16, 2), waves as (x, y) periods a tile.
        pilot_phases: radians.
        carriers: int (n, 2), the waves of the id.
        order: which coded bit each of the 2 n places carries.
        flips: +1 or -1 for each place.
    """

    pilots: NDArray[np.int64]
    pilot_phases: NDArray[np.float64]
    carriers: NDArray[np.int64]
    order: NDArray[np.int64]
    flips: NDArray[np.float32]


@functools.lru_cache(maxsize=8)
def of(key: bytes) -> Pattern:
    """The pattern of `key`; the same in every version that can read it."""
    seed = hashlib.blake2b(key, digest_size=32, person=b"haechi mark").digest()
    random = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    waves = _waves()
    pilots = _chosen(waves, random)
    carriers = waves[~pilots]
    places = 2 * len(carriers)
    order = random.permutation(np.arange(places) % code.CODED_BITS)
    flips = (1 - 2 * random.integers(0, 2, places)).astype(np.float32)
    phases = random.uniform(0, 2 * np.pi, PILOTS)
    return Pattern(waves[pilots], phases, carriers, order, flips)


def tile(
    pattern: Pattern, payload: int, key: bytes, host: NDArray[np.complex128], pilot_share: float
) -> NDArray[np.float32]:
    """The tile, two pixels a unit, of mean square 1.

    `host` (64, 64) is what the picture itself has of each wave, in the scale of the tile, so that
    most is spent where the picture says the opposite.
    """
    signs = code.encode(payload, key)[pattern.order] * pattern.flips
    there = host[pattern.carriers[:, 1] % TILE, pattern.carriers[:, 0]]
    both = np.stack((there.real, there.imag), axis=1).ravel()
    spent = signs * _spent(both * signs, (1 - pilot_share) / 2)
    data = spent[::2] + 1j * spent[1::2]
    turn = np.exp(1j * pattern.pilot_phases)
    seen = host[pattern.pilots[:, 1] % TILE, pattern.pilots[:, 0]] * turn.conj()
    known = turn * _spent(seen.real, pilot_share / 2)
    size = 2 * TILE
    spectrum = np.zeros((size, size), np.complex128)
    for waves, values in ((pattern.carriers, data), (pattern.pilots, known)):
        spectrum[waves[:, 1] % size, waves[:, 0] % size] += values
        spectrum[-waves[:, 1] % size, -waves[:, 0] % size] += values.conj()
    made = np.fft.ifft2(spectrum).real * size**2
    return np.asarray(made / np.sqrt(np.mean(made**2)), np.float32)


_FLOOR = 0.2
_LEAN = 0.9


def _spent(helps: NDArray[np.float64], energy: float) -> NDArray[np.float64]:
    """How strong each wave is made: together of this energy, where `helps` is least the most."""
    even = np.sqrt(energy / len(helps))
    # Where the picture is far louder than the mark, answering it would eat the mark.
    lean = _LEAN / (1 + np.mean(np.square(helps)) / even**2)
    low, high = 0.0, 60 * even
    spent = np.full(len(helps), even)
    for _ in range(40):
        level = (low + high) / 2
        spent = np.maximum(_FLOOR * even, level - lean * helps)
        low, high = (low, level) if np.square(spent).sum() > energy else (level, high)
    return np.asarray(spent * np.sqrt(energy / np.square(spent).sum()))


def _waves() -> NDArray[np.int64]:
    """One of each pair of opposite waves in the band, without those along the axes."""
    reach = int(_HIGHEST) + 1
    y, x = np.mgrid[-reach : reach + 1, 1 : reach + 1]
    length = np.hypot(x, y)
    inside = (length >= _LOWEST) & (length <= _HIGHEST) & (y != 0)
    return np.stack((x[inside], y[inside]), axis=1)


def _chosen(waves: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.bool_]:
    """Pilots: one in each of 16 sectors, of any length in their band."""
    length = np.hypot(waves[:, 0], waves[:, 1])
    fit = (length >= _PILOTS_FROM) & (length <= _PILOTS_TO) & (np.abs(waves).min(axis=1) >= 2)
    numbers = np.flatnonzero(fit)
    turn = np.arctan2(waves[numbers, 1], waves[numbers, 0])
    ordered = numbers[np.argsort(turn, kind="stable")]
    chosen = np.zeros(len(waves), bool)
    for sector in np.array_split(ordered, PILOTS):
        chosen[sector[random.integers(0, len(sector))]] = True
    return chosen
