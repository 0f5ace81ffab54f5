"""Metadata in GIF (GIF89a): comments and application extensions."""

from haechi.labels.reading import xmp
from haechi.labels.reading.haul import Haul

_EXTENSION, _IMAGE, _COMMENT, _APPLICATION = 0x21, 0x2C, 0xFE, 0xFF
# Blocks have 255 bytes at most, so that the pictures of a long animation have hundreds of thousands.
_BLOCKS_A_STEP = 16
_TRAILER = b"\x01\xff\xfe"
# The blocks before it are XMP itself: its bytes serve as lengths, and this brings readers back in step.


def read(data: bytes, haul: Haul) -> None:
    """Every extension until the end of the last picture."""
    if len(data) < 13:
        haul.lie("gif")
        return
    haul.width, haul.height = (
        int.from_bytes(data[6:8], "little"),
        int.from_bytes(data[8:10], "little"),
    )
    at = 13 + _table(data[10])
    while at < len(data):
        haul.step()
        if data[at] == _EXTENSION:
            at = _extension(data, at + 1, haul)
        elif data[at] == _IMAGE and at + 10 <= len(data):
            at = _skip(data, at + 10 + _table(data[at + 9]) + 1, haul)
        else:
            return
    haul.lie("gif")


def _table(packed: int) -> int:
    """Bytes of the colour table that follows, by its flags."""
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _extension(data: bytes, at: int, haul: Haul) -> int:
    kind = data[at] if at < len(data) else 0
    name = data[at + 2 : at + 13]
    if kind == _COMMENT:
        body, after = _blocks(data, at + 1, haul)
        haul.text("gif:comment", "text:comment", body)
        return after
    if kind == _APPLICATION and name.startswith(b"XMP Data"):
        end = data.find(_TRAILER, at + 13)
        if end < 0:
            haul.lie("gif:xmp")
            return len(data)
        xmp.read(haul.piece("gif:xmp", memoryview(data)[at + 13 : end]), "gif:xmp", haul)
        return end + 258
    if kind == _APPLICATION and name.startswith(b"C2PA"):
        haul.traces.add("c2pa")
    return _skip(data, at + 1, haul)


def _skip(data: bytes, at: int, haul: Haul) -> int:
    blocks = 0
    while at < len(data) and data[at]:
        at += 1 + data[at]
        blocks += 1
        if blocks % _BLOCKS_A_STEP == 0:
            haul.step()
    if at >= len(data):
        haul.lie("gif")
    return at + 1


def _blocks(data: bytes, at: int, haul: Haul) -> tuple[bytes, int]:
    parts: list[bytes] = []
    while at < len(data) and data[at]:
        if len(parts) % _BLOCKS_A_STEP == 0:
            haul.step()
        parts.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    if at >= len(data):
        haul.lie("gif")
    return b"".join(parts), at + 1
