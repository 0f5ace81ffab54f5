"""How loud each band is from moment to moment, and how far that is from what its surroundings let expect.

Both sides look at a sound this way: who marks it, to spend most where the sound itself says the
opposite; and who reads it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark.sound import pattern as patterns

HOPS = 4
"""Rows of a map in a slot."""
HOP_S = patterns.SLOT_S / HOPS
_WINDOW_S = 0.02
_BIN_HZ = 1 / _WINDOW_S
_BINS = 108
"""50 Hz each: up to 5.4 kHz, the highest band in a copy that plays five percent faster."""
_LOW_BINS = 5
_LOUDEST = 100.0
_ROWS = 2_000
_FLOOR = 1e-5
_CLIP = 2.5
_STILL = 0.1
"""Where a band varies less than this, it is empty."""
_AROUND = tuple(
    (slots, bands) for slots in (-2, -1, 0, 1, 2) for bands in (-2, -1, 0, 1, 2) if slots or bands
)

type Map = NDArray[np.float32]


def energies(samples: NDArray[np.float32], rate: int) -> Map:
    """Energy below the edge of each bin, every 6 ms; (rows, bins + 1). `samples` is one channel.

    Row n is about the 20 ms around the middle of the 6 ms from n times 6 ms on.
    """
    length = round(_WINDOW_S * rate)
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    rows = int(len(samples) / rate / HOP_S)
    bins = min(_BINS, length // 2 + 1)
    below = np.zeros((rows, _BINS + 1), np.float32)
    # Files of floats may hold anything.
    finite = np.clip(np.nan_to_num(samples, nan=0.0), -_LOUDEST, _LOUDEST)
    padded = np.pad(finite, (length // 2, length))
    for first in range(0, rows, _ROWS):
        last = min(rows, first + _ROWS)
        starts = np.rint((np.arange(first, last) + 0.5) * (HOP_S * rate)).astype(np.int64)
        pieces = np.lib.stride_tricks.sliding_window_view(padded, length)[starts] * window
        power = np.square(np.abs(np.fft.rfft(pieces)[:, :bins]))
        power[:, :_LOW_BINS] = 0
        below[first:last, 1 : bins + 1] = np.cumsum(power, axis=1)
        below[first:last, bins + 1 :] = below[first:last, bins : bins + 1]
    return below


def bands(below: Map, speed: float) -> Map:
    """The logarithm of the energy of each band over a slot that begins with the row; (rows, bands).

    `speed` is how much faster the copy plays than what was marked, and how much higher.
    """
    edges = patterns.EDGES_HZ * speed / _BIN_HZ + 0.5
    whole = np.floor(edges).astype(np.int64)
    part = (edges - whole).astype(np.float32)
    at = below[:, whole] * (1 - part) + below[:, whole + 1] * part
    energy = np.diff(at, axis=1)
    longer = np.pad(energy, ((0, HOPS - 1), (0, 0)), mode="edge")
    slots = np.asarray(sum(longer[step : step + len(energy)] for step in range(HOPS)), np.float32)
    if speed != 1:
        slots = _stretched(slots, speed)
    floor = _FLOOR * float(slots.mean()) + 1e-12
    return np.log(np.maximum(slots, 0) + floor)


def _stretched(rows: Map, speed: float) -> Map:
    """The rows as they came in time before the copy was made faster."""
    at = np.arange(int((len(rows) - 1) * speed)) / speed
    whole = at.astype(np.int64)
    part = (at - whole).astype(np.float32)[:, None]
    return rows[whole] * (1 - part) + rows[whole + 1] * part


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """How a cell follows from the 24 around it, in this sound."""

    weights: NDArray[np.float32]

    def surprise(self, levels: Map) -> Map:
        """What of each cell its surroundings do not explain, at most 2.5 times the usual."""
        rest = levels.copy()
        for weight, (slots, across) in zip(self.weights, _AROUND, strict=True):
            rest -= weight * _moved(levels, slots * HOPS, across)
        rest -= np.median(rest[::HOPS], axis=0)
        usual = np.median(np.abs(rest[:: HOPS + 1]), axis=0)
        rest /= usual + _STILL
        return np.clip(rest, -_CLIP, _CLIP, out=rest)


def expectation(levels: Map) -> Expectation:
    """By least squares over at most some thousand cells."""
    step = max(1, len(levels) // _ROWS)
    columns = np.stack([_moved(levels, slots * HOPS, across)[::step] for slots, across in _AROUND])
    known = columns.reshape(len(_AROUND), -1).astype(np.float64)
    wanted = levels[::step].ravel().astype(np.float64)
    known -= known.mean(axis=1, keepdims=True)
    square = known @ known.T
    square += np.eye(len(square)) * (1e-3 * np.trace(square) / len(square) + 1e-9)
    return Expectation(np.linalg.solve(square, known @ (wanted - wanted.mean())).astype(np.float32))


def _moved(levels: Map, rows: int, across: int) -> Map:
    """The map as seen from `rows` and `across` further on; its edges are repeated."""
    down = np.clip(np.arange(len(levels)) + rows, 0, len(levels) - 1)
    side = np.clip(np.arange(levels.shape[1]) + across, 0, levels.shape[1] - 1)
    return levels[down][:, side]
