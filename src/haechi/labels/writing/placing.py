"""Where a label goes: at an edge, as small as the rule allows, and not on a face."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

EDGE = 0.02
"""Distance to the edge, as a part of the shorter side."""
_STEPS = 9
_ABOVE, _BESIDE, _BELOW = 0.2, 0.08, 0.04
"""A face counts with so much more around it: hair and chin belong to it."""


@dataclass(frozen=True, slots=True)
class Box:
    """Whole pixels, from the upper left corner."""

    x: int
    y: int
    width: int
    height: int

    def part_of(self, other: "Box") -> float:
        """How much of this lies on `other`, 0..1."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(0, across) * max(0, down) / max(1, self.width * self.height)


def place(
    sizes: Sequence[tuple[int, int]], width: int, height: int, faces: Sequence[Box]
) -> tuple[int, Box, float]:
    """Which of `sizes` (the most wanted first) goes where, and how much of it lies on faces, 0..1.

    The lower right corner is taken first, then the other corners, then the rest of the edges. Where
    every place lies on a face, it is the one that covers least.
    """
    margin = max(1, round(EDGE * min(width, height)))
    wide = [_with_hair(face) for face in faces]
    best: tuple[float, int, Box] | None = None
    for number, size in enumerate(sizes):
        for box in _places(size, width, height, margin):
            covered = max((box.part_of(face) for face in wide), default=0.0)
            if best is None or covered < best[0]:
                best = (covered, number, box)
            if covered == 0:
                return number, box, 0.0
    if best is None:
        raise ValueError("no size was given")
    return best[1], best[2], best[0]


def _places(size: tuple[int, int], width: int, height: int, margin: int) -> Iterator[Box]:
    right, bottom = width - size[0] - margin, height - size[1] - margin
    left, top = min(margin, max(0, right)), min(margin, max(0, bottom))
    right, bottom = max(left, right), max(top, bottom)
    corners = ((right, bottom), (left, bottom), (right, top), (left, top))
    yield from (Box(x, y, *size) for x, y in corners)
    for step in range(1, _STEPS):
        across = left + (right - left) * step // _STEPS
        down = top + (bottom - top) * step // _STEPS
        edges = ((across, bottom), (across, top), (right, down), (left, down))
        yield from (Box(x, y, *size) for x, y in edges)


def _with_hair(face: Box) -> Box:
    above, below = round(face.height * _ABOVE), round(face.height * _BELOW)
    beside = round(face.width * _BESIDE)
    return Box(
        face.x - beside, face.y - above, face.width + 2 * beside, face.height + above + below
    )
