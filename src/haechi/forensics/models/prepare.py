"""From a picture to what a model is shown, exactly as its card says."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haechi.errors import NothingToShow
from haechi.forensics.models.card import Card, Input, View
from haechi.media.faces import Face

type Rgb = NDArray[np.uint8]

_PILLOW = {
    "pillow_bilinear": Image.Resampling.BILINEAR,
    "pillow_bicubic": Image.Resampling.BICUBIC,
}
_OPENCV = {"opencv_linear": cv2.INTER_LINEAR, "opencv_area": cv2.INTER_AREA}


def shown(card: Card, rgb: Rgb, faces: Sequence[Face]) -> list[tuple[Rgb, Face | None]]:
    """What of uint8 (height, width, 3) the model is shown, at its size, and whose face that is.

    Raises NothingToShow, whose code of a limit says why: no face, too small, too large.
    """
    view = card.view
    if view.what == "image":
        return [(_fitted(view, _checked(view, rgb)), None)]
    chosen = _chosen(view, faces)
    if not chosen:
        raise NothingToShow("limit.model_no_face")
    large = [one for one in chosen if min(_box(rgb, one)[2:]) >= view.least_px]
    if not large:
        raise NothingToShow("limit.model_too_small")
    return [(_fitted(view, _cut_face(view, rgb, one)), one) for one in large]


def numbers(told: Input, rgb: Rgb) -> NDArray[np.float32]:
    """(1, 3, height, width) or (1, height, width, 3) of a picture that is at its size."""
    pixels = rgb[:, :, ::-1] if told.colour == "BGR" else rgb
    mean, std = np.array(told.mean, np.float32), np.array(told.std, np.float32)
    made = (pixels.astype(np.float32) * np.float32(told.scale) - mean) / std
    if told.layout == "NCHW":
        made = made.transpose(2, 0, 1)
    return np.ascontiguousarray(made[None], np.float32)


def _checked(view: View, rgb: Rgb) -> Rgb:
    height, width = rgb.shape[:2]
    if min(height, width) < view.least_px:
        raise NothingToShow("limit.model_too_small")
    if view.fit == "whole" and height * width > view.most_pixels:
        raise NothingToShow("limit.model_too_large")
    return rgb


def _chosen(view: View, faces: Sequence[Face]) -> list[Face]:
    usable = [one for one in faces if view.crop == "box" or one.landmarks is not None]
    usable.sort(key=_area, reverse=True)
    if view.which == "largest":
        return usable[:1]
    if view.which == "half_of_largest":
        return [one for one in usable if _area(one) >= _area(usable[0]) / 2]
    return usable


def _area(face: Face) -> float:
    return face.width * face.height


def _box(rgb: Rgb, face: Face) -> tuple[float, float, float, float]:
    """Left, top, width and height in pixels."""
    height, width = rgb.shape[:2]
    return face.x * width, face.y * height, face.width * width, face.height * height


def _cut_face(view: View, rgb: Rgb, face: Face) -> Rgb:
    if view.crop == "aligned":
        return _aligned(view, rgb, face)
    left, top, width, height = _box(rgb, face)
    more = view.margin
    x0, y0 = max(0, int(left - more[0] * width)), max(0, int(top - more[1] * height))
    x1 = min(rgb.shape[1], int(left + width + more[2] * width) + 1)
    y1 = min(rgb.shape[0], int(top + height + more[3] * height) + 1)
    return rgb[y0:y1, x0:x1]


def _aligned(view: View, rgb: Rgb, face: Face) -> Rgb:
    """Turned, moved and scaled so that eyes, nose and mouth come as near the template's as can be.

    Least squares (Umeyama 1991) without a mirror; black where the picture ends.
    """
    size = np.array([view.width, view.height], np.float64)
    height, width = rgb.shape[:2]
    seen = np.array(face.landmarks, np.float64) * [width, height]
    wanted = np.array(view.template, np.float64) * size
    a, b = (points - points.mean(axis=0) for points in (seen, wanted))
    one, two = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    spin = np.vdot(one, two) / max(float(np.vdot(one, one).real), 1e-12)
    turn = np.array([[spin.real, -spin.imag], [spin.imag, spin.real]])
    move = wanted.mean(axis=0) - turn @ seen.mean(axis=0)
    matrix = np.hstack([turn, move[:, None]])
    made = cv2.warpAffine(np.ascontiguousarray(rgb), matrix, (int(size[0]), int(size[1])))
    return np.asarray(made, np.uint8)


def _fitted(view: View, rgb: Rgb) -> Rgb:
    if view.fit == "whole" or view.width is None or view.height is None:
        return rgb
    if view.fit == "squeeze":
        return _resized(rgb, view.width, view.height, view.resize)
    if view.fit == "shorter_side" and view.shorter_side is not None:
        height, width = rgb.shape[:2]
        # As torchvision: the longer side is cut to whole pixels, not rounded.
        if width <= height:
            size = (view.shorter_side, int(view.shorter_side * height / width))
        else:
            size = (int(view.shorter_side * width / height), view.shorter_side)
        rgb = _resized(rgb, *size, view.resize)
    return _middle(rgb, view.width, view.height)


def _resized(rgb: Rgb, width: int, height: int, how: str) -> Rgb:
    """As Pillow does it, which reads every pixel when it shrinks, or as OpenCV does, which may not."""
    if rgb.shape[:2] == (height, width):
        return rgb
    if how in _PILLOW:
        made = Image.fromarray(np.ascontiguousarray(rgb)).resize((width, height), _PILLOW[how])
        return np.asarray(made, np.uint8)
    found = cv2.resize(np.ascontiguousarray(rgb), (width, height), interpolation=_OPENCV[how])
    return np.asarray(found, np.uint8)


def _middle(rgb: Rgb, width: int, height: int) -> Rgb:
    """The middle, with black around what is too small: torchvision's CenterCrop, to the pixel."""
    high, wide = rgb.shape[:2]
    if wide < width or high < height:
        across, down = max(width - wide, 0), max(height - high, 0)
        sides = ((down // 2, (down + 1) // 2), (across // 2, (across + 1) // 2), (0, 0))
        rgb = np.pad(rgb, sides)
        high, wide = rgb.shape[:2]
    top, left = round((high - height) / 2.0), round((wide - width) / 2.0)
    return rgb[top : top + height, left : left + width]
