"""An invisible mark that carries a trace id, and is read again from copies.

    marked = embed(rgb, trace_id, key=key)
    found = detect(copy, key=key)  # Detected or None

`pattern` says what is added, `code` how the id is protected, `embedding` how strongly it is added;
`searching`, `demodulating`, `aligning`, `fitting` and `reading` are the way back, which `detecting`
joins. docs/watermark.md has the measurements and the limits. Everything is deterministic. Whoever
has the key can read, make and remove marks; without it there is neither.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.errors import PayloadRefused, TooSmallToMark
from haechi.labels.watermark import code, detecting, embedding
from haechi.labels.watermark.code import payload_of, spelled

BITS = code.BITS
LEAST_SIDE_PX = 256

__all__ = [
    "BITS",
    "LEAST_SIDE_PX",
    "Detected",
    "detect",
    "detect_frames",
    "embed",
    "payload_of",
    "spelled",
]

_LEAST_READ_PX = 96


@dataclass(frozen=True, slots=True)
class Detected:
    """An id that was read.

    Attributes:
        false_alarm: The probability that a picture without a mark gives any id, in as many readings.
        agreement: The part of the 480 coded bits that were read as they should be; 0.5 is chance.
        frames: How many frames speak for it; 1 for a picture.
    """

    payload: int
    false_alarm: float
    agreement: float
    frames: int = 1


def embed(rgb: NDArray[np.uint8], payload: int, *, key: bytes) -> NDArray[np.uint8]:
    """A copy of `rgb` (height, width, 3) that carries `payload`, at a PSNR of at least 40 dB.

    The same arguments give the same pixels. A second mark upon a first leaves both unsure: detect
    first. Raises PayloadRefused (not in 0 .. 2**48 - 1) or TooSmallToMark (a side below 256 pixels).
    """
    if not 0 <= payload < 1 << BITS:
        raise PayloadRefused(payload, BITS)
    height, width = rgb.shape[:2]
    if min(height, width) < LEAST_SIDE_PX:
        raise TooSmallToMark(width, height, LEAST_SIDE_PX)
    return embedding.add(np.ascontiguousarray(rgb), payload, key)


def detect(rgb: NDArray[np.uint8], *, key: bytes) -> Detected | None:
    """What a copy of a marked picture carries, or None: no mark, another key, or too far gone."""
    return detect_frames([rgb], key=key)


def detect_frames(frames: Iterable[NDArray[np.uint8]], *, key: bytes) -> Detected | None:
    """The id that frames of one video carry; those that alone say too little are added up.

    The frames must be marked with the same id. Takes them one at a time and stops at the first sure
    answer, so a generator of frames is decoded no further than needed.
    """
    total = np.zeros(code.CODED_BITS, np.float64)
    readings = 0
    for number, frame in enumerate(frames, 1):
        if min(frame.shape[:2]) < _LEAST_READ_PX:
            continue
        best: detecting.Found | None = None
        for found in detecting.readings(np.ascontiguousarray(frame), key):
            readings += 1
            if found.payload is not None:
                return _detected(found.payload, found.read.soft, key, readings, number)
            if best is None or found.read.pilots > best.read.pilots:
                best = found
        if best is not None:
            soft = best.read.soft
            total += soft / (np.sqrt(np.mean(np.square(soft))) + 1e-12)
        if number > 1:
            readings += 1
            soft = total.astype(np.float32)
            payload = code.decode(soft, key)
            if payload is not None:
                return _detected(payload, soft, key, readings, number)
    return None


def _detected(
    payload: int, soft: NDArray[np.float32], key: bytes, readings: int, frames: int
) -> Detected:
    agreement = float(np.mean((soft > 0) == (code.encode(payload, key) > 0)))
    tried = max(readings, detecting.MOST_READINGS)
    return Detected(payload, tried / 2.0**code.CHECK_BITS, agreement, frames)
