"""The soft values of the coded bits, from a picture whose map into the pattern is known."""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import code
from haechi.labels.watermark import pattern as patterns
from haechi.labels.watermark.aligning import Aligned
from haechi.labels.watermark.searching import Guess, Level, residue

_TILE = patterns.TILE
_MOST_TILES = 128


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """The picture on the grid of units: a sample at every whole one, a tile's first at the corner.

    Attributes:
        seen: As it is; residue: at even loudness, 0 outside of the picture.
    """

    seen: NDArray[np.float32]
    residue: NDArray[np.float32]

    def again(self) -> Guess:
        """The same as a guess that needs little more; see aligning.closer."""
        return Guess(Level(self.seen, 1.0, self.residue), np.eye(2), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What the waves of a laid picture say.

    Attributes:
        soft: 480 values, positive for +1; their scale has no meaning.
        pilots: How far the pilots stand out of the picture, in deviations.
    """

    soft: NDArray[np.float32]
    pilots: float


def read(laid: Laid, pattern: patterns.Pattern) -> Read:
    """Tiles that bear the pilots are added up; waves that the picture itself has count less."""
    rows, columns = (length // _TILE for length in laid.residue.shape)
    tiles = laid.residue.reshape(rows, _TILE, columns, _TILE).transpose(0, 2, 1, 3)
    waves = _waves(tiles.reshape(-1, _TILE, _TILE))
    known = np.exp(1j * pattern.pilot_phases)
    there = waves[:, pattern.pilots[:, 1] % _TILE, pattern.pilots[:, 0]] * known.conj()
    gain = np.asarray(there.real.mean(axis=1), np.float64).reshape(rows, columns)
    weights = _weights(gain).ravel()
    noise = np.tensordot(np.square(weights), np.square(np.abs(there)), 1) / 2
    pilots = float(np.sum(weights @ there.real) / np.sqrt(noise.sum() + 1e-9))
    data = waves[:, pattern.carriers[:, 1] % _TILE, pattern.carriers[:, 0]]
    total = np.tensordot(weights, data, 1)
    spread = np.tensordot(np.square(weights), np.square(np.abs(data)), 1)
    spread = 0.5 * spread + 0.5 * _around(spread, pattern.carriers)
    clear = total / np.sqrt(np.maximum(spread, 0) + 1e-9)
    # Rings that a lossy file has emptied hold noise alone: what exceeds it says how far to trust.
    excess = _around(np.square(np.abs(clear)), pattern.carriers) - 1
    sure = clear * np.sqrt(np.clip(excess, 0.03, None))
    places = np.stack((sure.real, sure.imag), axis=1).ravel() * pattern.flips
    soft = np.bincount(pattern.order, weights=places, minlength=code.CODED_BITS)
    return Read(soft.astype(np.float32), pilots)


def _waves(tiles: NDArray[np.float32]) -> NDArray[np.complex64]:
    """The lower waves of each tile, (n, 64, 16): as rfft2 gives them, as two products."""
    across, down = _tables()
    rows = tiles.reshape(-1, _TILE) @ across
    half = across.shape[1] // 2
    part = (rows[:, :half] + 1j * rows[:, half:]).reshape(len(tiles), _TILE, half)
    return np.asarray(down @ part, np.complex64)


@functools.cache
def _tables() -> tuple[NDArray[np.float32], NDArray[np.complex64]]:
    place = np.arange(_TILE)
    turn = 2 * np.pi * np.outer(place, place) / _TILE
    low = turn[:, : _TILE // 4]
    across = np.concatenate((np.cos(low), -np.sin(low)), axis=1)
    return across.astype(np.float32), np.exp(-1j * turn).astype(np.complex64)


def _weights(gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 for tiles that bear the pilots, 0 for those that do not; one tile alone cannot say."""
    smooth = cv2.blur(
        gain,
        (3, 3),
        borderType=cv2.BORDER_REFLECT_101 if min(gain.shape) > 1 else cv2.BORDER_REPLICATE,
    )
    high = float(np.quantile(smooth, 0.75))
    if high <= 0:
        return np.ones_like(gain)
    return np.clip(1.6 * smooth / high - 0.2, 0, 1)


def _around(values: NDArray[np.float64], waves: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over waves of about the same length."""
    ring = np.rint(np.hypot(waves[:, 0], waves[:, 1]) / 1.5).astype(np.int64)
    sums = np.bincount(ring, weights=values)
    return (sums / np.maximum(np.bincount(ring), 1))[ring]


def lay(guess: Guess, aligned: Aligned) -> Laid:
    """The part of the picture that bears the pilots, in whole tiles, at most 128."""
    low, high = _region(guess, aligned)
    first = np.floor(low / _TILE).astype(int)
    count = np.maximum(1, np.ceil(high / _TILE).astype(int) - first)
    while count.prod() > _MOST_TILES:
        axis = int(count.argmax())
        first[axis] += count[axis] // 8
        count[axis] -= count[axis] // 4
    # The centre of a pixel lies at a half; samples are taken at whole units.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    moved = np.array([[1, 0, -first[0] * _TILE], [0, 1, -first[1] * _TILE], [0, 0, 1]])
    size = (int(count[0]) * _TILE, int(count[1]) * _TILE)
    matrix = moved @ aligned.homography @ half
    laid = cv2.warpPerspective(
        guess.level.seen, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    light = np.asarray(laid, np.float32)
    even = residue(light)
    ones = np.ones(guess.level.seen.shape, np.uint8)
    inside = cv2.warpPerspective(ones, matrix, size, flags=cv2.INTER_NEAREST)
    even *= inside
    return Laid(light, even)


def _region(guess: Guess, aligned: Aligned) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest and largest units of the windows that bear the pilots."""
    height, width = guess.level.residue.shape
    sure = aligned.centres[aligned.weights > max(2.0, 0.4 * np.quantile(aligned.weights, 0.9))]
    if len(sure) < 4:
        sure = aligned.centres
    low = np.maximum(sure.min(axis=0) - 80, 0)
    high = np.minimum(sure.max(axis=0) + 80, (width, height))
    corners = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
    mapped = cv2.perspectiveTransform(corners[None], aligned.homography)[0]
    return mapped.min(axis=0), mapped.max(axis=0)
