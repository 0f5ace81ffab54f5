"""What a file is apart from what it shows: the things that give a class away by accident."""

import hashlib
from dataclasses import dataclass

import numpy as np

from haechi.media import decode, sniff

_LUMINANCE_50 = 57.6
"""Mean of the luminance table of the JPEG standard (T.81, Annex K), which is quality 50."""

_MOST_SEGMENTS = 200
_QUANTISATION, _SCAN = 0xDB, 0xDA


@dataclass(frozen=True, slots=True)
class Look:
    """Of one file.

    Attributes:
        kind: "jpeg", "png" ...
        quality: Of a JPEG, 1..100 as common encoders count it, from its tables; else None.
        longest_px: Longer side; `aspect`, longer by shorter side.
        bits_per_pixel: Length of the file by its pixels.
        sha256: Of the file.
    """

    kind: str
    quality: float | None
    longest_px: int
    aspect: float
    bits_per_pixel: float
    sha256: str


def look(data: bytes) -> Look:
    """Top-level, for `Sandbox.run`. Raises MediaError."""
    rgb = np.asarray(decode(data).rgb)
    height, width = rgb.shape[:2]
    return Look(
        kind=sniff(data).value,
        quality=jpeg_quality(data),
        longest_px=max(height, width),
        aspect=max(height, width) / min(height, width),
        bits_per_pixel=8 * len(data) / (height * width),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def pixels(data: bytes) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """uint8 (height, width, 3). Top-level, for `Sandbox.run`. Raises MediaError."""
    return np.ascontiguousarray(decode(data).rgb, np.uint8)


def jpeg_quality(data: bytes) -> float | None:
    """1..100 of the first quantisation table, or None for what is no JPEG or has none."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return None
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _SCAN or length < 2:
            return None
        if marker == _QUANTISATION:
            return _quality(data[at + 4 : at + 2 + length])
        at += 2 + length
    return None


def _quality(table: bytes) -> float | None:
    wide = bool(table) and table[0] >> 4 == 1
    size = 128 if wide else 64
    if len(table) < 1 + size:
        return None
    values = np.frombuffer(table[1 : 1 + size], ">u2" if wide else np.uint8)
    scale = 100 * float(values.mean()) / _LUMINANCE_50
    found = 5000 / scale if scale > 100 else (200 - scale) / 2
    return round(min(100.0, max(1.0, found)), 1)
