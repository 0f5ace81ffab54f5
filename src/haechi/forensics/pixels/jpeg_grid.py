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
_REACH = 9
_LEAST_VOTES = 8 * _GRIDS
_LEAST_ZEROS = 20
_MOST_ZEROS = 62
_NOBODY = -1


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
    best, where = 0.0, np.zeros(votes.shape, np.bool_)
    for grid in range(_GRIDS):
        if (grid == main and sure) or counts[grid] < _LEAST_VOTES:
            continue
        value, part = _strongest(votes == grid, votes.shape)
        if value > best:
            best, where = value, part
    shown = cv2.resize(
        where.astype(np.float32), None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA
    )
    heat = np.asarray(shown, np.float32)
    return Found(best, heat, heat > 0.3, speaks=best > 0)


def _votes(grey: Grey) -> NDArray[np.int8]:
    """int8 (height, width): the grid each pixel votes for, or -1."""
    zeros = _zeros(grey)
    zeros[(zeros < _LEAST_ZEROS) | (zeros > _MOST_ZEROS)] = 0
    # A pixel lies in 64 blocks, one of each grid: those that begin up to 7 rows and columns before.
    around = cv2.copyMakeBorder(zeros, _BLOCK - 1, 0, _BLOCK - 1, 0, cv2.BORDER_CONSTANT, value=0)
    most = cv2.dilate(zeros, np.ones((_BLOCK, _BLOCK), np.uint8), anchor=(_BLOCK - 1, _BLOCK - 1))
    height, width = grey.shape
    down, across = ((np.arange(side) % _BLOCK).astype(np.int8) for side in (height, width))
    rows, columns = np.zeros(grey.shape, np.int8), np.zeros(grey.shape, np.int8)
    voters = np.zeros(grey.shape, np.uint8)
    for back in range(_BLOCK * _BLOCK):
        up, left = divmod(back, _BLOCK)
        top, start = _BLOCK - 1 - up, _BLOCK - 1 - left
        here = around[top : top + height, start : start + width] == most
        voters += here
        np.copyto(rows, (((down - up) & 7) << 3)[:, None], where=here)
        np.copyto(columns, ((across - left) & 7)[None], where=here)
    votes = rows + columns
    votes[(voters != 1) | (most == 0)] = _NOBODY
    return votes


def _zeros(grey: Grey) -> NDArray[np.uint8]:
    """How many of the 63 other coefficients of the block that begins at each pixel are under a half."""
    cosines = _cosines()
    count = np.zeros(grey.shape, np.uint8)
    for vertical in range(_BLOCK):
        column = cv2.filter2D(grey, -1, cosines[vertical][:, None], anchor=(0, 0))
        for horizontal in range(_BLOCK):
            if vertical or horizontal:
                both = cv2.filter2D(column, -1, cosines[horizontal][None], anchor=(0, 0))
                count += np.asarray(cv2.inRange(both, -0.5, 0.5), np.uint8) & 1
    count[-_BLOCK + 1 :] = 0
    count[:, -_BLOCK + 1 :] = 0
    return count


def _cosines() -> Grey:
    at = np.arange(_BLOCK)
    matrix = np.cos(np.pi * (2 * at[None] + 1) * at[:, None] / 16) * 0.5
    matrix[0] *= math.sqrt(0.5)
    return matrix.astype(np.float32)


def _strongest(mask: NDArray[np.bool_], shape: tuple[int, int]) -> tuple[float, NDArray[np.bool_]]:
    """The connected crowd of votes that chance explains least, and what it covers."""
    near = np.ones((_REACH, _REACH), np.uint8)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, near)
    # A place counts as part of a crowd where an eighth of its neighbours vote the same.
    share = cv2.boxFilter(mask.astype(np.float32), -1, (17, 17))
    crowded = (closed > 0) & (share > 0.125)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(crowded.astype(np.uint8))
    if count < 2:
        return 0.0, mask
    votes = np.bincount(np.asarray(labels, np.int64)[mask], minlength=count)
    best, number = 0.0, 0
    for one in range(1, count):
        if votes[one] < _LEAST_VOTES:
            continue
        side = max(stats[one, cv2.CC_STAT_WIDTH], stats[one, cv2.CC_STAT_HEIGHT])
        value = _surprise(int(side) ** 2 // _GRIDS, int(votes[one]) // _GRIDS, shape)
        if value > best:
            best, number = value, one
    return best, np.asarray(labels == number) if number else np.zeros(shape, np.bool_)


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
