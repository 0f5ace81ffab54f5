"""PDQ: 256 bits that survive re-encoding, resizing and mild filters.

The algorithm is Facebook's (https://github.com/facebook/ThreatExchange, pdq/, and the paper
`hashing/hashing.pdf` there): luminance, a two-pass box filter, 64 x 64 samples, the lowest 16 x 16
DCT coefficients without the constant row and column, one bit for each that exceeds their median.

Everything before the median is linear, and only 64 x 64 samples of the filtered picture are used.
So the filter is not run: each sample is one weighted sum over a small rectangle, and the weights
(a tent, from the two passes) come from `tent`. `pdq_reference` does it the obvious way, and
`pdq_exact` with the published code's roundings, where those decide; the tests hold them together.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import pdq_exact

SIDE = 64
BITS = 256
MIN_SIDE_PX = 5
"""Narrower pictures have no PDQ: all zeros at quality 0, as in the reference."""

MIN_QUALITY = 50
"""Under it a match says little, by its authors: flat pictures share their few gradients."""

TURNS = (
    "identity",
    "rotate_90",
    "rotate_180",
    "rotate_270",
    "flip_x",
    "flip_y",
    "flip_plus_1",
    "flip_minus_1",
)
"""The order of `dihedral`, with the reference's names. For the hash `turns[k]` of a picture P:
rotate_90 is P turned 90 degrees anticlockwise, 270 clockwise; flip_x is P upside down (top row
below), flip_y is P in a mirror (left side right), flip_plus_1 is P with rows and columns
exchanged, flip_minus_1 the same about the other diagonal."""

ROUNDING = 0.01
"""What float32 may move a coefficient; they reach thousands, and neighbours are about 1 apart."""

_UNDECIDED_BITS = 4

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Pdq:
    """One PDQ hash.

    Attributes:
        bits: 32 bytes; `bits.hex()` is the published hexadecimal form.
        quality: 0 (flat) to 100. Under 50 a match says little: few gradients, many lookalikes.
    """

    bits: bytes
    quality: int

    @property
    def hex(self) -> str:
        """64 lower-case hexadecimal digits."""
        return self.bits.hex()


def compute(rgb: NDArray[np.uint8]) -> Pdq:
    """PDQ of uint8 pixels (height, width, 3); 1 to 2 ms a megapixel."""
    if min(rgb.shape[:2]) < MIN_SIDE_PX:
        return Pdq(bytes(BITS // 8), 0)
    samples, coefficients = _analyse(rgb)
    return Pdq(bits_of(coefficients[None])[0], quality_of(samples))


def dihedral(rgb: NDArray[np.uint8]) -> tuple[Pdq, ...]:
    """The hashes of the picture in all eight turns and mirrors, in the order of TURNS.

    All come from one DCT: turning a picture transposes its coefficients and flips signs. Turned
    pixels give the same hash but for the samples, which fall half a pixel beside (0 to 16 bits).
    """
    if min(rgb.shape[:2]) < MIN_SIDE_PX:
        return (Pdq(bytes(BITS // 8), 0),) * len(TURNS)
    samples, coefficients = _analyse(rgb)
    quality = quality_of(samples)
    return tuple(Pdq(bits, quality) for bits in bits_of(turned(coefficients)))


def dihedral_of_grey(plane: NDArray[np.uint8]) -> tuple[Pdq, ...] | None:
    """`dihedral` of a luminance plane, uint8 (height, width).

    None where rounding decides bits, which only the pixels can settle as published. Otherwise the
    luminance of a JPEG gives the hash of its pixels but for what clipping to RGB changes: 0 bits
    in the median and 4 at most on the photographs of tests/unit/test_pdq.py.
    """
    if min(plane.shape) < MIN_SIDE_PX:
        return (Pdq(bytes(BITS // 8), 0),) * len(TURNS)
    samples = downsample_plane(plane)
    blocks = turned(dct(samples)).reshape(len(TURNS), BITS)
    medians = _medians(blocks)
    if _undecided(blocks, medians):
        return None
    quality = quality_of(samples)
    return tuple(Pdq(bits, quality) for bits in _packed(blocks, medians))


def _analyse(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(64, 64) samples and (16, 16) coefficients, the quick way if it decides every bit."""
    samples = downsample(rgb)
    coefficients = dct(samples)
    small = rgb.shape[0] * rgb.shape[1] <= pdq_exact.PIXELS
    if not small:
        return samples, coefficients
    blocks = turned(coefficients).reshape(len(TURNS), BITS)
    if _undecided(blocks, _medians(blocks)) and quality_of(samples) > 0:
        return pdq_exact.coefficients(rgb, DCT)
    return samples, coefficients


def _undecided(blocks: NDArray[np.float32], medians: NDArray[np.float32]) -> bool:
    """True if in any turn, (8, 256), several lie so near the median that rounding decides their bits.

    Turns have medians of their own: what is decided in one may not be in another.
    """
    near = np.abs(blocks - medians) < ROUNDING
    return bool((near.sum(axis=1) >= _UNDECIDED_BITS).any())


def downsample(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The 64 x 64 float32 samples (0..255) of the filtered luminance.

    Rows first: each of the 64 output rows is a weighted sum of about height/64 rows of bytes, so
    that the picture is read once. Channels are mixed last, when little is left to mix.
    """
    height, width, _ = rgb.shape
    rows = banded(np.ascontiguousarray(rgb).reshape(height, width * 3))
    luma = rows.reshape(SIDE, width, 3) @ LUMA
    return np.asarray(luma @ tent(width).T, dtype=np.float32)


def downsample_plane(plane: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    """The 64 x 64 float32 samples of the filtered plane, (height, width), in its own units."""
    return np.asarray(banded(plane) @ tent(plane.shape[1]).T, dtype=np.float32)


def banded(lines: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float32]:
    """(64, n): what the 64 output rows take from the lines of (height, n) numbers."""
    height, length = lines.shape
    rows = np.empty((SIDE, length), dtype=np.float32)
    for index, (first, weights) in enumerate(_bands(height)):
        np.matmul(weights, lines[first : first + len(weights)].astype(np.float32), out=rows[index])
    return rows


@lru_cache(maxsize=256)
def tent(length: int) -> NDArray[np.float32]:
    """(64, length) weights: what each of the 64 samples takes from a line of `length` pixels.

    Row i is the box filter applied twice, read at the centre of the i-th of 64 equal parts. The
    window is length/128, rounded up; at the borders both passes average over what there is.
    """
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    ahead = (window + 2) // 2
    at = np.arange(length)
    first = np.maximum(at + ahead - window, 0)
    end = np.minimum(at + ahead, length)
    share = 1.0 / (end - first)
    centres = ((np.arange(SIDE) + 0.5) * length / SIDE).astype(np.int64)
    steps = np.zeros((SIDE, length + 1))
    for row, centre in enumerate(centres):
        inner = slice(first[centre], end[centre])
        np.add.at(steps[row], first[inner], share[inner] * share[centre])
        np.add.at(steps[row], end[inner], -share[inner] * share[centre])
    weights = np.cumsum(steps[:, :-1], axis=1).astype(np.float32)
    weights.setflags(write=False)
    return weights


@lru_cache(maxsize=256)
def _bands(length: int) -> tuple[tuple[int, NDArray[np.float32]], ...]:
    """For each sample the first pixel it takes anything from, and its run of weights."""
    bands = []
    for row in tent(length):
        used = np.flatnonzero(row > 1e-9)
        bands.append((int(used[0]), np.ascontiguousarray(row[used[0] : used[-1] + 1])))
    return tuple(bands)


def quality_of(samples: NDArray[np.float32]) -> int:
    """0..100 from the gradients of the 64 x 64 samples; each is cut to whole percents first."""
    down = np.trunc(np.diff(samples, axis=0) * np.float32(100) / np.float32(255))
    across = np.trunc(np.diff(samples, axis=1) * np.float32(100) / np.float32(255))
    return min(100, int((np.abs(down).sum() + np.abs(across).sum()) // 90))


def _dct_matrix() -> NDArray[np.float32]:
    frequency = np.arange(1, 17)[:, None]
    place = 2 * np.arange(SIDE)[None, :] + 1
    matrix: NDArray[np.float64] = np.cos(np.pi / 2.0 / SIDE * frequency * place)
    return (float(np.float32(math.sqrt(2.0 / SIDE))) * matrix).astype(np.float32)


DCT = _dct_matrix()
"""(16, 64): frequencies 1..16 of a DCT-II over 64 samples."""


def dct(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """(16, 16) coefficients: vertical frequency by row, horizontal by column."""
    return np.asarray(DCT @ samples @ DCT.T, dtype=np.float32)


_ODD_ROW = np.where(np.arange(16) % 2, 1, -1).astype(np.float32)[:, None]
"""What reversing a line does to its frequencies 1..16: the odd ones (index 0, 2, ..) change sign."""
_ODD_BOTH = _ODD_ROW * _ODD_ROW.T


def turned(coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    """(8, 16, 16): the coefficients of the picture in each of TURNS."""
    plain, crossed = coefficients, coefficients.T
    return np.stack(
        [
            plain,
            crossed * _ODD_ROW,
            plain * _ODD_BOTH,
            crossed * _ODD_ROW.T,
            plain * _ODD_ROW,
            plain * _ODD_ROW.T,
            crossed,
            crossed * _ODD_BOTH,
        ]
    )


def bits_of(coefficients: NDArray[np.float32]) -> list[bytes]:
    """32 bytes for each (16, 16) block: bit 255 first, set where a value exceeds the lower median."""
    blocks = coefficients.reshape(-1, BITS)
    return _packed(blocks, _medians(blocks))


def _packed(blocks: NDArray[np.float32], medians: NDArray[np.float32]) -> list[bytes]:
    """32 bytes for each row of (n, 256), by its median of (n, 1)."""
    packed = np.packbits((blocks > medians)[:, ::-1], axis=1)
    return [row.tobytes() for row in packed]


def _medians(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 1): the lower median of each row of (n, 256)."""
    lower = BITS // 2 - 1
    return np.partition(blocks, lower, axis=1)[:, lower, None]
