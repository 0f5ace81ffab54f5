"""How much of a face is covered, by comparing it with how it looked when it was not."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.media.faces import Face

_SIDE, _CELL = 48, 8
_TELLING_LEVELS = 7.0
"""Cells with less contrast look alike with and without a hand before them, and are not asked."""

_LEAST_CELLS = 4
_SAME = 0.35
_FLATTER = 0.4
_SHIFT = 2

# Where eyes and mouth of an upright face are put in the small picture.
_PLACES = np.array([[15, 17], [33, 17], [24, 27], [17, 36], [31, 36]], dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Uncovered:
    """A face as it looks without anything before it.

    Attributes:
        small: float32 (48, 48), eyes and mouth at fixed places.
        place: (2, 3): from the frame to `small`.
    """

    small: NDArray[np.float32]
    place: NDArray[np.float32]


def uncovered(grey: NDArray[np.uint8], face: Face) -> Uncovered | None:
    """Keep how this face looks; None without landmarks."""
    place = _place(grey, face)
    return None if place is None else Uncovered(_cut(grey, place), place)


def covered(
    grey: NDArray[np.uint8], face: Face | None, reference: Uncovered
) -> tuple[float, NDArray[np.float32]]:
    """Part of the telling cells, 0..1, that no longer show the face; and where it was looked for.

    Without a face it is looked for where it was last; a head that leaves is also "covered".
    """
    place = None if face is None else _place(grey, face)
    place = reference.place if place is None else place
    now = _cut(grey, place)
    lost = [_alike(cell, now) < _SAME for cell in _telling(reference.small)]
    return (sum(lost) / len(lost) if len(lost) >= _LEAST_CELLS else 0.0), place


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    top: int
    left: int
    pixels: NDArray[np.float32]


def _telling(small: NDArray[np.float32]) -> list[_Cell]:
    corners = [(top, left) for top in range(4, 44, _CELL) for left in range(4, 44, _CELL)]
    cells = [
        _Cell(t, f, np.ascontiguousarray(small[t : t + _CELL, f : f + _CELL])) for t, f in corners
    ]
    return [cell for cell in cells if float(cell.pixels.std()) >= _TELLING_LEVELS]


def _alike(cell: _Cell, now: NDArray[np.float32]) -> float:
    """The best correlation within _SHIFT pixels of the cell's place, -1..1."""
    rows = slice(max(0, cell.top - _SHIFT), cell.top + _CELL + _SHIFT)
    columns = slice(max(0, cell.left - _SHIFT), cell.left + _CELL + _SHIFT)
    around = now[rows, columns]
    if float(around.std()) < _FLATTER * float(cell.pixels.std()):
        return 0.0  # what little is there is noise, and somewhere it fits anything
    return float(cv2.matchTemplate(around, cell.pixels, cv2.TM_CCOEFF_NORMED).max())


def _place(grey: NDArray[np.uint8], face: Face) -> NDArray[np.float32] | None:
    if face.landmarks is None or len(face.landmarks) < 5:
        return None
    size = np.array([grey.shape[1], grey.shape[0]], dtype=np.float32)
    points = np.array(face.landmarks[:5], dtype=np.float32) * size
    found, _ = cv2.estimateAffinePartial2D(points, _PLACES, method=cv2.LMEDS)
    return np.asarray(found, dtype=np.float32) if np.shape(found) == (2, 3) else None


def _cut(grey: NDArray[np.uint8], place: NDArray[np.float32]) -> NDArray[np.float32]:
    size = (_SIDE, _SIDE)
    cut = cv2.warpAffine(grey, place, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(cut, (0, 0), 0.8), dtype=np.float32)
