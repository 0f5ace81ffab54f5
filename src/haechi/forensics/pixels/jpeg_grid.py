"""Where the grid of an earlier JPEG compression lies differently.

After ZERO (Nikoukhah et al., IPOL 2021): every pixel votes for the one of 64 grids in which the
block around it has most DCT coefficients that are zero. A region that votes for another grid than
the picture is believed only if chance would not give so many votes anywhere in 64 grids times all
places; the value is minus the decimal logarithm of how often it would.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.forensics.pixels.subject import Found, Grey, Off, Subject

LEAST_QUALITY = 85.0
"""Of the last compression: below it only its own grid is left."""

_BLOCK = 8
_GRIDS = 64
_CELL = 4
"""Pixels on a side of what crowds are made of."""

_REACH = 5
_LEAST_VOTES = 8 * _GRIDS
_LEAST_ZEROS = 20
_MOST_ZEROS = 62
_NOBODY = -1
_STRIP = 64
"""Rows at a time: so much stays near the processor."""

_CROWD = 1 / 8


def look(subject: Subject) -> Found | Off:
    """About 0.5 s a megapixel."""
    if subject.quality is not None and subject.quality < LEAST_QUALITY:
        return Off("off.strong_jpeg")
    votes = _votes(subject.grey)
    if (votes >= 0).mean() < 0.2:
        return Off("off.flat")
    counts = np.bincount(votes[votes >= 0], minlength=_GRIDS)
    main = int(counts.argmax())
    everywhere = votes.size // _GRIDS
    sure = _surprise(everywhere, int(counts[main]) // _GRIDS, votes.shape) > 0
    best, where = 0.0, np.zeros((1, 1), np.bool_)
    for grid in range(_GRIDS):
        if (grid == main and sure) or counts[grid] < _LEAST_VOTES:
            continue
        value, part = _strongest(votes == grid, votes.shape)
        if value > best:
            best, where = value, part
    return Found(best, where.astype(np.float32), where, speaks=best > 0)


def _votes(grey: Grey) -> NDArray[np.int8]:
    """int8 (height, width): the grid each pixel votes for, or -1."""
    zeros = np.concatenate(
        [
            _zeros(grey[top : top + _STRIP + _BLOCK - 1])[:_STRIP]
            for top in range(0, len(grey), _STRIP)
        ]
    )
    zeros[(zeros < _LEAST_ZEROS) | (zeros > _MOST_ZEROS)] = 0
    # A pixel lies in 64 blocks, one of each grid: those that begin up to 7 rows and columns before.
    # The largest key among them names the grid; a tie is there where the reversed keys name another.
    down, across = (np.arange(side, dtype=np.uint16) % _BLOCK for side in grey.shape)
    grid = np.asarray((down[:, None] << 3) | across[None], np.uint16)
    keys = zeros.astype(np.uint16) << 6
    most, reversed_ = _largest(keys + grid), _largest(keys + (63 - grid))
    votes = (most & 63).astype(np.int8)
    votes[((most & 63) + (reversed_ & 63) != 63) | (most < 64)] = _NOBODY
    return votes


def _largest(keys: NDArray[np.integer]) -> NDArray[np.uint16]:
    """Of the 64 that end at each pixel."""
    square = np.ones((_BLOCK, _BLOCK), np.uint8)
    return np.asarray(cv2.dilate(keys, square, anchor=(_BLOCK - 1, _BLOCK - 1)), np.uint16)


def _zeros(grey: Grey) -> NDArray[np.uint8]:
    """How many of the 63 other coefficients of the block that begins at each pixel are under a half."""
    waves = cosines()
    count = np.zeros(grey.shape, np.uint8)
    for vertical in range(_BLOCK):
        column = cv2.filter2D(grey, -1, waves[vertical][:, None], anchor=(0, 0))
        for horizontal in range(_BLOCK):
            if vertical or horizontal:
                both = cv2.filter2D(column, -1, waves[horizontal][None], anchor=(0, 0))
                # 255 where it is, which is minus one.
                count -= np.asarray(cv2.inRange(both, -0.5, 0.5), np.uint8)
    count[-_BLOCK + 1 :] = 0
    count[:, -_BLOCK + 1 :] = 0
    return count


def cosines() -> Grey:
    """The DCT of eight values: a wave a row."""
    at = np.arange(_BLOCK)
    matrix = np.cos(np.pi * (2 * at[None] + 1) * at[:, None] / 16) * 0.5
    matrix[0] *= math.sqrt(0.5)
    return matrix.astype(np.float32)


def _strongest(mask: NDArray[np.bool_], shape: tuple[int, int]) -> tuple[float, NDArray[np.bool_]]:
    """The connected crowd of votes that chance explains least, and the cells that it covers."""
    cells = cv2.resize(
        mask.astype(np.float32),
        (shape[1] // _CELL, shape[0] // _CELL),
        interpolation=cv2.INTER_AREA,
    )
    # A place counts as part of a crowd where an eighth of its neighbours vote the same.
    dense = cv2.boxFilter(cells, -1, (_REACH, _REACH)) > _CROWD
    if float(cells[dense].sum()) * _CELL**2 < _LEAST_VOTES:
        return 0.0, dense
    near = np.ones((3, 3), np.uint8)
    crowded = (cv2.morphologyEx((cells > 0).astype(np.uint8), cv2.MORPH_CLOSE, near) > 0) & dense
    count, labels, stats, _ = cv2.connectedComponentsWithStats(crowded.astype(np.uint8))
    votes = np.bincount(np.asarray(labels, np.int64).ravel(), cells.ravel(), count) * _CELL**2
    best, number = 0.0, 0
    for one in range(1, count):
        if votes[one] < _LEAST_VOTES:
            continue
        side = _CELL * max(stats[one, cv2.CC_STAT_WIDTH], stats[one, cv2.CC_STAT_HEIGHT])
        value = _surprise(int(side) ** 2 // _GRIDS, int(votes[one]) // _GRIDS, shape)
        if value > best:
            best, number = value, one
    return best, np.asarray(labels == number) if number else np.zeros_like(dense)


def _surprise(places: int, votes: int, shape: tuple[int, int]) -> float:
    """Minus log10 of how many such crowds chance gives, at most; by Hoeffding's bound."""
    if places < 1 or votes <= places / _GRIDS:
        return 0.0
    part = min(1.0, votes / places)
    chance = 1 / _GRIDS
    apart = part * math.log(part / chance)
    if part < 1:
        apart += (1 - part) * math.log((1 - part) / (1 - chance))
    tests = _GRIDS * float(shape[0] * shape[1]) ** 1.5
    return max(0.0, (places * apart - math.log(tests)) / math.log(10))
