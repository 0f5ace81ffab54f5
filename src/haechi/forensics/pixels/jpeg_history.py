"""What saving the picture once more, at other qualities, tells of earlier JPEG compressions.

A part that was compressed at some quality before changes least when it is compressed at that
quality again (Farid, "Exposing digital forgeries from JPEG ghosts", 2009). Looked at is the dip in
the curve of change over quality: where most of the picture shows the dip of an earlier compression
and one part does not, that part came later.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from haechi.forensics.pixels.jpeg_grid import cosines
from haechi.forensics.pixels.scan import differing_part, tiles
from haechi.forensics.pixels.subject import LUMINANCE, Found, Grey, Mask, Off, Subject

LEAST_QUALITY = 60.0
"""Below it the last compression leaves nothing of an earlier one."""

_QUALITIES = tuple(range(44, 99, 3))
_TILE = 16
_NEAR_LAST = 7.0
_DIP = 0.12
_LEAST_VARIANCE = 30.0
_LEAST_TILES = 64
_MIDDLE = len(_QUALITIES) // 2
_AT_ONCE = 2048
_ROUNDED = 1 / 12
"""What rounding pixels to whole numbers adds."""


def look(subject: Subject) -> tuple[Found | Off, Found | Off]:
    """(all of it was saved twice, a part of it has another history). About 0.3 s a megapixel.

    The first value is the depth of the deepest dip; the second, 0..1, how much more of it the rest
    shows than one square part, 0 where there is no dip.
    """
    if subject.quality is None:
        return Off("off.no_jpeg"), Off("off.no_jpeg")
    wanted = [
        number
        for number, quality in enumerate(_QUALITIES[1:-1])
        if quality < subject.quality - _NEAR_LAST
    ]
    if subject.quality < LEAST_QUALITY or not wanted:
        return Off("off.strong_jpeg"), Off("off.strong_jpeg")
    dips, valid = _dips(subject.grey, wanted)
    if valid.sum() < _LEAST_TILES:
        return Off("off.flat"), Off("off.flat")
    depths = {number: float(np.median(dips[number][valid])) for number in wanted}
    deepest = max(depths, key=lambda number: depths[number])
    twice = Found(depths[deepest], speaks=depths[deepest] > _DIP)
    if not twice.speaks:
        # Without an earlier compression of the whole there is nothing that a part could lack.
        return twice, Found(0.0, speaks=False)
    share = np.clip(dips[deepest] / depths[deepest], 0, 1).astype(np.float32)
    value, where = differing_part(share, valid)
    return twice, Found(value, share, where)


def _dips(grey: Grey, wanted: Sequence[int]) -> tuple[dict[int, Grey], Mask]:
    """How far each tile's change lies under its neighbours', by number of quality; which tiles can tell.

    Flat ones cannot: they change at no quality.
    """
    blocks, rows, columns = _transformed(grey)
    asked = {number + step for number in wanted for step in (0, 1, 2)} | {_MIDDLE}
    curve = {
        number: np.log(_smooth(_changed(blocks, _QUALITIES[number], rows, columns)) + 0.05)
        for number in sorted(asked)
    }
    dips = {
        number: np.asarray((curve[number] + curve[number + 2]) / 2 - curve[number + 1], np.float32)
        for number in wanted
    }
    variance = _smooth(tiles(grey**2, _TILE) - tiles(grey, _TILE) ** 2)
    valid = (variance > _LEAST_VARIANCE) & (curve[_MIDDLE] > -1)
    return dips, np.asarray(valid, np.bool_)


def _transformed(grey: Grey) -> tuple[Grey, int, int]:
    """The DCT coefficients of all blocks, (blocks, 64); then how many rows and columns of tiles."""
    rows, columns = (side // _TILE for side in grey.shape)
    cut = np.rint(grey[: rows * _TILE, : columns * _TILE]) - 128
    blocks = cut.reshape(rows * 2, 8, columns * 2, 8).transpose(0, 2, 1, 3).reshape(-1, 64)
    turned = np.asarray(np.kron(cosines(), cosines()), np.float32)
    return np.asarray(blocks @ turned.T, np.float32), rows, columns


def _changed(blocks: Grey, quality: int, rows: int, columns: int) -> Grey:
    """Mean square change of each tile where it is saved at `quality`, without writing the file."""
    steps = _table(quality)
    change = np.empty(len(blocks), np.float32)
    for start in range(0, len(blocks), _AT_ONCE):
        part = blocks[start : start + _AT_ONCE]
        lost = part / steps
        lost -= np.rint(lost)
        lost *= steps
        change[start : start + _AT_ONCE] = np.einsum("ij,ij->i", lost, lost)
    each = change.reshape(rows, 2, columns, 2).mean(axis=(1, 3)) / 64
    return np.asarray(each + _ROUNDED, np.float32)


def _table(quality: int) -> Grey:
    """Quantisation steps of luminance on the IJG's scale."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.asarray(
        np.clip((np.array(LUMINANCE) * scale + 50) // 100, 1, 255).astype(np.float32), np.float32
    )


def _smooth(values: Grey) -> Grey:
    return np.asarray(cv2.boxFilter(values, -1, (3, 3)), np.float32)
