"""A picture to be drawn on and written again: every frame, with its transparency."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from haechi.errors import TooManyBytes, TooManyPixels, UnsupportedMedia
from haechi.media import header, heif
from haechi.media.colour import renderings, shows_through, to_rgb
from haechi.media.decoding import PILLOW_FORMATS, check_size, told
from haechi.media.kind import Kind, sniff
from haechi.media.limits import DEFAULT, Limits

_ANIMATED = frozenset({Kind.PNG, Kind.GIF, Kind.WEBP, Kind.AVIF, Kind.TIFF})
"""Kinds of which all frames are written again; of others, further images are thumbnails and maps."""
_USUAL_MS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One frame or page: uint8 (height, width, 3) in sRGB, turned upright; `alpha` (height, width)."""

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None
    milliseconds: int


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """A whole picture. `loop` is how often an animation plays, 0 for ever."""

    kind: Kind
    layers: tuple[Layer, ...]
    loop: int = 0
    lossless: bool = True


def layers(data: bytes, *, limits: Limits = DEFAULT) -> Layers:
    """Decode all of a picture, in this process. Raises as `decode`, and UnsupportedMedia for a video.

    All frames together may have as many pixels as one picture.
    """
    kind = sniff(data)
    plugin = PILLOW_FORMATS.get(kind)
    if plugin is None:
        raise UnsupportedMedia(f"{kind.value} is no picture")
    if len(data) > limits.bytes:
        raise TooManyBytes(f"{len(data)} bytes; the limit is {limits.bytes}")
    with told(kind):
        if kind is Kind.HEIC:
            heif.register()
        claimed = header.size(data, kind)
        if claimed is not None:
            check_size(*claimed, limits)
        with Image.open(io.BytesIO(data), formats=[plugin]) as image:  # noqa: TID251 - as decode
            check_size(*image.size, limits)
            lossless = kind not in {Kind.JPEG, Kind.AVIF, Kind.HEIC} and not _lossy_webp(data, kind)
            loop = image.info.get("loop", 0)
            found = tuple(_frames(image, kind, limits))
            return Layers(kind, found, loop if isinstance(loop, int) else 0, lossless)


def _frames(image: Image.Image, kind: Kind, limits: Limits) -> Iterator[Layer]:
    count = int(getattr(image, "n_frames", 1)) if kind in _ANIMATED else 1
    if count * image.width * image.height > limits.pixels:
        raise TooManyPixels(f"{count} frames of {image.width} x {image.height} pixels")
    for number in range(count):
        if number:
            image.seek(number)
        check_size(*image.size, limits)
        image.load()
        check_size(*image.size, limits)
        yield _layer(ImageOps.exif_transpose(image), image.info)


def _layer(image: Image.Image, info: dict[str | tuple[int, int], object]) -> Layer:
    duration = info.get("duration")
    shown_ms = round(duration) if isinstance(duration, int | float) and duration > 0 else _USUAL_MS
    if not shows_through(image):
        return Layer(renderings(image)[0], None, shown_ms)
    profile = image.info.get("icc_profile")
    rgba = image.convert("RGBA")
    rgb = to_rgb(rgba.convert("RGB"), profile if isinstance(profile, bytes) and profile else None)
    alpha = np.array(rgba.getchannel("A"), dtype=np.uint8, order="C")
    return Layer(rgb, alpha, shown_ms)


def _lossy_webp(data: bytes, kind: Kind) -> bool:
    return kind is Kind.WEBP and b"VP8 " in data[:4096]
