"""The quick way for ordinary JPEG, which is nine uploads in ten: 7 ms a megapixel instead of 13."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haechi.media.colour import plain_srgb

_ORIENTATION = 0x0112
_COLOUR = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
_GREY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
_START_OF_SCAN = 0xDA
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})


def decode(data: bytes, image: Image.Image) -> NDArray[np.uint8] | None:
    """The pixels by OpenCV, or None if this file needs Pillow's care (CMYK, a profile, no end).

    `image` is the same file opened by Pillow, header only; it knows mode, profile and orientation.
    """
    return _decoded(data, image, _COLOUR, (image.height, image.width, 3))


def grey(data: bytes, image: Image.Image) -> NDArray[np.uint8] | None:
    """The luminance alone, uint8 (height, width), in half the time; None as `decode`.

    It is in the file as such. That of the pixels differs where a colour had to be clipped.
    """
    return _decoded(data, image, _GREY, (image.height, image.width))


def _decoded(
    data: bytes, image: Image.Image, flags: int, shape: tuple[int, ...]
) -> NDArray[np.uint8] | None:
    if image.mode not in {"RGB", "L"} or not plain_srgb(image.info.get("icc_profile"), image.mode):
        return None
    if not ends_properly(data):
        return None
    try:
        pixels = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error:
        return None
    if pixels is None or pixels.shape != shape:
        return None
    turned = turn(pixels.astype(np.uint8, copy=False), int(image.getexif().get(_ORIENTATION, 1)))
    return np.ascontiguousarray(turned)


def turn(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Apply an EXIF orientation 1..8 (CIPA DC-008, tag 0x0112); any other value changes nothing."""
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    return pixels


def ends_properly(data: bytes) -> bool:
    """True if an end-of-image marker follows the first scan.

    Inside entropy-coded data 0xFF is always stuffed, so any FF D9 there is an end; looked for from
    behind, where it mostly is. The segments before it are stepped over: an EXIF thumbnail has an
    end marker of its own.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            return data.rfind(b"\xff\xd9", at) >= 0
        if marker == 0xFF:
            at += 1
        elif marker in _STANDALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False
