"""From the bytes of a picture or video to the pixels a viewer would show."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from haechi.errors import BrokenMedia, MediaError, TooManyBytes, TooManyPixels, UnsupportedMedia
from haechi.media import frames, header, heif, jpeg, video
from haechi.media.colour import renderings
from haechi.media.kind import Kind, sniff
from haechi.media.limits import DEFAULT, Limits
from haechi.media.quiet import quiet

PILLOW_FORMATS = {
    Kind.JPEG: "JPEG",
    Kind.PNG: "PNG",
    Kind.WEBP: "WEBP",
    Kind.GIF: "GIF",
    Kind.BMP: "BMP",
    Kind.TIFF: "TIFF",
    Kind.HEIC: heif.PLUGIN,
    Kind.AVIF: "AVIF",
}
"""Kinds of pictures, and the one Pillow plugin each may reach: a file that is a PNG to `sniff`
and something else to another parser is opened as a PNG or not at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture, or one frame of a video.

    Attributes:
        rgb: uint8 of shape (height, width, 3) in sRGB, C-contiguous, turned as its EXIF asks, with
            transparency laid on white. Of an animation, the first frame.
        kind: What the file was.
        more: What else somebody may see, uint8 (h, w, 3) each: the first frame with transparency
            on black, or without its gamma; then other frames and images of the file.
    """

    rgb: NDArray[np.uint8]
    kind: Kind
    more: tuple[NDArray[np.uint8], ...] = ()

    @property
    def height(self) -> int:
        """Rows, after turning."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Columns, after turning."""
        return int(self.rgb.shape[1])


def decode(data: bytes, *, limits: Limits = DEFAULT, at_s: float | None = None) -> Picture:
    """Decode the picture in `data`, in this process and without a time limit (see Sandbox).

    Of a video the frame shown at `at_s` seconds, or the last if it is shorter; without `at_s` the
    first that is no fade or title on a plain ground.

    The header's dimensions are checked before a pixel is decoded. Raises NotMedia,
    UnsupportedMedia (a codec that is not opened), TooManyBytes, TooManyPixels, TooManyFrames or
    BrokenMedia, and nothing else. A picture cut short is broken: what is missing would be grey,
    and grey would be fingerprinted. Of a video the part that is there counts.
    """
    kind = sniff(data)
    if kind.is_video:
        return Picture(video.still(data, limits, at_s), kind)
    if len(data) > limits.bytes:
        msg = f"{len(data)} bytes; the limit is {limits.bytes}"
        raise TooManyBytes(msg)
    plugin = PILLOW_FORMATS.get(kind)
    if plugin is None:
        msg = f"{kind.value} is not opened here"
        raise UnsupportedMedia(msg)
    with told(kind):
        rgb, *more = _pixels(data, kind, plugin, limits)
        return Picture(rgb, kind, tuple(more))


def luminance(data: bytes, *, limits: Limits = DEFAULT) -> NDArray[np.uint8] | None:
    """uint8 (height, width) of an ordinary JPEG, turned as its EXIF asks, in half of `decode`'s time.

    None for whatever else: there `decode` must look. Raises what it raises.
    """
    kind = sniff(data)
    if kind is not Kind.JPEG or len(data) > limits.bytes:
        return None
    with told(kind):
        claimed = header.size(data, kind)
        if claimed is not None:
            check_size(*claimed, limits)
        formats = [PILLOW_FORMATS[kind]]
        with Image.open(io.BytesIO(data), formats=formats) as image:  # noqa: TID251 - as decode
            check_size(*image.size, limits)
            return jpeg.grey(data, image)


def transparency(data: bytes, *, limits: Limits = DEFAULT) -> NDArray[np.uint8] | None:
    """uint8 (height, width): the alpha channel of a PNG or WebP as it is stored, not turned.

    None where there is none, or for other kinds. Raises what `decode` raises.
    """
    kind = sniff(data)
    if kind not in {Kind.PNG, Kind.WEBP} or len(data) > limits.bytes:
        return None
    with told(kind):
        claimed = header.size(data, kind)
        if claimed is not None:
            check_size(*claimed, limits)
        formats = [PILLOW_FORMATS[kind]]
        with Image.open(io.BytesIO(data), formats=formats) as image:  # noqa: TID251 - as decode
            check_size(*image.size, limits)
            if image.mode != "RGBA":
                return None
            return np.asarray(image.getchannel("A"), dtype=np.uint8)


@contextmanager
def told(kind: Kind) -> Iterator[None]:
    """Whatever a decoder raises becomes a MediaError."""
    try:
        with quiet():
            yield
    except MediaError:
        raise
    except MemoryError as error:
        msg = f"{kind.value} needs more memory than there is"
        raise BrokenMedia(msg) from error
    except Image.DecompressionBombError as error:
        msg = f"{kind.value}: {error}"
        raise TooManyPixels(msg) from error
    except Exception as error:  # hostile input makes decoders raise struct.error, KeyError, ..
        msg = f"{kind.value} cannot be decoded: {type(error).__name__}"
        raise BrokenMedia(msg) from error


def _pixels(data: bytes, kind: Kind, plugin: str, limits: Limits) -> list[NDArray[np.uint8]]:
    """The picture, then what else the file can show."""

    def check(width: int, height: int) -> None:
        check_size(width, height, limits)

    if kind is Kind.HEIC:
        heif.register()
    claimed = header.size(data, kind)
    if claimed is not None:
        check(*claimed)
    with Image.open(io.BytesIO(data), formats=[plugin]) as image:  # noqa: TID251 - this is decode
        check(*image.size)
        fast = jpeg.decode(data, image) if kind is Kind.JPEG else None
        if fast is None:
            image.load()
            check(*image.size)
            first, *seen_otherwise = renderings(ImageOps.exif_transpose(image))
        else:
            first, seen_otherwise = fast, []
        further = frames.others(image, kind, limits, check)
        return [first, *map(frames.shrunk, seen_otherwise), *further]


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise BrokenMedia for no pixels at all, and TooManyPixels beyond the limits."""
    if width < 1 or height < 1:
        msg = f"a picture of {width} x {height} pixels"
        raise BrokenMedia(msg)
    if max(width, height) > limits.side_px:
        msg = f"{width} x {height}; the longest side may be {limits.side_px}"
        raise TooManyPixels(msg)
    if width * height > limits.pixels:
        msg = f"{width} x {height} pixels; the limit is {limits.pixels}"
        raise TooManyPixels(msg)
