"""PDQ step by step as it was published: slow, obvious, and what the fast path is held against."""

import math

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint.pdq import BITS, MIN_SIDE_PX, SIDE, Pdq

_LUMA = (0.299, 0.587, 0.114)


def compute(rgb: NDArray[np.uint8]) -> Pdq:
    """The PDQ of uint8 pixels (height, width, 3), in float64; seconds a megapixel."""
    if min(rgb.shape[:2]) < MIN_SIDE_PX:
        return Pdq(bytes(BITS // 8), 0)
    samples = filtered(rgb)
    return Pdq(threshold(dct(samples)), quality(samples))


def coefficients(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(16, 16): the values that `threshold` turns into bits."""
    return dct(filtered(rgb))


def filtered(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(64, 64) samples, 0..255, of the luminance after two passes of the box."""
    height, width, _ = rgb.shape
    image = rgb.astype(np.float64) @ np.array(_LUMA)
    for _ in range(2):
        image = np.stack([box(line, window(width)) for line in image])
        image = np.stack([box(line, window(height)) for line in image.T]).T
    return decimate(image)


def window(length: int) -> int:
    """Width of the box: half of a sixty-fourth of the line, rounded up."""
    return -(-length // (2 * SIDE))


def box(line: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Moving average; near the ends over the part of the window that exists."""
    ahead = (width + 2) // 2
    means = [
        line[max(0, at + ahead - width) : min(len(line), at + ahead)].mean()
        for at in range(len(line))
    ]
    return np.array(means)


def decimate(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pixel at the centre of each of 64 x 64 equal parts."""
    height, width = image.shape
    rows = [int((i + 0.5) * height / SIDE) for i in range(SIDE)]
    columns = [int((j + 0.5) * width / SIDE) for j in range(SIDE)]
    return image[np.ix_(rows, columns)]


def quality(samples: NDArray[np.float64]) -> int:
    """Sum of neighbours' differences in whole percents of 255, over 90, at most 100."""
    total = 0
    for i in range(SIDE):
        for j in range(SIDE):
            if i + 1 < SIDE:
                total += abs(int((samples[i, j] - samples[i + 1, j]) * 100 / 255))
            if j + 1 < SIDE:
                total += abs(int((samples[i, j] - samples[i, j + 1]) * 100 / 255))
    return min(100, total // 90)


def dct(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """(16, 16): frequencies 1..16 in both directions."""
    basis = [
        [
            math.sqrt(2 / SIDE) * math.cos(math.pi / (2 * SIDE) * (i + 1) * (2 * j + 1))
            for j in range(SIDE)
        ]
        for i in range(16)
    ]
    matrix = np.array(basis)
    return np.asarray(matrix @ samples @ matrix.T, dtype=np.float64)


def threshold(coefficients: NDArray[np.float64]) -> bytes:
    """Bit k is set where coefficient k exceeds the 128th smallest; written from bit 255 down."""
    values = coefficients.ravel().tolist()
    median = sorted(values)[BITS // 2 - 1]
    number = sum(1 << k for k, value in enumerate(values) if value > median)
    return number.to_bytes(BITS // 8, "big")
