"""Hashed frames of a video, and the form in which they are kept."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from haechi.errors import FingerprintError
from haechi.fingerprint.pdq import Pdq

FRAME_BYTES = 37
"""uint32 milliseconds, uint8 quality, 32 bytes of PDQ; big-endian."""

_HEAD = struct.Struct(">IB")
_LAST_MS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a video.

    Attributes:
        seconds: Since the first frame.
        pdq: Its hash and quality.
    """

    seconds: float
    pdq: Pdq


def pack(frames: Iterable[Frame]) -> bytes:
    """FRAME_BYTES for each frame, one after another. Seconds are rounded to milliseconds."""
    return b"".join(
        _HEAD.pack(min(_LAST_MS, max(0, round(frame.seconds * 1000))), frame.pdq.quality)
        + frame.pdq.bits
        for frame in frames
    )


def unpack(packed: bytes) -> tuple[Frame, ...]:
    """The frames of `pack`. Raises FingerprintError if it is cut short."""
    if len(packed) % FRAME_BYTES:
        raise FingerprintError(f"{len(packed)} bytes are no whole number of frames")
    found = []
    for start in range(0, len(packed), FRAME_BYTES):
        milliseconds, quality = _HEAD.unpack_from(packed, start)
        bits = packed[start + _HEAD.size : start + FRAME_BYTES]
        found.append(Frame(milliseconds / 1000, Pdq(bits, quality)))
    return tuple(found)

