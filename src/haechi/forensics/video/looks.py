"""What is measured of one face in one frame: few numbers, so that hours of them fit in memory."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.media.faces import Face

Grey = NDArray[np.uint8]
Pair = tuple[float, float]

THUMB = 16
_CORE = 0.3
"""The middle of a box, this part of it to each side, shows skin and little else."""

_INNER, _OUTER = 0.62, 0.95
"""The surroundings: from this part of the box's size to this, measured from its middle."""

_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One face in one frame. Colours are 0..255; places are fractions of the frame.

    Attributes:
        seconds: When.
        face: Where.
        core: Mean red, green and blue of the middle of the face.
        ring: The same of what surrounds it.
        moved_core: Mean change of the face's grey since the frame before, at the same place; None
            where there was none.
        moved_ring: The same of the surroundings.
        left: Mean grey of the half of the face at the left of the picture.
        right: The same at the right.
        thumb: uint8 (16, 16): the face, small and grey, its contrast evened.
        tall: Height of the frame in widths.
    """

    seconds: float
    face: Face
    core: tuple[float, float, float]
    ring: tuple[float, float, float]
    moved_core: float | None
    moved_ring: float | None
    left: float
    right: float
    thumb: Grey
    tall: float


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def of[T: (NDArray[np.uint8], NDArray[np.int16])](self, picture: T) -> T:
        return picture[self.top : self.bottom, self.left : self.right]


def look(rgb: NDArray[np.uint8], grey: Grey, before: Grey | None, face: Face, at_s: float) -> Look:
    """Measure a face in uint8 (h, w, 3), with the grey of this frame and of the one before."""
    core, outer = _around(face, grey, _CORE), _around(face, grey, _OUTER)
    inner = _around(face, grey, _INNER)
    moved = (None, None) if before is None else _moved(grey, before, (core, inner, outer))
    colours = core.of(rgb).reshape(-1, 3).mean(axis=0)
    left, right = _halves(grey, face)
    return Look(
        seconds=at_s,
        face=face,
        core=_three(colours),
        ring=_three(_ring_mean(rgb, inner, outer)),
        moved_core=moved[0],
        moved_ring=moved[1],
        left=left,
        right=right,
        thumb=thumb(grey, face),
        tall=grey.shape[0] / grey.shape[1],
    )


def grey_of(rgb: NDArray[np.uint8]) -> Grey:
    """uint8 (h, w) of a frame."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def brightness(colour: tuple[float, float, float]) -> float:
    """Luminance of a mean colour."""
    return sum(part * weight for part, weight in zip(colour, _LUMA, strict=True))


def thumb(grey: Grey, face: Face) -> Grey:
    """uint8 (16, 16) of the face's box."""
    cut = _around(face, grey, 0.5).of(grey)
    small = cv2.resize(cut, (THUMB, THUMB), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.equalizeHist(small), dtype=np.uint8)


def alike(one: Grey, other: Grey) -> float:
    """Correlation of two thumbs, -1..1; 0 where one of them is plain."""
    first, second = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    first, second = first - first.mean(), second - second.mean()
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size > 1e-6 else 0.0


def _around(face: Face, grey: Grey, part: float) -> _Box:
    """The box scaled about its middle by 2 * part, within the frame, of at least a few pixels."""
    height, width = grey.shape
    x, y = (face.x + face.width / 2) * width, (face.y + face.height / 2) * height
    across, down = part * face.width * width, part * face.height * height
    left, top = max(0, min(width - 4, int(x - across))), max(0, min(height - 4, int(y - down)))
    right = min(width, max(left + 4, int(x + across)))
    return _Box(left, top, right, min(height, max(top + 4, int(y + down))))


def _moved(grey: Grey, before: Grey, boxes: tuple[_Box, _Box, _Box]) -> Pair:
    core, inner, outer = boxes
    around = _change(grey, before, outer)[_hole(inner, outer)]
    return float(_change(grey, before, core).mean()), float(around.mean())


def _change(grey: Grey, before: Grey, box: _Box) -> NDArray[np.int16]:
    return np.abs(box.of(grey).astype(np.int16) - box.of(before).astype(np.int16))


def _ring_mean(rgb: NDArray[np.uint8], inner: _Box, outer: _Box) -> NDArray[np.float64]:
    around = outer.of(rgb)
    mask = _hole(inner, outer)
    return np.asarray(around[mask].mean(axis=0), dtype=np.float64)


def _hole(inner: _Box, outer: _Box) -> NDArray[np.bool_]:
    """True in `outer` where `inner` is not; never empty."""
    mask = np.ones((outer.bottom - outer.top, outer.right - outer.left), dtype=np.bool_)
    mask[
        max(0, inner.top - outer.top) : inner.bottom - outer.top,
        max(0, inner.left - outer.left) : inner.right - outer.left,
    ] = False
    if not mask.any():
        mask[0] = True
    return mask


def _halves(grey: Grey, face: Face) -> Pair:
    """Mean grey at the left and right of the line between the eyes' middle and the mouth's."""
    box = _around(face, grey, 0.42)
    cut = box.of(grey)
    middle = _middle(face) * grey.shape[1] - box.left
    edge = int(np.clip(middle, cut.shape[1] * 0.25, cut.shape[1] * 0.75))
    return float(cut[:, :edge].mean()), float(cut[:, edge:].mean())


def _middle(face: Face) -> float:
    if face.landmarks is None or len(face.landmarks) < 2:
        return face.x + face.width / 2
    return (face.landmarks[0][0] + face.landmarks[1][0]) / 2


def _three(colour: NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(part) for part in colour)
    return red, green, blue
