"""What else a file can show: the other frames of an animation, the other images of a container."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from haechi.errors import TooManyPixels
from haechi.media.colour import renderings
from haechi.media.kind import Kind
from haechi.media.limits import Limits

FRAMES = 8
"""Frames looked at, the first included. Each costs a decode and a PDQ."""

_PASSES = 8
"""All frames of an animation together may have this many times the pixels of one picture; the
frames between those looked at have to be decoded too. A longer one is refused: what nobody can
afford to look at must not pass as looked at."""

_KEPT_PIXELS = 4_000_000
"""A further frame with more is made smaller, so that eight of them fit into the sandbox."""

_SHORTEST_MS = 20.0
_SHOWN_AS_ONE = frozenset({Kind.JPEG, Kind.TIFF, Kind.HEIC})
"""Kinds whose further images no page shows: a damaged one does not make the file broken."""


def others(
    image: Image.Image, kind: Kind, limits: Limits, check: Callable[[int, int], None]
) -> Iterator[NDArray[np.uint8]]:
    """uint8 (h, w, 3) of up to FRAMES - 1 further frames, and of each its other renderings.

    `image` is open; `check` is asked about the size of each frame. Raises TooManyPixels, and
    whatever the decoder raises.
    """
    count = int(getattr(image, "n_frames", 1))
    if count < 2:
        return
    width, height = image.size
    if count * width * height > _PASSES * limits.pixels:
        msg = f"{count} frames of {width} x {height} pixels are too many together"
        raise TooManyPixels(msg)
    try:
        for number in _numbers(image, kind, count):
            image.seek(number)
            check(*image.size)
            image.load()
            check(*image.size)
            for rendering in renderings(ImageOps.exif_transpose(image)):
                yield shrunk(rendering)
    except (OSError, SyntaxError, ValueError, EOFError, KeyError):
        if kind not in _SHOWN_AS_ONE:
            raise


def pick(durations: Sequence[float]) -> list[int]:
    """Numbers of at most FRAMES frames: the first, then by time, then by number, ascending.

    By time, because a frame that stays on the screen is what people see, whatever flickers by
    before and after it: one that is shown for a seventh of the time is always among them.
    """
    ends = list(accumulate(max(duration, _SHORTEST_MS) for duration in durations))
    slots = FRAMES - 1
    moments = [(slot + 0.5) * ends[-1] / slots for slot in range(slots)]
    by_time = [int(place) for place in np.searchsorted(ends, moments, side="right")]
    evenly = [slot * (len(ends) - 1) // slots for slot in range(FRAMES)]
    chosen = list(dict.fromkeys([0, *by_time, *evenly]))
    return sorted(chosen[:FRAMES])


def shrunk(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture at no more than _KEPT_PIXELS pixels."""
    scale = (_KEPT_PIXELS / (rgb.shape[0] * rgb.shape[1])) ** 0.5
    if scale >= 1:
        return rgb
    size = (max(1, int(rgb.shape[1] * scale)), max(1, int(rgb.shape[0] * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _numbers(image: Image.Image, kind: Kind, count: int) -> list[int]:
    """The frames to look at, without the first."""
    if count <= FRAMES:
        return list(range(1, count))
    if kind in _SHOWN_AS_ONE:
        return pick([0.0] * count)[1:]
    durations = []
    for number in range(count):
        image.seek(number)
        if kind in {Kind.WEBP, Kind.AVIF}:  # the others know it from the frame's header
            image.load()
        durations.append(float(image.info.get("duration") or 0))
    return pick(durations)[1:]
