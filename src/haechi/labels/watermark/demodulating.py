"""What windows of a picture hold of any wave: one transform of each window serves every guess."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOW = 64
"""Pixels across and down."""

_HALF = WINDOW // 2
_MANY_PX = 450_000
_FEW_PX = 40_000


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Overlapping windows, transformed.

    Attributes:
        packed: (rows, columns, 64, 64), as OpenCV packs the transform of real values.
        centres: (rows, columns, 2), pixels; that of a pixel lies at a half.
    """

    packed: NDArray[np.float32]
    centres: NDArray[np.float64]

    def waves(self, each: NDArray[np.float64]) -> NDArray[np.complex64]:
        """Of waves (n, 2), in periods a pixel: (rows, columns, n), with phases at the origin.

        Between the frequencies of the transform the four nearest are added with their weights,
        which keeps at least four fifths of a wave's amplitude.
        """
        turned = each[:, 0] < 0
        at = np.where(turned[:, None], -each, each) * WINDOW
        low = np.floor(at).astype(np.int64)
        found = np.zeros((*self.packed.shape[:2], len(each)), np.complex64)
        squares = np.zeros(len(each))
        for down in (0, 1):
            for across in (0, 1):
                x, y = low[:, 0] + across, low[:, 1] + down
                weight = np.sinc(at[:, 0] - x) * np.sinc(at[:, 1] - y)
                # The first and the last column are packed otherwise; no pilot is that flat.
                weight = np.where((x >= 1) & (x < _HALF) & (np.abs(y) < _HALF), weight, 0.0)
                squares += weight**2
                # The transform's phases are those at the first pixel, not in the middle.
                turn = weight * np.exp(2j * np.pi * (x + y) * (_HALF - 0.5) / WINDOW)
                x, y = np.clip(x, 1, _HALF - 1), y % WINDOW
                part = self.packed[:, :, y, 2 * x - 1] + 1j * self.packed[:, :, y, 2 * x]
                found += part * turn.astype(np.complex64)
        found /= np.sqrt(np.maximum(squares, 1e-9)).astype(np.float32)
        found = np.where(turned, found.conj(), found)
        turns = np.exp(-2j * np.pi * (self.centres @ each.T))
        return np.asarray(found * turns, np.complex64)


def windows(seen: NDArray[np.float32]) -> Windows:
    """Half overlapping, further apart in a large picture, closer in a small one."""
    pad = [(0, max(0, WINDOW - length)) for length in seen.shape]
    seen = np.pad(seen, pad)
    height, width = seen.shape
    size = height * width
    step = 64 if size > _MANY_PX else 20 if size < _FEW_PX else 32
    tops, lefts = _starts(height, step), _starts(width, step)
    packed = np.empty((len(tops), len(lefts), WINDOW, WINDOW), np.float32)
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            part = seen[top : top + WINDOW, left : left + WINDOW]
            cv2.dft(part, packed[row, column])
    y, x = np.meshgrid(tops, lefts, indexing="ij")
    return Windows(packed, np.stack((x, y), axis=-1) + float(_HALF))


def _starts(length: int, step: int) -> list[int]:
    count = max(1, round((length - WINDOW) / step) + 1)
    return [round(place) for place in np.linspace(0, length - WINDOW, count)]
