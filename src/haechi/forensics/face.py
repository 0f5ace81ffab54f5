"""Noise and sharpness of each face, compared with what is around it. Shown, and counted for nothing.

There is no set of photographs of people here to calibrate it on, and telephones smooth faces by
themselves; it is there for a person who looks at the picture.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.errors import FacesMissing
from haechi.forensics.report import Region, Signal, State, Toward
from haechi.media import faces
from haechi.media.faces import Face

KIND = "pixels"
MOST = 8
_LEAST_PX = 48
_UNLIKE = math.log(2.5)


def found(rgb: NDArray[np.uint8]) -> tuple[Face, ...]:
    """The faces in a picture; none where no face detector is installed."""
    try:
        return faces.find(rgb)
    except FacesMissing:
        return ()


def regions(shown: Sequence[Face]) -> tuple[Region, ...]:
    """Where they are, the largest first."""
    return tuple(Region(one.x, one.y, one.width, one.height) for one in largest(shown))


def largest(shown: Sequence[Face]) -> list[Face]:
    """MOST of them at most."""
    return sorted(shown, key=lambda one: -one.width * one.height)[:MOST]


def signals(rgb: NDArray[np.uint8], shown: Sequence[Face]) -> list[Signal]:
    """One signal a face, the largest MOST of them."""
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.float32)
    return [_signal(grey, one, number) for number, one in enumerate(largest(shown), start=1)]


def _signal(grey: NDArray[np.float32], face: Face, number: int) -> Signal:
    name = f"{KIND}.face.{number}"
    where = (Region(face.x, face.y, face.width, face.height),)
    value = _unlike(grey, face)
    if value is None:
        return Signal(
            name, KIND, State.OFF, "pixels.face.off", regions=where, limits=("off.too_small",)
        )
    speaks = abs(value) > _UNLIKE
    return Signal(
        id=name,
        kind=KIND,
        state=State.SPEAKS if speaks else State.SILENT,
        meaning="pixels.face.speaks" if speaks else "pixels.face.silent",
        toward=Toward.ALTERED,
        value=round(value, 4),
        regions=where,
        limits=("limit.denoised", "limit.depth_of_field", "limit.not_calibrated"),
    )


def _unlike(grey: NDArray[np.float32], face: Face) -> float | None:
    """Logarithm of the face's finest detail over that of a ring around it, both against their edges."""
    height, width = grey.shape
    top, left = round(face.y * height), round(face.x * width)
    high, wide = round(face.height * height), round(face.width * width)
    if min(high, wide) < _LEAST_PX:
        return None
    grown = (
        slice(max(0, top - high // 2), top + high + high // 2),
        slice(max(0, left - wide // 2), left + wide + wide // 2),
    )
    cut = grey[grown]
    fine = cut - cv2.GaussianBlur(cut, (0, 0), 1.0)
    band = cv2.GaussianBlur(cut, (0, 0), 1.0) - cv2.GaussianBlur(cut, (0, 0), 3.0)
    inside = np.zeros(cut.shape, np.bool_)
    down, across = top - grown[0].start, left - grown[1].start
    inside[down : down + high, across : across + wide] = True
    if not inside.any() or inside.all():
        return None

    def detail(where: NDArray[np.bool_]) -> float:
        return float((np.mean(fine[where] ** 2) + 0.1) / (np.mean(band[where] ** 2) + 0.1))

    return math.log(detail(inside) / detail(~inside))
