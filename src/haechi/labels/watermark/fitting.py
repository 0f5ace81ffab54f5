"""The map that fits displacements seen here and there: affine or projective, by least squares."""

import numpy as np
from numpy.typing import NDArray


def applied(homography: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (n, 2) under the map."""
    mapped = np.hstack((points, np.ones((len(points), 1)))) @ homography.T
    return mapped[:, :2] / mapped[:, 2:]


def fitted(
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
            error = np.hypot(*(applied(before, pixels) - units).T)
        else:
            error = np.hypot(*(applied(solved, known) - units).T)
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
