"""Where in one picture another one is shown: local features and a homography.

A hit says that two pictures belong together; this says where, so that a reviewer can see it. SIFT
features (Lowe, IJCV 2004) of both are paired, and a homography is fitted to the pairs by MAGSAC
(Barath et al., CVPR 2020), both by OpenCV. SIFT does not survive a mirror, so both ways are tried.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.media import DEFAULT, Limits, decode

Rgb = NDArray[np.uint8]
Point = tuple[float, float]
Moments = tuple[float | None, float | None]

LOOK_PX = 800
"""Longest side of what is looked at: a quarter of a collage still has 400 pixels then."""

ENLARGE_TO_PX = 480
"""Smaller pictures are enlarged, twofold at most: few features are found in thumbnails."""

MIN_INLIERS = 10
"""Of 612 pairs of unrelated pictures, plain and mirrored, none reached more than 5; copies reach
from 27 (half of a picture at half its size) to a thousand."""

_CLEAR_INLIERS = 4 * MIN_INLIERS
_FEATURES = 1500
_RATIO = 0.8
_REPROJECTION_PX = 4.0
_MIN_AREA_PART = 0.002
_SCALES = (0.04, 25.0)
_STRETCH = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """How a known picture lies in a query.

    Attributes:
        inliers: Pairs of features that agree on the homography; MIN_INLIERS or more.
        homography: float64 (3, 3), from pixels (x, y, 1) of the known picture to the query's.
        mirrored: True if the query shows the known picture mirrored.
        polygon: Corners (x, y) of the part of the query that shows it, in pixels, inside the
            query's frame; 3 to 8 of them.
        box: (x, y, width, height) around the polygon, whole pixels, inside the query's frame.
    """

    inliers: int
    homography: NDArray[np.float64]
    mirrored: bool
    polygon: tuple[Point, ...]
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Features:
    """Places (n, 2) float32 in pixels of the whole picture, descriptors (n, 128) float32."""

    places: NDArray[np.float32]
    descriptors: NDArray[np.float32]


def align(query_rgb: Rgb, known_rgb: Rgb) -> Alignment | None:
    """Find `known_rgb` in `query_rgb`, both uint8 (height, width, 3); None if it is not seen.

    0.2 to 0.5 s on one core. None also for pictures with too few features, such as flat drawings:
    absence of an alignment is no evidence of absence of a copy.
    """
    query = _features(query_rgb)
    best: Alignment | None = None
    for mirrored in (False, True):
        if best is not None and best.inliers >= _CLEAR_INLIERS:
            break
        seen = known_rgb[:, ::-1] if mirrored else known_rgb
        fitted = _fit(query, _features(seen))
        if fitted is None or (best is not None and fitted[0] <= best.inliers):
            continue
        matrix = fitted[1] @ _mirror(known_rgb.shape[1]) if mirrored else fitted[1]
        outline = _outline(matrix, known_rgb, query_rgb, mirrored=mirrored)
        if outline is not None:
            best = Alignment(fitted[0], matrix, mirrored, outline, _box(outline, query_rgb))
    return best


def files(
    query: bytes, known: bytes, limits: Limits = DEFAULT, at_s: Moments = (None, None)
) -> Alignment | None:
    """`align` of two files, decoded in this process: for `Sandbox.run`. Raises MediaError.

    Of videos the frames at these seconds in the query and in the known one are taken.
    """
    query_rgb = decode(query, limits=limits, at_s=at_s[0]).rgb
    return align(query_rgb, decode(known, limits=limits, at_s=at_s[1]).rgb)


def seen_part(alignment: Alignment, query_rgb: Rgb, known_rgb: Rgb) -> tuple[Point, ...]:
    """The part of the known picture that the query shows: corners (x, y) in its own pixels."""
    back = np.linalg.inv(alignment.homography)
    return _clip(_project(back, _corners(query_rgb)), known_rgb) or ()


def _features(rgb: Rgb) -> _Features:
    height, width = rgb.shape[:2]
    longest = max(height, width)
    scale = min(LOOK_PX / longest, max(1.0, min(2.0, ENLARGE_TO_PX / longest)))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, size, interpolation=how)
    # OpenCV's own types know neither the module's factories nor the None of an empty answer.
    sift: Any = getattr(cv2, "SIFT_create")(nfeatures=_FEATURES)  # noqa: B009
    points, descriptors = sift.detectAndCompute(grey, None)
    if descriptors is None or not points:
        return _Features(np.empty((0, 2), np.float32), np.empty((0, 128), np.float32))
    shrunk = np.array([size[0] / width, size[1] / height], dtype=np.float32)
    places = np.array([point.pt for point in points], dtype=np.float32) / shrunk
    # The square root of the normalised descriptor: Arandjelovic and Zisserman, CVPR 2012.
    rows = np.asarray(descriptors, dtype=np.float32)
    return _Features(places, np.sqrt(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-6)))


def _fit(query: _Features, known: _Features) -> tuple[int, NDArray[np.float64]] | None:
    """(inliers, homography from known to query), or None if too few pairs agree on one."""
    pairs = _pairs(query, known)
    if len(pairs) < MIN_INLIERS:
        return None
    there, here = query.places[pairs[:, 0]], known.places[pairs[:, 1]]
    tolerance = _REPROJECTION_PX * max(1.0, float(np.ptp(query.places, axis=0).max()) / LOOK_PX)
    fitted: Any = cv2.findHomography(here, there, cv2.USAC_MAGSAC, tolerance, None, 5000, 0.999)
    matrix, inside = fitted
    if matrix is None or inside is None:
        return None
    # Several features at one place, or one drawn to many, are one piece of evidence.
    agreed = inside.ravel().astype(bool)
    inliers = min(_distinct(there[agreed]), _distinct(here[agreed]))
    if inliers < MIN_INLIERS or not np.isfinite(matrix).all():
        return None
    return inliers, np.asarray(matrix, dtype=np.float64)


def _pairs(query: _Features, known: _Features) -> NDArray[np.int64]:
    """(n, 2) numbers of features that are each other's clear best, query first."""
    if min(len(query.places), len(known.places)) < 2:
        return np.empty((0, 2), np.int64)
    likeness = query.descriptors @ known.descriptors.T
    best = likeness.argmax(axis=1)
    rows = np.arange(len(best))
    mutual = likeness.argmax(axis=0)[best] == rows
    top = np.partition(likeness, -2, axis=1)[:, -2:]
    # Unit vectors: squared distance is 2 - 2 cos.
    far = np.sqrt(np.maximum(0.0, 2 - 2 * top))
    clear = far[:, 1] <= _RATIO * far[:, 0]
    kept = rows[mutual & clear]
    return np.stack([kept, best[kept]], axis=1)


def _distinct(places: NDArray[np.float32]) -> int:
    return len(np.unique(np.round(places), axis=0))


def _outline(
    matrix: NDArray[np.float64], known_rgb: Rgb, query_rgb: Rgb, *, mirrored: bool
) -> tuple[Point, ...] | None:
    """The known picture's frame in the query, cut at the query's; None if no camera does that."""
    corners = _corners(known_rgb)
    depth = np.c_[corners, np.ones(4)] @ matrix[2]
    if (depth * np.sign(depth[0]) <= 1e-9).any():
        return None
    height, width = known_rgb.shape[:2]
    if not _plausible(_slope(matrix, width / 2, height / 2), mirrored=mirrored):
        return None
    projected = _project(matrix, corners)
    if not cv2.isContourConvex(projected.astype(np.float32)):
        return None
    return _clip(projected, query_rgb)


def _plausible(slope: NDArray[np.float64], *, mirrored: bool) -> bool:
    """True if scale and stretch at the centre are such as people make, and it is turned right."""
    if bool(np.linalg.det(slope) < 0) != mirrored:
        return False
    large, small = np.linalg.svd(slope, compute_uv=False)
    return bool(_SCALES[0] <= small and large <= _SCALES[1] and large <= _STRETCH * small)


def _slope(matrix: NDArray[np.float64], x: float, y: float) -> NDArray[np.float64]:
    """(2, 2) derivative of the projection at (x, y)."""
    up, across, depth = matrix @ (x, y, 1.0)
    here = np.array([up, across]) / depth
    return np.asarray((matrix[:2, :2] - np.outer(here, matrix[2, :2])) / depth)


def _corners(rgb: Rgb) -> NDArray[np.float64]:
    height, width = rgb.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)


def _project(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = np.c_[points, np.ones(len(points))] @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


def _clip(polygon: NDArray[np.float64], rgb: Rgb) -> tuple[Point, ...] | None:
    """The part of a convex polygon inside the frame of `rgb`; None if that is next to nothing.

    Sutherland and Hodgman, CACM 1974. OpenCV 5.0's intersectConvexConvex loses a corner where
    edges coincide, and those of two versions of one picture do.
    """
    height, width = rgb.shape[:2]
    points = [(float(x), float(y)) for x, y in polygon]
    for axis, limit, sign in ((0, 0, 1), (0, width, -1), (1, 0, 1), (1, height, -1)):
        points = _cut(points, axis, float(limit), sign)
    corners = np.array(points, dtype=np.float32).reshape(-1, 1, 2)
    if len(points) < 3 or cv2.contourArea(corners) < _MIN_AREA_PART * height * width:
        return None
    return tuple(points)


def _cut(points: list[Point], axis: int, limit: float, sign: int) -> list[Point]:
    """What of a polygon lies on one side of the line `axis` = `limit`; sign 1 keeps what is above."""
    kept: list[Point] = []
    for here, there in zip(points, points[1:] + points[:1], strict=True):
        inside = sign * (here[axis] - limit), sign * (there[axis] - limit)
        if inside[0] >= 0:
            kept.append(here)
        if min(inside) < 0 < max(inside):
            part = inside[0] / (inside[0] - inside[1])
            met = [here[0] + part * (there[0] - here[0]), here[1] + part * (there[1] - here[1])]
            met[axis] = limit
            kept.append((met[0], met[1]))
    return kept


def _box(polygon: tuple[Point, ...], rgb: Rgb) -> tuple[int, int, int, int]:
    """Whole pixels around `polygon`; what sticks out by less than a quarter is rounding."""
    height, width = rgb.shape[:2]
    low, high = np.min(polygon, axis=0), np.max(polygon, axis=0)
    left, top = (max(0, int(np.floor(value + 0.25))) for value in low)
    right, bottom = (int(np.ceil(value - 0.25)) for value in high)
    right, bottom = min(width, max(left + 1, right)), min(height, max(top + 1, bottom))
    return left, top, right - left, bottom - top


def _mirror(width: int) -> NDArray[np.float64]:
    return np.array([[-1.0, 0.0, width], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
