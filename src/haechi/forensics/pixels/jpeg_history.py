"""What saving the picture once more, at other qualities, tells of earlier JPEG compressions.

A part that was compressed at some quality before changes least when it is compressed at that
quality again (Farid, "Exposing digital forgeries from JPEG ghosts", 2009). Looked at is the dip in
the curve of change over quality: where most of the picture shows the dip of an earlier compression
and one part does not, that part came later.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.forensics.pixels.scan import differing_part, tiles
from haechi.forensics.pixels.subject import Found, Grey, Mask, Off, Subject

LEAST_QUALITY = 60.0
"""Below it the last compression leaves nothing of an earlier one."""

_QUALITIES = tuple(range(44, 99, 3))
_TILE = 16
_NEAR_LAST = 7.0
_DIP = 0.12
_LEAST_VARIANCE = 30.0
_LEAST_TILES = 64


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
    dips, valid = _dips(subject.grey)
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


def _dips(grey: Grey) -> tuple[NDArray[np.float32], Mask]:
    """How far each tile's change lies under its neighbours', (qualities - 2, rows, columns).

    Then which tiles can tell: flat ones change at no quality.
    """
    source = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    curves = []
    for quality in _QUALITIES:
        _, file = cv2.imencode(".jpg", source, [cv2.IMWRITE_JPEG_QUALITY, quality])
        again = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.float32)
        curves.append(np.log(_smooth(tiles((again - source) ** 2, _TILE)) + 0.05))
    curve = np.stack(curves)
    dips = (curve[:-2] + curve[2:]) / 2 - curve[1:-1]
    variance = _smooth(tiles(grey**2, _TILE) - tiles(grey, _TILE) ** 2)
    valid = (variance > _LEAST_VARIANCE) & (curve[len(curve) // 2] > -1)
    return dips.astype(np.float32), valid


def _smooth(values: Grey) -> Grey:
    return np.asarray(cv2.boxFilter(values, -1, (3, 3)), np.float32)
