"""Dimensions read straight from the header, where Pillow allocates before it tells them."""

import struct

from haechi.media.kind import Kind


def size(data: bytes, kind: Kind) -> tuple[int, int] | None:
    """(width, height) as the header claims them, or None where Pillow's own look is safe.

    Pillow opens JPEG, GIF, BMP and TIFF lazily. For WebP, AVIF and HEIC it hands the file to a library
    that allocates the canvas, and PNG is the classic bomb, so these are read here first.
    """
    if kind is Kind.PNG and data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if kind is Kind.WEBP:
        return _webp(data)
    if kind in {Kind.AVIF, Kind.HEIC}:
        return _heif(data)
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    """The canvas of the first chunk (RFC 9649, sections 2.5 to 2.7)."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        packed = int.from_bytes(body[1:5], "little")
        return 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _heif(data: bytes) -> tuple[int, int] | None:
    """The largest `ispe` property among the first 64 (ISO/IEC 23008-12, section 6.5.3)."""
    widest: tuple[int, int] | None = None
    at = 0
    for _ in range(64):
        at = data.find(b"ispe", at, 65536)
        if at < 0 or at + 16 > len(data):
            break
        claimed = struct.unpack(">II", data[at + 8 : at + 16])
        if widest is None or claimed[0] * claimed[1] > widest[0] * widest[1]:
            widest = (claimed[0], claimed[1])
        at += 4
    return widest
