"""Blending seams: a ring around a face in which fine detail is lost, as where two pictures run into each other.

Where a face is put on softly, both pictures are mixed in a narrow ring, and details that do not lie exactly
on each other average out: there is less fine detail in the ring than inside and outside of it. It is
measured in rings of the ellipse that a face fills. Shown, and counted for nothing: see docs/forensics.md
for how little it tells, and what hair and chins do.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.forensics.face import KIND, largest
from haechi.forensics.report import Region, Signal, State, Toward
from haechi.media.faces import Face

LEAST_PX = 96
"""Shorter side of a face: a seam is some pixels wide, and rings need enough of them."""

LEAST_QUALITY = 75.0
"""Of the last JPEG compression: under it the finest detail is gone everywhere."""

USUAL = 0.33
"""What 99 in 100 places of untouched photographs do not exceed (`python -m benchmarks.seams`)."""

_RINGS = np.arange(0.6, 1.5, 0.05)
_LEAST_NOISE = 0.25
_LEAST_PIXELS = 150
_LIMITS = ("limit.seam_hair", "limit.recompressed", "limit.not_calibrated")


def signals(rgb: NDArray[np.uint8], quality: float | None, shown: Sequence[Face]) -> list[Signal]:
    """One signal a face. `quality` is that of the last JPEG compression, None if there was none."""
    return [
        _signal(rgb, one, number, quality) for number, one in enumerate(largest(shown), start=1)
    ]


def _signal(rgb: NDArray[np.uint8], face: Face, number: int, quality: float | None) -> Signal:
    name = f"{KIND}.seam.{number}"
    where = Region(face.x, face.y, face.width, face.height)
    found = _gated(rgb, where, quality)
    if isinstance(found, str):
        return Signal(name, KIND, State.OFF, "pixels.seam.off", regions=(where,), limits=(found,))
    speaks = found > USUAL
    return Signal(
        id=name,
        kind=KIND,
        state=State.SPEAKS if speaks else State.SILENT,
        meaning="pixels.seam.speaks" if speaks else "pixels.seam.silent",
        toward=Toward.ALTERED,
        value=round(found, 4),
        regions=(where,),
        limits=_LIMITS,
    )


def _gated(rgb: NDArray[np.uint8], where: Region, quality: float | None) -> float | str:
    height, width = rgb.shape[:2]
    if min(where.height * height, where.width * width) < LEAST_PX:
        return "off.small_face"
    if quality is not None and quality < LEAST_QUALITY:
        return "off.strong_jpeg"
    value = depth(rgb, where)
    return "off.strong_jpeg" if value is None else value


def depth(rgb: NDArray[np.uint8], where: Region) -> float | None:
    """Logarithm of how much less fine detail the deepest ring has than those inside and outside of it.

    None where the picture has too little fine detail to lose, or too little of it lies around `where`.
    """
    cut, middle, axes = _around(rgb, where)
    grey = np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0))
    rows, columns = np.indices(grey.shape, np.float32)
    at = np.hypot((columns - middle[0]) / axes[0], (rows - middle[1]) / axes[1])
    usable = (grey > 12) & (grey < 243)
    numbers = np.digitize(at, _RINGS)
    amounts = [fine[(numbers == one) & usable] for one in range(1, len(_RINGS))]
    if any(len(one) < _LEAST_PIXELS for one in amounts):
        return None
    level = np.array([float(np.mean(np.minimum(one, 12))) for one in amounts])
    if float(np.median(level)) < _LEAST_NOISE:
        return None
    known = np.log(level + 0.1)
    dips = [
        min(known[one - 3 : one - 1].mean(), known[one + 2 : one + 4].mean()) - known[one]
        for one in range(3, len(known) - 3)
    ]
    return float(max(0.0, *dips))


def _around(
    rgb: NDArray[np.uint8], where: Region
) -> tuple[NDArray[np.uint8], tuple[float, float], tuple[float, float]]:
    """What lies within the outermost ring, and the ellipse in it: its middle and its half axes."""
    height, width = rgb.shape[:2]
    axes = where.width * width / 2, where.height * height / 2
    x, y = (where.x + where.width / 2) * width, (where.y + where.height / 2) * height
    reach = math.ceil(_RINGS[-1] * axes[0]), math.ceil(_RINGS[-1] * axes[1])
    left, top = max(0, round(x) - reach[0]), max(0, round(y) - reach[1])
    cut = rgb[top : round(y) + reach[1], left : round(x) + reach[0]]
    return np.ascontiguousarray(cut), (x - left, y - top), axes
