"""Hashed frames of a video, and the form in which they are kept."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.errors import FingerprintError
from haechi.fingerprint.pdq import BITS, Pdq

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


def turned(bits: bytes) -> tuple[bytes, ...]:
    """32 bytes in each of pdq.TURNS, told from the hash alone; the first is `bits` itself.

    Turning a picture moves its coefficients about and changes signs (pdq.turned). A bit says
    whether a coefficient exceeds the median, and the median is near zero, so a changed sign is
    a changed bit. Where it is not, bits differ from `pdq.dihedral`: 4 in the median, 20 at most
    over the sample videos at quality >= 50. Good for a search, not for publishing.
    """
    return tuple(row.tobytes() for row in turned_many(np.frombuffer(bits, np.uint8)[None])[:, 0])


def turned_many(hashes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`turned` of n hashes at once: uint8 (n, 32) to (8, n, 32)."""
    places, changed = _TABLE
    unpacked = np.unpackbits(hashes, axis=1)
    return np.packbits(unpacked[:, places].transpose(1, 0, 2) ^ changed[:, None], axis=2)


def _table() -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """For each turn and bit: which bit of the upright hash it is, and whether it is changed.

    The first bit of a hash is that of the last coefficient (pdq.bits_of).
    """
    numbers = np.arange(BITS).reshape(16, 16)
    odd = (np.arange(16) % 2 == 0)[:, None]  # frequencies 1, 3, ..: their sign changes
    across = numbers.T
    none = np.zeros((16, 16), dtype=bool)
    turns = [
        (numbers, none),
        (across, none | odd),
        (numbers, odd ^ odd.T),
        (across, none | odd.T),
        (numbers, none | odd),
        (numbers, none | odd.T),
        (across, none),
        (across, odd ^ odd.T),
    ]
    places = np.stack([BITS - 1 - place.ravel()[::-1] for place, _ in turns])
    changed = np.stack([flip.ravel()[::-1] for _, flip in turns]).astype(np.uint8)
    return places, changed


_TABLE = _table()
