"""Is one part of a map of tiles unlike the rest?"""

import cv2
import numpy as np

from haechi.forensics.pixels.subject import Grey, Mask

_SPREAD = 1.4826
_MOST = 4.0
_SIZES = (0.14, 0.2, 0.28, 0.4)
_LEAST_TILES = 6
_MOST_PART = 0.45


def odd_part(values: Grey, valid: Mask) -> tuple[float, Mask]:
    """`differing_part`, in deviations of all tiles: by the median, to which an odd part adds little."""
    known = values[valid]
    if not known.size:
        return 0.0, np.zeros(values.shape, np.bool_)
    spread = _SPREAD * float(np.median(np.abs(known - np.median(known)))) + 1e-3
    return differing_part(np.clip(values / spread, -_MOST, _MOST).astype(np.float32), valid)


def differing_part(values: Grey, valid: Mask) -> tuple[float, Mask]:
    """(difference, part): the square whose mean differs most from that of the rest.

    Of squares of four sizes, up to 0.4 of the shorter side; 0 where none has enough valid tiles.
    """
    best, where = 0.0, np.zeros(values.shape, np.bool_)
    known = valid.astype(np.float32)
    count = float(known.sum())
    if count < 4 * _LEAST_TILES:
        return best, where
    filled = np.where(valid, values, 0).astype(np.float32)
    total = float(filled.sum())
    for size in _SIZES:
        side = max(3, round(size * min(values.shape))) | 1
        kernel = (side, side)
        inside = cv2.boxFilter(known, -1, kernel, normalize=False, borderType=cv2.BORDER_CONSTANT)
        summed = cv2.boxFilter(filled, -1, kernel, normalize=False, borderType=cv2.BORDER_CONSTANT)
        enough = (inside >= max(_LEAST_TILES, 0.4 * side * side)) & (inside < _MOST_PART * count)
        rest = (total - summed) / np.maximum(count - inside, 1)
        apart = np.where(enough, np.abs(summed / np.maximum(inside, 1) - rest), 0)
        row, column = (int(at) for at in np.unravel_index(int(apart.argmax()), apart.shape))
        if apart[row, column] > best:
            best = float(apart[row, column])
            half = side // 2
            where = np.zeros(values.shape, np.bool_)
            where[
                max(0, row - half) : row + half + 1, max(0, column - half) : column + half + 1
            ] = True
    return best, where


def tiles(values: Grey, side: int) -> Grey:
    """Means of squares of `side` pixels; what is left over at the right and below is dropped."""
    height, width = values.shape[0] // side * side, values.shape[1] // side * side
    cut = values[:height, :width].reshape(height // side, side, width // side, side)
    return np.asarray(cut.mean(axis=(1, 3)), np.float32)


def explained(values: Grey, valid: Mask, *by: Grey) -> Grey:
    """What of `values` a quadratic in each of `by` does not explain; robust, 0 where not valid."""
    rows: list[Grey] = [np.ones_like(values[valid])]
    for one in by:
        scaled = np.asarray(
            (one[valid] - one[valid].mean()) / (one[valid].std() + 1e-6), np.float32
        )
        rows += [scaled, scaled * scaled]
    known = np.stack(rows, axis=1).astype(np.float64)
    asked = values[valid].astype(np.float64)
    weights = np.ones(len(asked))
    left = asked
    for _ in range(4):
        root = np.sqrt(weights)
        solved, *_ = np.linalg.lstsq(known * root[:, None], asked * root, rcond=None)
        left = asked - known @ solved
        scale = 1.5 * float(np.median(np.abs(left))) + 1e-6
        weights = 1 / np.maximum(1, np.abs(left) / scale)
    result = np.zeros(values.shape, np.float32)
    result[valid] = left
    return result
