"""Where in a copy the pattern begins, and how fast it plays."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark.sound import pattern as patterns
from haechi.labels.watermark.sound.loudness import HOPS, Map

_WINDOW = 2 * patterns.SLOTS * HOPS
_STEP = patterns.SLOTS * HOPS
_PERIOD = patterns.SLOTS * HOPS


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """9.6 seconds, or the whole of a shorter sound, laid over one period.

    Attributes:
        row: where it begins in its map.
        folded: what the cells hold when the pattern begins at each row; (rows of a period, bands).
        offset: the row of the period at which the pilots fit best.
        height: how well they fit there, in deviations.
    """

    row: int
    folded: NDArray[np.float32]
    offset: int
    height: float

    def cells(self) -> NDArray[np.float32]:
        """The cells from the beginning of the pattern on; (slots, bands)."""
        rows = (self.offset + HOPS * np.arange(patterns.SLOTS)) % _PERIOD
        return self.folded[rows]


def windows(seen: Map, pattern: patterns.Pattern) -> Iterator[Window]:
    """Half overlapping windows of a map of surprises, each with its best offset."""
    count = max(1, (len(seen) - _WINDOW) // _STEP + 1)
    for number in range(count):
        row = number * _STEP
        stop = len(seen) if number == count - 1 else row + _WINDOW
        yield _placed(seen[row:stop], row, pattern)


def _placed(seen: Map, row: int, pattern: patterns.Pattern) -> Window:
    rounds = -(-len(seen) // _PERIOD)
    padded = np.pad(seen, ((0, rounds * _PERIOD - len(seen)), (0, 0)))
    folded = padded.reshape(rounds, _PERIOD, -1).sum(axis=0)
    fits = _fits(folded, pattern)
    fits /= float(fits.std()) + 1e-9
    offset = int(fits.argmax())
    return Window(row, folded, offset, float(fits[offset]))


def _fits(folded: Map, pattern: patterns.Pattern) -> NDArray[np.float64]:
    """How well the pilots fit at each row of the period."""
    phases = folded.reshape(patterns.SLOTS, HOPS, patterns.BANDS)
    waves = np.fft.rfft(phases, axis=0)
    pilots = np.fft.rfft(pattern.pilots, axis=0).conj()
    product = np.einsum("sph,sh->sp", waves, pilots)
    return np.fft.irfft(product, patterns.SLOTS, axis=0).ravel()
