"""Where in a picture's spectrum the pilots stand: the size, turn and mirror of the pattern.

The power of 128-pixel blocks is averaged, so that neither place nor a mild perspective matters. For
each size, turn and side it is known where 16 peaks would be; what counts is their sum. Beside what
is found that way, the commonest fates are always tried: no change, and a crop.
"""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import pattern as patterns
from haechi.labels.watermark.demodulating import Windows, windows

LARGEST_PX = 800_000
"""Larger pictures are read at this size."""

BOX = 9
"""Pixels; what is slower than this is no mark but the picture."""

_LOUD_BOX = 15
_QUIET = 1.5
_MOST = 2.5

_BLOCK = 128
_HALF = _BLOCK // 2
_SCALE_STEP = 0.025
_TURN_STEP = 2.0
_ASPECTS = (0.74, 0.8, 0.87, 0.93, 1.07, 1.15, 1.25, 1.35)
_LEAST_SIDE = 160
_LOUDEST = 1.5
_NEAR_SHAPE = 0.13


@dataclass(frozen=True, eq=False)
class Level:
    """A picture at one size; `even`: see `residue`, if it is known already."""

    seen: NDArray[np.float32]
    shrink: float
    even: NDArray[np.float32] | None = None

    @functools.cached_property
    def residue(self) -> NDArray[np.float32]:
        """With every part brought to the same loudness."""
        return residue(self.seen) if self.even is None else self.even

    @functools.cached_property
    def windows(self) -> Windows:
        """See `demodulating`."""
        return windows(self.residue)


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """pixel = matrix @ unit + anything, on `level`; `score`: deviations above other shapes."""

    level: Level
    matrix: NDArray[np.float64]
    score: float


def levels(grey: NDArray[np.uint8]) -> list[Level]:
    """The picture at its own size (or 0.8 megapixels), a half, a quarter and an eighth of that."""
    height, width = grey.shape
    factor = min(1.0, float(np.sqrt(LARGEST_PX / (height * width))))
    found: list[Level] = []
    for step in range(4):
        part = factor / 2**step
        size = (round(width * part), round(height * part))
        if step and min(size) < _LEAST_SIDE:
            break
        seen = found[-1].seen if found else grey.astype(np.float32)
        if seen.shape != size[::-1]:
            seen = np.asarray(cv2.resize(seen, size, interpolation=cv2.INTER_AREA), np.float32)
        found.append(Level(seen, part))
    return found


def residue(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without its low frequencies, divided by how busy each place is."""
    rough = seen - cv2.boxFilter(seen, -1, (BOX, BOX))
    rough /= loudness(rough)
    return np.clip(rough, -_MOST, _MOST, out=rough)


def loudness(rough: NDArray[np.float32]) -> NDArray[np.float32]:
    """How busy each place is, in grey values."""
    busy = cv2.boxFilter(np.square(rough), -1, (_LOUD_BOX, _LOUD_BOX))
    return np.asarray(np.sqrt(np.maximum(busy, 0) + _QUIET), np.float32)


def guesses(found: list[Level], pattern: patterns.Pattern, most: int) -> list[Guess]:
    """The best over all levels by their spectra, best first."""
    every: list[tuple[Guess, NDArray[np.float32]]] = []
    for number, level in enumerate(found):
        grid = _grid(pattern, number == 0)
        flat = spectrum(level.residue)
        soft = cv2.GaussianBlur(np.minimum(flat, _LOUDEST), (3, 3), 0.8)
        scores = _scores(np.asarray(soft, np.float32), grid)
        every += [(guess, flat) for guess in _peaks(level, grid, scores, most)]
    every.sort(key=lambda each: -each[0].score)
    return [refined(guess, flat, pattern) for guess, flat in every[:most]]


def untouched(found: list[Level]) -> list[Guess]:
    """The whole picture at any size; a small one also as it was."""
    size = _whole_px(found)
    sizes = [size] if size >= 1 else [1.0, size]
    return [_upright(found, each, np.eye(2)) for each in sizes]


def usual(found: list[Level]) -> list[Guess]:
    """Upright: whole, cut by up to half, or as screens are photographed, aslant and with a frame."""
    size = _whole_px(found)
    sizes = [size * _CUT_STEP**step for step in range(8)]
    if size < 1 and found[0].shrink == 1:
        # Small pictures have units of a pixel, so what is smaller still was scaled down.
        sizes = [max(0.42, size) * _SIZE_STEP**step for step in range(25)]
        sizes = [each for each in sizes if each < 1.05]
        size = 1.0
    framed = [size * part for part in _FRAMED]
    aslant = [_upright(found, each, shape) for each in framed for shape in _ASLANT]
    return [_upright(found, each, np.eye(2)) for each in sizes] + aslant


_BEST_PX = 0.75
_CUT_STEP = 1.05
_SIZE_STEP = 1.04
_FRAMED = (0.8, 0.84, 0.88, 0.92, 0.96)
_LEAN = 0.05
_ASLANT = (
    np.eye(2),
    *(
        np.eye(2) + sign * _LEAN * np.array(way)
        for sign in (-1, 1)
        for way in (
            [[0, -1], [1, 0]],
            [[0, 1], [1, 0]],
            [[1, 0], [0, -1]],
        )
    ),
)


def _whole_px(found: list[Level]) -> float:
    """Pixels of the largest level in a unit, if the picture is whole."""
    return float(np.sqrt(found[0].seen.size)) / patterns.CANONICAL


def _upright(found: list[Level], size: float, shape: NDArray[np.float64]) -> Guess:
    """On the level where a unit is nearest to a pixel, rather more."""
    level = min(
        found, key=lambda each: abs(np.log(size * each.shrink / found[0].shrink / _BEST_PX))
    )
    return Guess(level, shape * size * level.shrink / found[0].shrink, 0.0)


def spectrum(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logarithm of the mean power of blocks, less that of its surroundings; (128, 128)."""
    pad = [max(0, _BLOCK - length) for length in seen.shape]
    if any(pad):
        seen = np.pad(seen, [(0, more) for more in pad])
    height, width = seen.shape
    step = _HALF if height * width <= LARGEST_PX // 3 else _BLOCK
    window = _window()
    power = np.zeros((_BLOCK, _BLOCK), np.float32)
    for top in _starts(height, step):
        for left in _starts(width, step):
            waves = cv2.dft(seen[top : top + _BLOCK, left : left + _BLOCK] * window)
            power += np.square(waves)
    # OpenCV packs column 2k - 1 and 2k as real and imaginary part; the first and last are others.
    half = np.empty((_BLOCK, _HALF + 1), np.float32)
    half[:, 1:_HALF] = power[:, 1:-1:2] + power[:, 2:-1:2]
    half[:, 0], half[:, _HALF] = half[:, 1], half[:, _HALF - 1]
    whole = np.empty((_BLOCK, _BLOCK), np.float32)
    whole[:, _HALF:] = np.roll(half, _HALF, axis=0)[:, :_HALF]
    whole[:, 1:_HALF] = np.roll(whole[::-1, :_HALF:-1], 1, axis=0)
    whole[:, 0] = whole[:, 1]
    log = np.log(whole + 1e-3 * whole.mean() + 1e-9)
    return np.clip(log - cv2.boxFilter(log, -1, (15, 15)), -1.0, 4.0)


@functools.cache
def _window() -> NDArray[np.float32]:
    window = np.hanning(_BLOCK).astype(np.float32)
    return np.outer(window, window)


def _starts(length: int, step: int) -> list[int]:
    count = max(1, round((length - _BLOCK) / step) + 1)
    return [round(place) for place in np.linspace(0, length - _BLOCK, count)]


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Places (size, shape, pilot) in the spectrum, sizes, shapes, and which shapes are alike."""

    places: NDArray[np.int64]
    scales: NDArray[np.float64]
    shapes: NDArray[np.float64]
    alike: NDArray[np.bool_]


@functools.lru_cache(maxsize=16)
def _grid(pattern: patterns.Pattern, finest: bool) -> _Grid:  # noqa: FBT001 - a key of the cache
    least = 0.40 if finest else 0.58
    scales = least * np.exp(_SCALE_STEP * np.arange(round(np.log(1.18 / least) / _SCALE_STEP)))
    shapes = _shapes()
    waves = pattern.pilots @ np.linalg.inv(shapes) * (_BLOCK / patterns.TILE)
    at = np.rint(waves / scales[:, None, None, None]).astype(np.int64) + _HALF
    outside = (at.min(axis=-1) < 1) | (at.max(axis=-1) >= _BLOCK)
    places = np.where(outside, 0, at[..., 1] * _BLOCK + at[..., 0])
    # Turned by half a circle the spectrum is the same.
    apart = np.minimum(
        np.abs(shapes[:, None] - shapes).max(axis=(2, 3)),
        np.abs(shapes[:, None] + shapes).max(axis=(2, 3)),
    )
    return _Grid(places, scales, shapes, apart < _NEAR_SHAPE)


def _shapes() -> NDArray[np.float64]:
    """All turns in steps of two degrees; upright and almost, also stretched; each mirrored too."""
    plain = [_turned(turn) for turn in np.radians(np.arange(0, 180, _TURN_STEP))]
    for aspect in _ASPECTS:
        stretch = np.diag([np.sqrt(aspect), 1 / np.sqrt(aspect)])
        plain += [_turned(turn) @ stretch for turn in np.radians((-3, 0, 3))]
    both = np.array(plain)
    return np.concatenate((both, both @ np.diag([-1.0, 1.0])))


def _turned(turn: float) -> NDArray[np.float64]:
    cos, sin = np.cos(turn), np.sin(turn)
    return np.array([[cos, -sin], [sin, cos]])


def _scores(flat: NDArray[np.float32], grid: _Grid) -> NDArray[np.float32]:
    values = flat.ravel().copy()
    values[0] = 0
    sums = values.take(grid.places).sum(axis=-1)
    # A ring of power is no sign of the pattern: only what stands out among the shapes counts.
    sums -= sums.mean(axis=1, keepdims=True)
    return np.asarray(sums / (sums.std() + 1e-9), np.float32)


def _peaks(level: Level, grid: _Grid, scores: NDArray[np.float32], most: int) -> list[Guess]:
    left = scores.copy()
    found = []
    for _ in range(most):
        scale, shape = (int(n) for n in np.unravel_index(left.argmax(), left.shape))
        matrix = grid.shapes[shape] * grid.scales[scale]
        found.append(Guess(level, matrix, float(left[scale, shape])))
        left[max(0, scale - 3) : scale + 4, grid.alike[shape]] = -9
    return found


def refined(guess: Guess, flat: NDArray[np.float32], pattern: patterns.Pattern) -> Guess:
    """The guess with size, turn, proportions and slant moved to where the peaks are highest."""
    matrix = guess.matrix
    for step in (0.02, 0.01, 0.005):
        for _ in range(2):
            tried = matrix @ (np.eye(2) + step * _MOVES)
            best = int(_sampled(flat, tried, pattern).sum(axis=1).argmax())
            if best == _STAY:
                break
            matrix = tried[best]
    return Guess(guess.level, matrix, guess.score)


_STEPS = np.stack(np.meshgrid(*[[-1, 0, 1]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
_MOVES = np.einsum(
    "nk,kij->nij",
    _STEPS.astype(float),
    np.array([[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[1, 0], [0, -1]], [[0, 1], [1, 0]]], float),
)
_STAY = len(_STEPS) // 2


def _sampled(
    flat: NDArray[np.float32], matrices: NDArray[np.float64], pattern: patterns.Pattern
) -> NDArray[np.float32]:
    """The spectrum at the pilots under each of the matrices; (n, pilots)."""
    waves = pattern.pilots @ np.linalg.inv(matrices) * (_BLOCK / patterns.TILE) + _HALF
    x, y = np.ascontiguousarray(waves.astype(np.float32).transpose(2, 0, 1))
    seen = cv2.remap(flat, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(seen, np.float32)
