"""From a guess of size and turn to a map of every pixel into the pattern.

The pilots are demodulated in cells of 16 pixels. Where some cells agree on a displacement there is
a seed; from it the map grows outwards, first shifted only, then affine, at last projective, as a
photographed screen needs.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import pattern as patterns
from haechi.labels.watermark.searching import Guess

_CELL = 16
_WINDOW = 4
_MANY = 40


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """What each window of cells says about its displacement.

    Attributes:
        waves: (rows, columns, pilots), of the mark a phase that says the displacement.
        centres: (windows, 2), pixels.
        units: (windows, 2), where the guess puts the centres.
        inverse: (2, 2), pixels to units by the guess.
    """

    waves: NDArray[np.complex64]
    centres: NDArray[np.float64]
    units: NDArray[np.float64]
    inverse: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A map from pixels of the level to units, and how sure it is.

    Attributes:
        homography: (3, 3), pixel (x, y, 1) to units.
        score: How far the surfaces stand out where the map puts them, over all windows.
    """

    homography: NDArray[np.float64]
    score: float
    weights: NDArray[np.float64]
    centres: NDArray[np.float64]

    @property
    def standing(self) -> float:
        """The score above what noise gives, counting how many windows say so."""
        return (self.score - _NOISE) * float(np.sqrt(len(self.weights)))


_NOISE = 2.0


def demodulated(guess: Guess, pattern: patterns.Pattern) -> NDArray[np.complex64]:
    """For each cell and pilot what the cell holds of it; (rows, columns, pilots)."""
    seen = guess.level.residue
    rows, columns = seen.shape[0] // _CELL, seen.shape[1] // _CELL
    waves = pattern.pilots @ np.linalg.inv(guess.matrix) / patterns.TILE
    inner = np.arange(_CELL) - (_CELL - 1) / 2
    across = np.exp(-2j * np.pi * np.outer(inner, waves[:, 0]))
    down = np.exp(-2j * np.pi * np.outer(inner, waves[:, 1])).astype(np.complex64)
    both = np.concatenate((across.real, across.imag), axis=1).astype(np.float32)
    cut = np.ascontiguousarray(seen[: rows * _CELL, : columns * _CELL])
    flat = cut.reshape(-1, _CELL) @ both
    pilots = len(waves)
    part = (flat[:, :pilots] + 1j * flat[:, pilots:]).reshape(rows, _CELL, columns, pilots)
    cells = np.einsum("rycp,yp->rcp", part, down)
    x = (np.arange(columns) + 0.5) * _CELL
    y = (np.arange(rows) + 0.5) * _CELL
    turn = x[None, :, None] * waves[:, 0] + y[:, None, None] * waves[:, 1]
    return np.asarray(cells * np.exp(-2j * np.pi * turn), np.complex64)


def fields(
    guess: Guess, cells: NDArray[np.complex64], pattern: patterns.Pattern, *, upside: bool
) -> Fields:
    """Windows of 4 x 4 cells, two apart; `upside`: the picture is turned by 180 degrees more."""
    phase = np.exp(1j * pattern.pilot_phases).astype(np.complex64)
    known = (cells.conj() if upside else cells) * phase.conj()
    size = min(_WINDOW, *known.shape[:2])
    step = 1 + int(min(known.shape[:2]) > 2 * _WINDOW) + 2 * int(max(known.shape[:2]) > _MANY)
    sums = _box(_box(known, size, 0), size, 1)[::step, ::step]
    rows, columns = sums.shape[:2]
    # A pilot that is loud everywhere is the picture's own, and so is a window of many of them.
    sums = sums / (np.sqrt(np.mean(np.square(np.abs(sums)), axis=(0, 1))) + 1e-9)
    loud = np.sqrt(np.mean(np.square(np.abs(sums)), axis=-1, keepdims=True))
    sums = sums / (loud + float(np.median(loud)) + 1e-9)
    y, x = np.mgrid[:rows, :columns]
    centres = np.stack((x, y), axis=-1).reshape(-1, 2) * (_CELL * step) + _CELL * size / 2
    inverse = np.linalg.inv(-guess.matrix if upside else guess.matrix)
    return Fields(sums, centres.astype(float), centres @ inverse.T, inverse)


def surfaces(waves: NDArray[np.complexfloating], pattern: patterns.Pattern) -> NDArray[np.float32]:
    """How well each displacement in units fits, in deviations; (windows, 64 down, 64 across)."""
    flat = waves.reshape(-1, waves.shape[-1])
    parts = np.concatenate((flat.real, flat.imag), axis=1).astype(np.float32)
    return (parts @ _shifts(pattern)).reshape(-1, patterns.TILE, patterns.TILE)


@functools.lru_cache(maxsize=8)
def _shifts(pattern: patterns.Pattern) -> NDArray[np.float32]:
    """What each pilot's real and imaginary part give to each displacement; (32, 4096)."""
    y, x = np.mgrid[: patterns.TILE, : patterns.TILE].reshape(2, -1)
    turn = (
        2
        * np.pi
        / patterns.TILE
        * (np.outer(pattern.pilots[:, 0], x) + np.outer(pattern.pilots[:, 1], y))
    )
    both = np.concatenate((np.cos(turn), np.sin(turn)))
    return np.asarray(both * 2 / np.sqrt(len(pattern.pilots) / 2), np.float32)


def _box(values: NDArray[np.complex64], size: int, axis: int) -> NDArray[np.complex64]:
    sums = np.cumsum(values, axis=axis)
    sums = np.concatenate((np.zeros_like(sums.take([0], axis)), sums), axis=axis)
    count = values.shape[axis] - size + 1
    return sums.take(range(size, size + count), axis) - sums.take(range(count), axis)


def seed(field: Fields, pattern: patterns.Pattern) -> tuple[int, tuple[int, int], float]:
    """The window that agrees best with itself and its neighbours: number, shift and height.

    Between neighbours the displacement may drift by a unit or so.
    """
    drift = (1 + 2 * np.cos(2 * np.pi / patterns.TILE * pattern.pilots).sum(axis=1)) / 3.0
    soft = (field.waves * drift).astype(np.complex64)
    total, count = field.waves.copy(), np.ones(field.waves.shape[:2])
    for axis in (0, 1):
        near: list[slice] = [slice(None)] * 2
        far: list[slice] = [slice(None)] * 2
        near[axis], far[axis] = slice(1, None), slice(None, -1)
        total[tuple(near)] += soft[tuple(far)]
        total[tuple(far)] += soft[tuple(near)]
        count[tuple(near)] += 1
        count[tuple(far)] += 1
    height = surfaces(total / np.sqrt(count)[..., None], pattern)
    number, y, x = (int(n) for n in np.unravel_index(height.argmax(), height.shape))
    return number, (x, y), float(height[number, y, x])


def grown(field: Fields, pattern: patterns.Pattern, number: int, shift: tuple[int, int]) -> Aligned:
    """The map that begins at window `number`."""
    away = np.hypot(*(field.units - field.units[number]).T)
    return _followed(field, pattern, _shifted(field, shift), away, _REACH)


def whole(field: Fields, pattern: patterns.Pattern) -> Aligned:
    """The map of a picture that nobody cut: the corner of the pattern lies in its corner."""
    start = _shifted(field, (-ORIGIN, -ORIGIN))
    return _followed(field, pattern, start, np.zeros(len(field.centres)), _CLOSE)


def closer(laid: Guess, pattern: patterns.Pattern) -> Aligned:
    """What is left to move in a picture that was laid on the grid of units by a first map."""
    field = fields(laid, demodulated(laid, pattern), pattern, upside=False)
    start = _shifted(field, (-0.5, -0.5))
    return _followed(field, pattern, start, np.zeros(len(field.centres)), _SOON)


ORIGIN = 0.25
"""Units from the corner of a marked picture to the first sample of the tile, down and across."""


def _followed(
    field: Fields,
    pattern: patterns.Pattern,
    best: NDArray[np.float64],
    away: NDArray[np.float64],
    steps: tuple[tuple[float, int], ...],
) -> Aligned:
    heights = surfaces(field.waves, pattern)
    least = _height(heights, field, best)
    for reach, near in steps:
        inside = np.flatnonzero(away <= reach)
        predicted = _applied(best, field.centres[inside]) - field.units[inside]
        found, height = _looked(heights[inside], predicted, near)
        weight = np.clip(height - 1.5, 0, 6) ** 2
        if (weight > 0).sum() < 3:
            continue
        targets = field.units[inside] + found
        projective = len(inside) == len(away)
        tried = _fitted(field.centres[inside], targets, weight, best, projective=projective)
        score = _height(heights, field, tried)
        # A map that explains less than the last one has followed noise.
        if _sane(tried, field) and score > 0.9 * least:
            best, least = tried, max(score, least)
    predicted = _applied(best, field.centres) - field.units
    _, height = _looked(heights, predicted, 1)
    return Aligned(best, least, height, field.centres)


_CLOSE = ((1e9, 1), (1e9, 1))
_SOON = ((1e9, 3), (1e9, 2), (1e9, 2))
_REACH = ((70, 5), (160, 5), (320, 4), (1e9, 4), (1e9, 3))


def _height(heights: NDArray[np.float32], field: Fields, homography: NDArray[np.float64]) -> float:
    _, height = _looked(heights, _applied(homography, field.centres) - field.units, 1)
    return float(np.sqrt(np.mean(np.clip(height, 0, None) ** 2)))


def _sane(homography: NDArray[np.float64], field: Fields) -> bool:
    """Whether no part of the picture is turned over or shrunk to nothing."""
    depth = np.hstack((field.centres, np.ones((len(field.centres), 1)))) @ homography[2]
    if depth.min() <= 0.4 or depth.max() > 2.5:
        return False
    try:
        singular = np.linalg.svd(homography[:2, :2], compute_uv=False)
    except np.linalg.LinAlgError:
        return False
    return bool(singular[-1] > 0.1 and singular[0] < 5 and singular[0] < 2.2 * singular[-1])


def _shifted(field: Fields, shift: tuple[float, float]) -> NDArray[np.float64]:
    """The affine map that the guess and a shift make."""
    return np.vstack((np.column_stack((field.inverse, shift)), [0, 0, 1]))


def _applied(homography: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    mapped = np.hstack((points, np.ones((len(points), 1)))) @ homography.T
    return mapped[:, :2] / mapped[:, 2:]


def _looked(
    surfaces: NDArray[np.float32], predicted: NDArray[np.float64], near: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The highest point within `near` units of each prediction, and how high it is."""
    middle = np.rint(predicted).astype(np.int64)
    offsets = np.arange(-near, near + 1)
    rows = (middle[:, 1, None] + offsets) % patterns.TILE
    columns = (middle[:, 0, None] + offsets) % patterns.TILE
    number = np.arange(len(surfaces))[:, None, None]
    part = surfaces[number, rows[:, :, None], columns[:, None, :]]
    best = part.reshape(len(part), -1).argmax(axis=1)
    y, x = np.divmod(best, len(offsets))
    whole = np.stack((x, y), axis=1) - near + middle
    fine = np.stack([_between(part, y, x, axis) for axis in (1, 0)], axis=1)
    height = part.reshape(len(part), -1).max(axis=1)
    return whole + fine, height.astype(float)


def _between(
    part: NDArray[np.float32], y: NDArray[np.int64], x: NDArray[np.int64], axis: int
) -> NDArray[np.float64]:
    """Where between three samples a parabola has its top."""
    last = part.shape[1] - 1
    number = np.arange(len(part))
    step = (1, 0) if axis == 0 else (0, 1)
    inner_y, inner_x = np.clip(y, 1, last - 1), np.clip(x, 1, last - 1)
    before = part[number, inner_y - step[0], inner_x - step[1]].astype(float)
    here = part[number, inner_y, inner_x].astype(float)
    after = part[number, inner_y + step[0], inner_x + step[1]].astype(float)
    bend = before - 2 * here + after
    moved = np.where(bend < -1e-6, 0.5 * (before - after) / np.where(bend < -1e-6, bend, 1), 0.0)
    edge = (y != inner_y) | (x != inner_x)
    return np.where(edge, 0.0, np.clip(moved, -0.6, 0.6))


def _fitted(
    pixels: NDArray[np.float64],
    units: NDArray[np.float64],
    weight: NDArray[np.float64],
    before: NDArray[np.float64],
    *,
    projective: bool,
) -> NDArray[np.float64]:
    """Least squares, twice, so that what does not fit loses its weight."""
    projective = projective and bool((weight > 0).sum() >= 12)
    homography = before
    middle, size = pixels.mean(axis=0), max(1.0, float(np.ptp(pixels, axis=0).max()) / 2)
    known = (pixels - middle) / size
    solved = None
    for _ in range(2):
        if solved is None:
            error = np.hypot(*(_applied(before, pixels) - units).T)
        else:
            error = np.hypot(*(_applied(solved, known) - units).T)
        trust = np.sqrt(weight / (1 + (error / (2.0 if solved is not None else 6.0)) ** 2))
        solved = _solve(known, units, trust, projective=projective)
    back = np.array([[1 / size, 0, -middle[0] / size], [0, 1 / size, -middle[1] / size], [0, 0, 1]])
    homography = solved @ back
    return np.asarray(homography / homography[2, 2])


def _solve(
    known: NDArray[np.float64],
    units: NDArray[np.float64],
    trust: NDArray[np.float64],
    *,
    projective: bool,
) -> NDArray[np.float64]:
    ones = np.ones(len(known))
    zero = np.zeros((len(known), 3))
    points = np.column_stack((known, ones))
    x_rows, y_rows = [points, zero], [zero, points]
    if projective:
        x_rows.append(-known * units[:, :1])
        y_rows.append(-known * units[:, 1:])
    rows = np.vstack((np.hstack(x_rows), np.hstack(y_rows))) * np.tile(trust, 2)[:, None]
    aim = np.concatenate((units[:, 0], units[:, 1])) * np.tile(trust, 2)
    # A little pull towards no slant keeps what few windows say within reason.
    square = rows.T @ rows
    square += 1e-9 * np.trace(square) * np.eye(len(square))
    if projective:
        square[6:, 6:] += (0.03 * trust.sum()) ** 2 * np.eye(2)
    solved = np.linalg.solve(square, rows.T @ aim)
    slant = solved[6:8] if projective else np.zeros(2)
    return np.array([[*solved[:3]], [*solved[3:6]], [*slant, 1.0]])
