"""The picture as the pixel signals look at it, and what one of them found."""

import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from haechi.media import Kind

type Grey = NDArray[np.float32]
type Mask = NDArray[np.bool_]

LEAST_PX = 256
"""Shorter side below which nothing in the pixels is examined."""

_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Off:
    """A signal that cannot look; `why` is a code of limits."""

    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a signal measured.

    Attributes:
        value: Larger is more suspicious; its distribution is in the calibration set.
        map: Where, float, any shape, covering the examined part; None where there is no place.
        region: True where the odd part is, in the shape of `map`.
        speaks: False if by its own rule nothing was found, whatever the ratio says.
    """

    value: float
    map: Grey | None = None
    region: Mask | None = None
    speaks: bool = True


@dataclass(frozen=True, eq=False)
class Subject:
    """One decoded picture, or a part of it, as it lies in the file, before it is turned as EXIF asks.

    Attributes:
        rgb: uint8 (height, width, 3).
        quality: Of the last JPEG compression, 1..100 by its luminance table; None if none.
    """

    rgb: NDArray[np.uint8]
    quality: float | None

    @cached_property
    def grey(self) -> Grey:
        """Luminance, 0..255."""
        weights = np.array([0.299, 0.587, 0.114], np.float32)
        return np.asarray(cv2.transform(self.rgb, weights[None]), np.float32)


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a file says about how it was saved."""

    orientation: int
    quality: float | None


def header(data: bytes, kind: Kind) -> Header:
    """Of a file that was decoded before; whatever is odd in it counts as not there."""
    if kind is not Kind.JPEG:
        return Header(1, None)
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:  # noqa: TID251 - no pixels are read
            told = int(image.getexif().get(_ORIENTATION, 1))
            tables: dict[int, Any] = getattr(image, "quantization", {})
            return Header(told if 1 <= told <= 8 else 1, _quality(tables.get(0)))
    except Exception:  # noqa: BLE001 - hostile headers raise anything
        return Header(1, None)


LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
"""Quantisation steps of Annex K of ITU-T T.81, row by row."""


def _quality(table: Any) -> float | None:  # noqa: ANN401 - whatever Pillow read
    """The quality of the IJG's scale whose table has this sum."""
    if table is None or len(table) != 64:
        return None
    scale = 100 * sum(table) / sum(LUMINANCE)
    quality = 5000 / scale if scale > 100 else (200 - scale) / 2
    return float(min(100.0, max(1.0, quality)))
