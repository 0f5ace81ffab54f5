"""Where in a picture another picture may sit: a cheap look, before an expensive one.

`insets` finds the pictures inside a frame, a story, a chat screenshot or a collage from a
thumbnail of 256 pixels. Most uploads have none, and so cost one embedding.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint.rectangles import edges, grid, rectangles

LOOK_PX = 256
"""Longest side of the thumbnail that is looked at."""

MAX_INSETS = 9
"""Each costs an embedding, so this bounds what an upload can cost; nine tiles are a collage."""

MIDDLE = 0.8
"""Part of each side that is looked at once more if the corners are plain."""

CROP = 0.55
"""Part of each side that a member's crops keep."""

_MIN_SIDE = 0.12
_AREA = (0.03, 0.92)
_MIN_FILL = 0.85
_SAME_COLOUR = 14
_PLAIN_PART = 0.93
_MIN_BACKGROUND = 0.08
_MIN_ENTROPY_BITS = 2.2
_MIN_CUT_PX = 24
_EDGE_PX = 3
_FULL_STEP = 48
_CONTRAST = 1.7
_FLOOR = 3.0
_EIGHTHS = 7
_OVERLAP = 0.7
_HALF = 0.5
_LEAN_PX = 4
_MOST_OF_IT = 0.4
_CORNER = 0.035
_CORNERS = 3
_CUT_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels: rows top..bottom and columns left..right, ends excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """In pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    def cut(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels inside, as a view."""
        return rgb[self.top : self.bottom, self.left : self.right]

    def holds(self, other: "Box") -> bool:
        """True if nine tenths of `other` lie in this box."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0, wide) * max(0, high) >= 0.9 * other.area

    def leans(self, other: "Box") -> bool:
        """True if this box lies in `other` and against one of its sides: it is a part of it."""
        gaps = (
            self.left - other.left,
            self.top - other.top,
            other.right - self.right,
            other.bottom - self.bottom,
        )
        return min(gaps) <= _LEAN_PX and other.holds(self)

    def overlap(self, other: "Box") -> float:
        """Common area by joint area, 0..1."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        common = max(0, wide) * max(0, high)
        return common / (self.area + other.area - common)


def crops(rgb: NDArray[np.uint8]) -> tuple[Box, ...]:
    """Nine overlapping crops of CROP of each side, three by three: any quarter lies in one."""
    height, width = rgb.shape[:2]
    wide, high = max(1, round(width * CROP)), max(1, round(height * CROP))
    lefts = (0, (width - wide) // 2, width - wide)
    tops = (0, (height - high) // 2, height - high)
    return tuple(Box(left, top, left + wide, top + high) for top in tops for left in lefts)


def insets(rgb: NDArray[np.uint8]) -> tuple[Box, ...]:
    """At most MAX_INSETS rectangles that look like pictures of their own, the likeliest first.

    Four looks, in this order: tiles of a regular collage; patches that stand out from the most
    common colour (frames, screenshots); cells between straight edges that run all the way across
    (stories, uneven collages); and rectangles whose own four sides are straight edges (pictures
    upon pictures or gradients). A rectangle counts if it is neither tiny nor everything, and has
    the many colours of a picture: a bubble of text has two. Within a look, likeliest is the
    largest, weighted by its colours. Last, where three corners have one plain colour and no
    rectangle takes two fifths of the picture, comes its middle: it may be turned or seen from the side.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, LOOK_PX / max(height, width))
    small = _thumbnail(rgb, scale)
    if min(small.shape[:2]) < _MIN_CUT_PX:
        return ()
    steps = edges(small)
    tiles = [_trim(Box(*found[:4]), small) for found in grid(steps)]
    patches = _pictures(_patches(small), small)
    cells = [
        cell
        for cell in _pictures(_cells(small), small)
        if not any(cell.holds(patch) for patch in patches)
    ]
    kept: list[Box] = []
    for box in tiles + patches + cells:
        if all(box.overlap(other) < _OVERLAP for other in kept):
            kept.append(box)
    for box in _pictures((Box(*found[:4]) for found in rectangles(steps, _MIN_SIDE)), small):
        if not any(
            box.holds(other) or box.overlap(other) >= _HALF or box.leans(other) for other in kept
        ):
            kept.append(box)
    whole = Box(0, 0, small.shape[1], small.shape[0])
    if _filled(small) and all(box.area < _MOST_OF_IT * whole.area for box in kept):
        kept = [*kept[: MAX_INSETS - 1], _middle(whole)]
    return tuple(_enlarge(box, scale, width, height) for box in kept[:MAX_INSETS])


def _filled(small: NDArray[np.uint8]) -> bool:
    """True if three corners have one plain colour: what turns and perspectives leave empty."""
    side = max(3, round(min(small.shape[:2]) * _CORNER))
    ends = slice(None, side), slice(-side, None)
    corners = [
        small[rows, columns].reshape(-1, 3).astype(np.int16) for rows in ends for columns in ends
    ]
    colours = [np.median(corner, axis=0) for corner in corners]
    plain = [
        colour
        for corner, colour in zip(corners, colours, strict=True)
        if (np.abs(corner - colour) <= _SAME_COLOUR).all(axis=1).mean() >= _PLAIN_PART
    ]
    alike = [sum(np.abs(one - other).max() <= _SAME_COLOUR for other in plain) for one in plain]
    return max(alike, default=0) >= _CORNERS


def _middle(whole: Box) -> Box:
    """MIDDLE of each side, about the centre: most of a turned picture, and little of what is not."""
    wide, high = round(whole.right * MIDDLE), round(whole.bottom * MIDDLE)
    left, top = (whole.right - wide) // 2, (whole.bottom - high) // 2
    return Box(left, top, left + wide, top + high)


def _pictures(boxes: Iterable[Box], small: NDArray[np.uint8]) -> list[Box]:
    """Those of `boxes`, without their plain margins, that could be pictures; the likeliest first."""
    trimmed = [_trim(box, small) for box in boxes if _sized(box, small)]
    weighed = [
        (entropy * box.area, box)
        for box in trimmed
        if _sized(box, small) and (entropy := _entropy_bits(box.cut(small))) >= _MIN_ENTROPY_BITS
    ]
    weighed.sort(key=lambda pair: pair[0], reverse=True)
    return [box for _, box in weighed]


def _trim(box: Box, small: NDArray[np.uint8]) -> Box:
    """Without the rows and columns of one colour at its borders, at most an eighth of each side."""
    inside = box.cut(small)
    top, bottom = _plain_ends(inside)
    left, right = _plain_ends(inside[top : len(inside) - bottom].transpose(1, 0, 2))
    return Box(box.left + left, box.top + top, box.right - right, box.bottom - bottom)


def _plain_ends(inside: NDArray[np.uint8]) -> tuple[int, int]:
    """How many rows of one colour there are at the start and at the end."""
    middle = np.median(inside[:, ::4], axis=1, keepdims=True).astype(np.int16)
    near = (np.abs(inside.astype(np.int16) - middle) <= _SAME_COLOUR).all(axis=2)
    varied = np.flatnonzero(near.mean(axis=1) < _PLAIN_PART)
    limit = len(inside) // 8
    if not varied.size:
        return 0, 0
    return min(limit, int(varied[0])), min(limit, len(inside) - 1 - int(varied[-1]))


def _thumbnail(rgb: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, dtype=np.uint8)


def _sized(box: Box, small: NDArray[np.uint8]) -> bool:
    height, width = small.shape[:2]
    wide, high = (box.right - box.left) / width, (box.bottom - box.top) / height
    return bool(min(wide, high) >= _MIN_SIDE and _AREA[0] <= wide * high <= _AREA[1])


def _patches(small: NDArray[np.uint8]) -> list[Box]:
    """Bounding boxes of what differs from the most common colour and fills its box."""
    codes = _coarse(small)
    counts = np.bincount(codes, minlength=4096)
    commonest = int(counts.argmax())
    if counts[commonest] < _MIN_BACKGROUND * codes.size:
        return []
    colour = small.reshape(-1, 3)[codes == commonest].mean(axis=0)
    ground = cv2.inRange(small, colour - _SAME_COLOUR, colour + _SAME_COLOUR)
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.bitwise_not(ground), connectivity=4)
    return [
        Box(left, top, left + wide, top + high)
        for left, top, wide, high, area in stats[1:].tolist()
        if area >= _MIN_FILL * wide * high
    ]


def _cells(small: NDArray[np.uint8]) -> Iterator[Box]:
    """The parts of a picture that edges from side to side cut it into, or nothing if none does."""
    planes = np.ascontiguousarray(small.astype(np.int16).transpose(2, 0, 1))
    whole = Box(0, 0, small.shape[1], small.shape[0])
    return (box for box in _split(planes, whole, _CUT_DEPTH) if box != whole)


def _split(planes: NDArray[np.int16], box: Box, depth: int) -> Iterator[Box]:
    """Cut `box` at its edges across, else at its edges down, then the parts likewise."""
    inside = planes[:, box.top : box.bottom, box.left : box.right]
    rows, columns = _cuts(inside), [0, box.right - box.left]
    if len(rows) == 2:
        columns = _cuts(inside.transpose(0, 2, 1))
    if depth == 0 or len(rows) == len(columns) == 2:
        yield box
        return
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            part = Box(box.left + left, box.top + top, box.left + right, box.top + bottom)
            yield from _split(planes, part, depth - 1)


def _cuts(inside: NDArray[np.int16]) -> list[int]:
    """Rows where a picture ends from side to side, between both ends of `inside`.

    A step counts if it stands out from the rows around it in nearly every eighth of the width:
    horizons and tables are neither so straight nor so long.
    """
    length, width = inside.shape[1:]
    if min(length, width) < _MIN_CUT_PX:
        return [0, length]
    red, green, blue = np.abs(inside[:, 2:] - inside[:, :-2])
    steps = np.minimum(np.maximum(np.maximum(red, green), blue), _FULL_STEP)
    eighths = steps[:, : width // 8 * 8].reshape(len(steps), 8, -1).mean(axis=2)
    ground = cv2.blur(eighths, (1, 25), borderType=cv2.BORDER_REFLECT)
    stands_out = (eighths > _CONTRAST * ground + _FLOOR).sum(axis=1) >= _EIGHTHS
    strength = np.where(stands_out, eighths.sum(axis=1), 0.0)
    cuts = [0]
    for row in np.flatnonzero(strength).tolist():
        near = strength[max(0, row - 4) : row + 5]
        if strength[row] == near.max() and _EDGE_PX < row + 1 < length - _EDGE_PX:
            cuts.append(row + 1)
    return [*cuts, length]


def _coarse(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """One number of 12 bits for the colour of each pixel."""
    four = (pixels >> 4).astype(np.int32)
    return (four[..., 0] << 8 | four[..., 1] << 4 | four[..., 2]).ravel()


def _entropy_bits(pixels: NDArray[np.uint8]) -> float:
    """Of the coarse colours: text on a ground has about 1.5, a grey photograph 3, a coloured 6."""
    counts = np.bincount(_coarse(pixels))
    parts = counts[counts > 0] / counts.sum()
    return float(-(parts * np.log2(parts)).sum())


def _enlarge(box: Box, scale: float, width: int, height: int) -> Box:
    return Box(
        min(width - 1, round(box.left / scale)),
        min(height - 1, round(box.top / scale)),
        max(1, min(width, round(box.right / scale))),
        max(1, min(height, round(box.bottom / scale))),
    )
