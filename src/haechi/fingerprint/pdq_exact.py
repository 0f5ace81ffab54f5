"""PDQ to the last rounding, for pictures whose bits hang on it.

Stripes, checkers, icons and anything else with an exact symmetry have coefficients that are zero
on paper. Their bits are then decided by rounding errors, and two implementations agree only if
they add the same float32 numbers in the same order. Here is the order of the published C++ code:
running sums along rows and columns, twice, and products summed one by one.
"""

import numpy as np
from numpy.typing import NDArray

PIXELS = 4_000_000
"""Larger pictures are not done this way: 50 ms a megapixel would be too much for hostile uploads."""

_SIDE = 64


def coefficients(
    rgb: NDArray[np.uint8], dct: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(64, 64) samples and (16, 16) coefficients of uint8 (height, width, 3).

    `dct` is the (16, 64) matrix of frequencies 1..16.
    """
    red, green, blue = (rgb[:, :, channel] for channel in range(3))
    luma = (red * 0.299 + green * 0.587 + blue * 0.114).astype(np.float32)
    height, width = luma.shape
    if (height, width) != (_SIDE, _SIDE):
        for _ in range(2):
            luma = _box(luma.T.copy(), width).T
            luma = _box(luma.copy(), height)
    samples = luma[np.ix_(_centres(height), _centres(width))]
    return samples, _product(_product(dct, samples), dct.T)


def _centres(length: int) -> list[int]:
    return [int((part + 0.5) * length / _SIDE) for part in range(_SIDE)]


def _box(lines: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Moving average down the rows: the new value is added to a running sum, then the old taken."""
    window = (length + 2 * _SIDE - 1) // (2 * _SIDE)
    ahead = (window + 2) // 2
    total = np.zeros(lines.shape[1], dtype=np.float32)
    out = np.empty_like(lines)
    for row in range(ahead - 1):
        total += lines[row]
    for row in range(length):
        newest, oldest = row + ahead - 1, row + ahead - 1 - window
        if newest < length:
            total += lines[newest]
        if oldest >= 0:
            total -= lines[oldest]
        inside = min(newest, length - 1) - max(oldest, -1)
        np.divide(total, np.float32(inside), out=out[row])
    return out


def _product(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Matrix product whose sums run over k in order, each product rounded before it is added."""
    total = np.zeros((left.shape[0], right.shape[1]), dtype=np.float32)
    for k in range(left.shape[1]):
        total += left[:, k, None] * right[None, k, :]
    return total
