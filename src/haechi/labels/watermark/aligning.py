"""From a guess of size and turn to a map of every pixel into the pattern.

The pilots are demodulated in windows. Where some windows agree on a displacement there is
a seed; from it the map grows outwards, first shifted only, then affine, at last projective, as a
photographed screen needs.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import pattern as patterns
from haechi.labels.watermark.fitting import applied, fitted
from haechi.labels.watermark.searching import Guess


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

    def part(self, chosen: NDArray[np.bool_]) -> "Fields":
        """Some of the windows, in one row."""
        waves = self.waves.reshape(1, -1, self.waves.shape[-1])[:, chosen]
        return Fields(waves, self.centres[chosen], self.units[chosen], self.inverse)


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
        return _standing(self.score, len(self.weights))


def _standing(score: float, windows: int) -> float:
    return (score - _NOISE) * float(np.sqrt(windows))


_NOISE = 2.0
_AROUND = 2.4


def fields(guesses: Sequence[Guess], pattern: patterns.Pattern) -> list[Fields]:
    """Of the windows of a level, for guesses that all are about this level."""
    level = guesses[0].level.windows
    inverses = np.linalg.inv(np.array([guess.matrix for guess in guesses]))
    each = (pattern.pilots @ inverses / patterns.TILE).reshape(-1, 2)
    sums = level.waves(each)
    sums = sums.reshape(*sums.shape[:2], len(guesses), -1)
    # A pilot that is loud everywhere is the picture's own, and so is a window of many of them.
    sums /= np.sqrt(np.mean(np.square(np.abs(sums)), axis=(0, 1))) + 1e-9
    loud = np.sqrt(np.mean(np.square(np.abs(sums)), axis=-1, keepdims=True))
    sums /= loud + np.median(loud, axis=(0, 1), keepdims=True) + 1e-9
    sums *= np.exp(-1j * pattern.pilot_phases).astype(np.complex64)
    centres = level.centres.reshape(-1, 2)
    return [
        Fields(sums[:, :, number], centres, centres @ inverse.T, inverse)
        for number, inverse in enumerate(inverses)
    ]


def turned(field: Fields, pattern: patterns.Pattern) -> Fields:
    """The same picture, turned by 180 degrees more."""
    phase = np.exp(-2j * pattern.pilot_phases).astype(np.complex64)
    return Fields(field.waves.conj() * phase, field.centres, -field.units, -field.inverse)


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
    # Neighbours overlap so much that of many every other one will do.
    step = 2 if count.size > _MANY else 1
    chosen = (total / np.sqrt(count)[..., None])[::step, ::step]
    height = surfaces(chosen, pattern)
    best, y, x = (int(n) for n in np.unravel_index(height.argmax(), height.shape))
    row, column = divmod(best, chosen.shape[1])
    number = row * step * count.shape[1] + column * step
    return number, (x, y), float(height[best, y, x])


_MANY = 60


def grown(
    field: Fields, pattern: patterns.Pattern, number: int, shift: tuple[int, int]
) -> Aligned | None:
    """The map that begins at window `number`; None if what lies around it does not agree."""
    away = np.hypot(*(field.units - field.units[number]).T)
    heights = surfaces(field.waves, pattern)
    start = _followed(field, heights, _shifted(field, shift), away, _REACH[:2])
    around = away <= _REACH[1][0]
    near = _standing(_height(heights[around], field.part(around), start), int(around.sum()))
    if near < _AROUND:
        return None
    return _aligned(field, heights, _followed(field, heights, start, away, _REACH[2:]))


def whole(field: Fields, pattern: patterns.Pattern) -> Aligned:
    """The map of a picture that nobody cut: the corner of the pattern lies in its corner."""
    start = _shifted(field, (-ORIGIN, -ORIGIN))
    return _moved(field, pattern, start, _CLOSE)


def closer(laid: Guess, pattern: patterns.Pattern) -> Aligned:
    """What is left to move in a picture that was laid on the grid of units by a first map."""
    field = fields([laid], pattern)[0]
    start = _shifted(field, (-0.5, -0.5))
    return _moved(field, pattern, start, _SOON)


ORIGIN = 0.25
"""Units from the corner of a marked picture to the first sample of the tile, down and across."""


def _moved(
    field: Fields,
    pattern: patterns.Pattern,
    start: NDArray[np.float64],
    steps: tuple[tuple[float, int], ...],
) -> Aligned:
    heights = surfaces(field.waves, pattern)
    everywhere = np.zeros(len(field.centres))
    return _aligned(field, heights, _followed(field, heights, start, everywhere, steps))


def _aligned(
    field: Fields, heights: NDArray[np.float32], homography: NDArray[np.float64]
) -> Aligned:
    _, height = _looked(heights, applied(homography, field.centres) - field.units, 1)
    score = float(np.sqrt(np.mean(np.clip(height, 0, None) ** 2)))
    return Aligned(homography, score, height, field.centres)


def _followed(
    field: Fields,
    heights: NDArray[np.float32],
    best: NDArray[np.float64],
    away: NDArray[np.float64],
    steps: tuple[tuple[float, int], ...],
) -> NDArray[np.float64]:
    """`best`, moved to where more and more windows agree."""
    least = _height(heights, field, best)
    for reach, near in steps:
        inside = np.flatnonzero(away <= reach)
        predicted = applied(best, field.centres[inside]) - field.units[inside]
        found, height = _looked(heights[inside], predicted, near)
        weight = np.clip(height - 1.5, 0, 6) ** 2
        if (weight > 0).sum() < 3:
            continue
        targets = field.units[inside] + found
        projective = len(inside) == len(away)
        tried = fitted(field.centres[inside], targets, weight, best, projective=projective)
        score = _height(heights, field, tried)
        # A map that explains less than the last one has followed noise.
        if _sane(tried, field) and score > 0.9 * least:
            best, least = tried, max(score, least)
    return best


_CLOSE = ((1e9, 1), (1e9, 1))
_SOON = ((1e9, 3), (1e9, 2), (1e9, 2))
_REACH = ((70, 5), (160, 5), (320, 4), (1e9, 4), (1e9, 3))


def _height(heights: NDArray[np.float32], field: Fields, homography: NDArray[np.float64]) -> float:
    _, height = _looked(heights, applied(homography, field.centres) - field.units, 1)
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
