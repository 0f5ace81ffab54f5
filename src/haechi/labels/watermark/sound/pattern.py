"""What follows from a key: which cells of a period are known beforehand, and which bit each other carries.

A cell is a band of 200 Hz for 24 milliseconds, made a little louder or quieter. 24 bands by 200 slots
are a period of 4.8 seconds, which repeats until the sound ends.
"""

import functools
import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import code

SLOT_S = 0.024
SLOTS = 200
PERIOD_S = SLOT_S * SLOTS
BANDS = 24
LOWEST_HZ, BAND_HZ = 300.0, 200.0
EDGES_HZ = LOWEST_HZ + BAND_HZ * np.arange(BANDS + 1)
"""300 to 5,100 Hz: what codecs of voice keep."""

CELLS = SLOTS * BANDS
PILOTS = 960
"""A fifth of the cells, known to whoever has the key: they give place and speed. Eight carry each bit."""


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What follows from a key; cells are numbered slot by slot.

    Attributes:
        pilots: +1, -1, or 0 for a cell that carries a bit; (slots, bands).
        carriers: the numbers of the other cells.
        order: which coded bit each carrier carries.
        flips: +1 or -1 for each carrier.
    """

    pilots: NDArray[np.float32]
    carriers: NDArray[np.int64]
    order: NDArray[np.int64]
    flips: NDArray[np.float32]

    def signs(self, payload: int, key: bytes) -> NDArray[np.float32]:
        """+1 (louder) or -1 (quieter) for each cell; (slots, bands)."""
        cells = self.pilots.ravel().copy()
        cells[self.carriers] = code.encode(payload, key)[self.order] * self.flips
        return cells.reshape(SLOTS, BANDS)

    def soft(self, cells: NDArray[np.floating]) -> NDArray[np.float32]:
        """What (slots, bands) of values say of each coded bit, added up."""
        values = cells.ravel()[self.carriers] * self.flips
        return np.bincount(self.order, values, minlength=code.CODED_BITS).astype(np.float32)


@functools.lru_cache(maxsize=8)
def of(key: bytes) -> Pattern:
    """The pattern of `key`; the same in every version that can read it."""
    seed = hashlib.blake2b(key, digest_size=32, person=b"haechi sound").digest()
    random = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    shuffled = random.permutation(CELLS)
    pilots = np.zeros(CELLS, np.float32)
    pilots[shuffled[:PILOTS]] = 1 - 2 * random.integers(0, 2, PILOTS)
    carriers = shuffled[PILOTS:]
    flips = (1 - 2 * random.integers(0, 2, len(carriers))).astype(np.float32)
    order = np.arange(len(carriers)) % code.CODED_BITS
    return Pattern(pilots.reshape(SLOTS, BANDS), carriers, order, flips)
