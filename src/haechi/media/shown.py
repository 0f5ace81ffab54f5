"""One frame of a video as a viewer would show it: turned, stretched, in sRGB."""

from dataclasses import dataclass, field

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

from haechi.media.jpeg import turn

type Samples = NDArray[np.uint8] | NDArray[np.uint16]

_RGB_LUMA = (0.299, 0.587, 0.114)
_FULL_RANGE = 2
_MATRICES = {1: (0.2126, 0.0722), 7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
"""Red and blue parts of the luminance by AVColorSpace (ITU-T H.273, table 4). What is not said is
BT.601, as libswscale takes it, and with it everybody who hashes frames made by libswscale."""

_BT601 = (0.299, 0.114)
_GLANCE = (24, 32)


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A decoded frame. It holds the decoder's memory: take from it what is needed, and let it go.

    Attributes:
        seconds: Since the first frame of the video.
        width: Pixels, as shown.
        height: Pixels, as shown.
    """

    seconds: float
    width: int
    height: int
    _frame: av.VideoFrame = field(repr=False)
    _orientation: int = 1

    def rgb(self, side_px: int | None = None) -> NDArray[np.uint8]:
        """uint8 (height, width, 3) in sRGB, upright, with square pixels; no side over `side_px`."""
        across = self._orientation >= 5
        width, height = (self.height, self.width) if across else (self.width, self.height)
        scale = 1.0 if side_px is None else min(1.0, side_px / max(width, height))
        small = self._frame.reformat(
            width=max(1, round(width * scale)),
            height=max(1, round(height * scale)),
            format="rgb24",
            interpolation="AREA" if scale < 1 else "BICUBIC",
        )
        pixels = np.asarray(small.to_ndarray(), dtype=np.uint8)
        return np.ascontiguousarray(turn(pixels, self._orientation))

    def luma_planes(self) -> list[tuple[Samples, float]]:
        """Planes, upright, and weights with which they add up to 0.299 R + 0.587 G + 0.114 B.

        Up to a constant, in steps of 1 / 255 of white, and without the rounding and clipping of a
        conversion to RGB. Planes may differ in size; each covers the frame. Of formats that are
        not planar YUV the grey of `rgb` is the only plane.
        """
        form = self._frame.format
        name = form.name
        planar = name.startswith(("yuv", "gray")) and not name.endswith("be") and form.is_planar
        if name == "gray":
            planar = True
        if not planar or form.components[0].bits > 16:
            grey = cv2.cvtColor(self.rgb(), cv2.COLOR_RGB2GRAY)
            return [(np.asarray(grey, dtype=np.uint8), 1.0)]
        weights = _weights(self._frame)
        planes = zip(range(len(self._frame.planes)), weights, strict=False)
        return [(self._plane(number), weight) for number, weight in planes if abs(weight) > 1e-6]

    def glance(self) -> NDArray[np.uint8]:
        """uint8 (24, 32): some samples of the first plane, not turned; to see a scene change by."""
        rows, columns = _GLANCE
        plane = _pixels(self._frame, 0)
        down = np.arange(rows) * plane.shape[0] // rows
        across = np.arange(columns) * plane.shape[1] // columns
        seen = plane[down[:, None], across[None, :]]
        shift = max(0, self._frame.format.components[0].bits - 8) if seen.itemsize == 2 else 0
        return np.asarray(seen >> shift, dtype=np.uint8)

    def _plane(self, number: int) -> Samples:
        pixels = _pixels(self._frame, number)
        return np.ascontiguousarray(turn(pixels[..., None], self._orientation)[..., 0])  # type: ignore[arg-type]


def orientation_of(frame: av.VideoFrame) -> int:
    """The display matrix of a frame as an EXIF orientation 1..8, to the nearest quarter turn."""
    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return 1
    a, b, _, c, d = np.frombuffer(memoryview(matrix), dtype="<i4")[:5].astype(float)
    return _exif(a, b, c, d)


def _exif(a: float, b: float, c: float, d: float) -> int:
    """Pixel (x, y) is shown at (a x + c y, b x + d y), with y downwards."""
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}[
            (a >= 0, d >= 0)
        ]
    return {(True, True): 5, (True, False): 6, (False, False): 7, (False, True): 8}[
        (b >= 0, c >= 0)
    ]


def _pixels(frame: av.VideoFrame, number: int) -> Samples:
    """The samples of one plane as a view, without the padding of its lines."""
    plane = frame.planes[number]
    kind = np.dtype(np.uint16 if frame.format.components[0].bits > 8 else np.uint8)
    stride = plane.line_size // kind.itemsize
    lines: Samples = np.frombuffer(memoryview(plane), dtype=kind)
    return lines[: stride * plane.height].reshape(plane.height, stride)[:, : plane.width]


def _weights(frame: av.VideoFrame) -> tuple[float, float, float]:
    """What Y, U and V of a frame weigh in the luminance that PDQ is defined on."""
    full = frame.color_range == _FULL_RANGE or frame.format.name.startswith(("yuvj", "gray"))
    depth = 2.0 ** (8 - frame.format.components[0].bits)
    red, blue = _MATRICES.get(frame.colorspace, _BT601)
    green = 1.0 - red - blue
    to_red, to_green, to_blue = _RGB_LUMA
    by_u = to_blue * 2 * (1 - blue) - to_green * 2 * blue * (1 - blue) / green
    by_v = to_red * 2 * (1 - red) - to_green * 2 * red * (1 - red) / green
    luma, chroma = (1.0, 1.0) if full else (255 / 219, 255 / 224)
    return depth * luma, depth * chroma * by_u, depth * chroma * by_v
