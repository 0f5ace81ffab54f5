"""A part of the picture that appears a second time in it.

SIFT features are paired within the picture, a similarity is fitted to the pairs, and the picture is
laid over itself with it. Patterns repeat too; what tells a copy is that the finest detail, noise
included, is the same: so that is what is compared.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.forensics.pixels.subject import Found, Grey, Off, Subject

_LOOK_PX = 1000
_FEATURES = 2000
_LEAST_FEATURES = 60
_CLEAR = 0.6
_APART_PART = 0.04
_LEAST_PAIRS = 6
_TRIES = 3
_SAME = 0.8
_WINDOW = 15
_THICK_PART = 0.035


def look(subject: Subject) -> Found | Off:
    """The value is the part of the picture, in thousandths, that appears twice; of a picture that was `scaled`. 0.5 s."""
    grey = subject.grey
    pairs = _pairs(grey)
    if pairs is None:
        return Off("off.flat")
    best, where = 0.0, np.zeros(grey.shape, np.bool_)
    for _ in range(_TRIES):
        if len(pairs) < _LEAST_PAIRS:
            break
        here, there = np.ascontiguousarray(pairs[:, :2]), np.ascontiguousarray(pairs[:, 2:])
        fitted: Any = cv2.estimateAffinePartial2D(
            here, there, method=cv2.RANSAC, ransacReprojThreshold=2.0
        )
        matrix, inside = fitted
        if matrix is None or int(inside.sum()) < _LEAST_PAIRS:
            break
        part = _same(grey, np.asarray(matrix, np.float64))
        value = 1000 * float(part.mean())
        if value > best:
            best, where = value, part
        pairs = pairs[inside.ravel() == 0]
    small = cv2.resize(
        where.astype(np.float32), None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA
    )
    heat = np.asarray(small, np.float32)
    return Found(best, heat, heat > 0.3, speaks=best > 0)


def scaled(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The whole picture, at most so large as it is looked at."""
    scale = min(1.0, _LOOK_PX / max(rgb.shape[:2]))
    if scale == 1:
        return np.ascontiguousarray(rgb)
    small = cv2.resize(
        np.ascontiguousarray(rgb), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
    )
    return np.asarray(small, np.uint8)


def _pairs(grey: Grey) -> NDArray[np.float32] | None:
    """float32 (n, 4): from x, y to x, y; None if the picture has too few features."""
    sift: Any = getattr(cv2, "SIFT_create")(nfeatures=_FEATURES)  # noqa: B009 - as index.align
    points, rows = sift.detectAndCompute(np.clip(grey, 0, 255).astype(np.uint8), None)
    if rows is None or len(points) < _LEAST_FEATURES:
        return None
    places = np.array([point.pt for point in points], np.float32)
    unit = np.sqrt(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-6))
    likeness = unit @ unit.T
    apart = _APART_PART * max(grey.shape)
    # A feature's own place, and others there, are no second place.
    near = np.ones(likeness.shape, np.bool_)
    for axis in (0, 1):
        near &= np.abs(places[:, None, axis] - places[None, :, axis]) < apart
    likeness[near] = -1
    first = likeness.argmax(axis=1)
    rank = np.arange(len(first))
    top = likeness[rank, first].copy()
    likeness[rank, first] = -1
    second = likeness.max(axis=1)
    far = np.sqrt(np.maximum(0, 2 - 2 * np.stack([top, second])))
    clear = (far[0] < _CLEAR * far[1]) & (far[0] < 0.45)
    return np.concatenate([places[clear], places[first[clear]]], axis=1)


def _same(grey: Grey, matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where the picture, moved by `matrix`, has the same finest detail as the picture itself."""
    size = grey.shape[1], grey.shape[0]
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.2)
    moved = cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    there = moved - cv2.GaussianBlur(moved, (0, 0), 1.2)
    covered = cv2.warpAffine(np.ones_like(grey), matrix, size) > 0.99

    def box(values: Grey) -> Grey:
        return np.asarray(cv2.boxFilter(values, -1, (_WINDOW, _WINDOW)), np.float32)

    power = np.maximum(0, box(fine * fine)) * np.maximum(0, box(there * there))
    spread = np.sqrt(power)
    likeness = np.where(spread > 1.0, box(fine * there) / np.maximum(spread, 1.0), 0)
    part = (likeness > _SAME) & covered
    # Letters and signs repeat too, and are thin.
    side = max(9, round(_THICK_PART * max(grey.shape)))
    round_one = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = cv2.morphologyEx(part.astype(np.uint8), cv2.MORPH_OPEN, round_one)
    return np.asarray(opened, np.bool_)
