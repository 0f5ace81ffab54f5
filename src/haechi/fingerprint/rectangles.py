"""Upright rectangles in a thumbnail: straight edges that meet, whatever lies around them.

A picture that was laid upon another, upon a gradient or beside others shows four straight sides,
or fewer where it reaches the border. Sides are found as rows and columns of pixels with a step
across; every pair of rows with every pair of columns is then asked how much of its outline is
such a step. Sums along rows and columns make that four look-ups a rectangle.
"""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

LINES = 22
"""At most so many rows, and columns, are tried: 27,000 rectangles, a millisecond or two."""

_STEP = 9
_PART_OF_SIDE = 0.1
_GAP_PX = 7
_GRIDS = [(rows, columns) for rows in (1, 2, 3) for columns in (1, 2, 3) if rows * columns > 1]
_LINE = 0.5
_LONE_LINE = 0.85
_GAP = 0.035
_STANDS_OUT = 1.8
_WEAKEST_SIDE = 0.5
_OUTLINE = np.array([2.0, 0.97, 0.93, 0.88, 0.83])
"""What must be an edge of the sides that are not the border's, by how many those are."""
_MOST = 60
_ACROSS = 0.88
_NEAR_PX = 4


class Found(NamedTuple):
    """A rectangle of pixels, ends excluded, and how much of its outline is an edge, 0..1."""

    left: int
    top: int
    right: int
    bottom: int
    outline: float


class Edges(NamedTuple):
    """Where a picture steps from one thing to another.

    Attributes:
        across: uint8 (height, width): 1 where row `y` begins something else than row `y - 1` is.
        down: uint8 (width, height): the same for columns, turned so that they are rows.
    """

    across: NDArray[np.uint8]
    down: NDArray[np.uint8]


def edges(small: NDArray[np.uint8]) -> Edges:
    """The edges of uint8 (height, width, 3)."""
    planes = [np.ascontiguousarray(small[..., channel]) for channel in range(3)]
    return Edges(_edges(planes), _edges([np.ascontiguousarray(plane.T) for plane in planes]))


def rectangles(found: Edges, least: float) -> list[Found]:
    """Those with both sides at least `least` of the thumbnail's, clearest outline first.

    Borders of the thumbnail count as edges. One that edges cut into parts from side to side is
    left out for its parts. At most a few dozen.
    """
    across, down = found
    height, width = across.shape
    rows, columns = _lines(across), _lines(down)
    if len(rows) + len(columns) <= 4:
        return []
    sums_across, sums_down = _sums(across), _sums(down)
    tops, bottoms = _pairs(rows, least * height)
    lefts, rights = _pairs(columns, least * width)
    sides = np.stack(
        [
            _support(sums_across, tops[:, None], lefts, rights),
            _support(sums_across, bottoms[:, None], lefts, rights),
            _support(sums_down, lefts[None], tops[:, None], bottoms[:, None]),
            _support(sums_down, rights[None], tops[:, None], bottoms[:, None]),
        ]
    )
    inner = np.stack(
        [
            np.broadcast_to(tops[:, None] > 0, sides.shape[1:]),
            np.broadcast_to(bottoms[:, None] < height, sides.shape[1:]),
            np.broadcast_to(lefts > 0, sides.shape[1:]),
            np.broadcast_to(rights < width, sides.shape[1:]),
        ]
    )
    count = inner.sum(axis=0)
    outline = (sides * inner).sum(axis=0) / np.maximum(1, count)
    weakest = np.where(inner, sides, 1.0).min(axis=0)
    clear = (weakest >= _WEAKEST_SIDE) & (outline >= _OUTLINE[np.minimum(count, 4)])
    places = np.argwhere(clear)
    best = np.argsort(-outline[clear], kind="stable")[:_MOST]
    clearest = [
        Found(int(lefts[c]), int(tops[r]), int(rights[c]), int(bottoms[r]), float(outline[r, c]))
        for r, c in places[best].tolist()
    ]
    return [
        box
        for box in _apart(clearest)
        if not _cut(sums_across, rows, (box.left, box.right), (box.top, box.bottom))
        and not _cut(sums_down, columns, (box.top, box.bottom), (box.left, box.right))
    ]


def grid(found: Edges) -> list[Found]:
    """The tiles of a collage of equal tiles, row by row; empty if it is none.

    Up to three by three. Every line between tiles must be there, at its place but for a gap; a
    single line across must be there nearly whole, because horizons are.
    """
    height, width = found.across.shape
    across, down = _inner(found.across), _inner(found.down)
    best: tuple[int, float, int, int] = (1, 0.0, 1, 1)
    for rows, columns in _GRIDS:
        weakest = min(across[rows], down[columns])
        needed = _LINE if rows * columns > 3 else _LONE_LINE
        if weakest >= needed:
            best = max(best, (rows * columns, weakest, rows, columns))
    _, outline, rows, columns = best
    if rows * columns == 1:
        return []
    tops = [round(height * row / rows) for row in range(rows + 1)]
    lefts = [round(width * column / columns) for column in range(columns + 1)]
    return [
        Found(left, top, right, bottom, outline)
        for top, bottom in pairwise(tops)
        for left, right in pairwise(lefts)
    ]


def _inner(edges: NDArray[np.uint8]) -> dict[int, float]:
    """For one, two and three equal parts along rows: how much of the weakest line is there, 0..1."""
    length = len(edges)
    share = cv2.dilate(edges, np.ones((2, 1), np.uint8)).mean(axis=1)
    share = np.where(share >= _STANDS_OUT * np.median(share), share, 0.0)
    reach = max(2, round(length * _GAP))
    found = {1: 1.0}
    for parts in (2, 3):
        places = [round(length * part / parts) for part in range(1, parts)]
        found[parts] = min(float(share[at - reach : at + reach + 1].max()) for at in places)
    return found


def _edges(planes: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """1 where a row begins something else in any of the (length, across) planes.

    Only the strongest of neighbouring steps counts, so that slopes and blur make no lines.
    """
    wide = np.zeros(planes[0].shape, np.uint8)
    wide[1:] = _steps(planes, 1)
    if len(wide) > 2:
        np.maximum(wide[1:-1], _steps(planes, 2), out=wide[1:-1])
    highest = cv2.dilate(wide, np.ones((5, 1), np.uint8))
    return ((wide >= _STEP) & (wide >= highest)).astype(np.uint8)


def _steps(planes: list[NDArray[np.uint8]], apart: int) -> NDArray[np.uint8]:
    """The largest difference, over all planes, of each row to the one `apart` before it."""
    first, second, third = (cv2.absdiff(plane[apart:], plane[:-apart]) for plane in planes)
    return np.asarray(cv2.max(cv2.max(first, second), third), np.uint8)


def _lines(edges: NDArray[np.uint8]) -> list[int]:
    """Rows with a long run of edge, the LINES longest, and both borders; in order."""
    length, across = edges.shape
    run = np.ones((1, max(8, round(across * _PART_OF_SIDE))), np.uint8)
    strength = (
        cv2.morphologyEx(_closed(edges, _GAP_PX), cv2.MORPH_OPEN, run).sum(axis=1).astype(np.int32)
    )
    peaks = []
    for row in np.flatnonzero(strength).tolist():
        near = strength[max(0, row - 2) : row + 3]
        if strength[row] == near.max() and 2 < row < length - 2:
            peaks.append(row)
    peaks.sort(key=lambda row: int(strength[row]), reverse=True)
    return [0, *sorted(peaks[:LINES]), length]


def _closed(edges: NDArray[np.uint8], gap_px: int) -> NDArray[np.uint8]:
    """Without small gaps along rows: words and stickers may cover a part of an edge."""
    closed = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((1, gap_px), np.uint8))
    return np.asarray(closed, np.uint8)


def _sums(edges: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(length + 1, across + 1): sums along each row from its start; borders are all edge.

    A row also takes what its neighbours have: an edge may fall between two of them.
    """
    near = cv2.dilate(_closed(edges, 3), np.ones((2, 1), np.uint8))
    whole = np.ones((1, edges.shape[1]), np.uint8)
    marked = np.concatenate([whole, near[1:], whole])
    return np.pad(np.cumsum(marked, axis=1, dtype=np.float32), ((0, 0), (1, 0)))


def _support(
    sums: NDArray[np.float32],
    line: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Part of `line` from `start` to `end` that is an edge, 0..1; shapes are broadcast.

    An eighth is left out in all, at both ends: corners may be round.
    """
    ends = (end - start) // 16 + 1
    first, last = start + ends, np.maximum(start + ends + 1, end - ends)
    return np.asarray((sums[line, last] - sums[line, first]) / (last - first))


def _pairs(lines: list[int], least: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every two lines at least `least` apart: the first ones, and the second ones."""
    at = np.array(lines, np.int64)
    first, second = np.triu_indices(len(at), 1)
    far = at[second] - at[first] >= max(4.0, least)
    return at[first[far]], at[second[far]]


def _cut(
    sums: NDArray[np.float32], lines: list[int], span: tuple[int, int], inside: tuple[int, int]
) -> bool:
    """True if one of `lines` within `inside` is an edge nearly all along `span`."""
    between = [line for line in lines if inside[0] + 12 < line < inside[1] - 12]
    wide = span[1] - span[0]
    return any((sums[at, span[1]] - sums[at, span[0]]) >= _ACROSS * wide for at in between)


def _apart(found: list[Found]) -> list[Found]:
    """Without those that lie within a few pixels of a clearer one."""
    kept: list[Found] = []
    for box in found:
        same = any(
            max(abs(one - other) for one, other in zip(box[:4], seen[:4], strict=True)) <= _NEAR_PX
            for seen in kept
        )
        if not same:
            kept.append(box)
        if len(kept) == 40:
            break
    return kept
