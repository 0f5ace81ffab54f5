"""PNG: XMP in iTXt, labels also in tEXt or zTXt, EXIF in eXIf, C2PA in caBX (PNG 3, section 11.3)."""

import struct
import zlib
from collections.abc import Iterable

from haechi.errors import BrokenMedia
from haechi.labels.aigc import KEYWORD
from haechi.labels.writing import xmp
from haechi.labels.writing.carriers import exif
from haechi.labels.writing.carriers.taken import Taken

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP = b"XML:com.adobe.xmp"
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_CARRIED = _TEXTS | {b"eXIf", b"pHYs", b"tIME"}
_MOST = 200_000
_LONGEST_BYTES = 1 << 20
_LABELS = 16
"""Each may have to be unpacked, and parsed."""

type Chunk = tuple[bytes, bytes]


def take(data: bytes) -> Taken:
    """See the package."""
    kept: list[Chunk] = []
    packets: list[bytes] = []
    labels: list[str] = []
    for kind, body in _chunks(data):
        keyword = body[:80].split(b"\0", 1)[0] if kind in _TEXTS else b""
        if len(packets) + len(labels) > _LABELS:
            raise BrokenMedia("a PNG with more labels than anybody writes")
        if keyword == _XMP:
            packets.append(_text(kind, body))
        elif keyword == KEYWORD.encode():
            labels.append(_text(kind, body).decode("utf-8", "replace"))
        elif kind == b"eXIf":
            clear = exif.cleared(body)
            labels += clear.labels
            kept.append((kind, clear.data))
        elif kind != b"caBX":
            kept.append((kind, body))
    for packet in packets[1:]:
        labels += xmp.labels(packet)
    return Taken(_joined(kept), packets[0] if packets else None, tuple(labels))


def put(rest: bytes, xmp: bytes) -> bytes:
    """See the package."""
    first, *others = _chunks(rest)
    return _joined([first, (b"iTXt", _XMP + b"\0\0\0\0\0" + xmp), *others])


def carry(rest: bytes, drawn: bytes) -> bytes:
    """See the package. Not profiles, gamma and palettes: those belong to the old pixels."""
    first, *others = _chunks(drawn)
    brought: list[Chunk] = []
    for kind, body in _chunks(rest):
        turned = exif.upright(body) if kind == b"eXIf" else body
        if kind in _CARRIED and turned is not None:
            brought.append((kind, turned))
    new = [chunk for chunk in others if chunk[0] not in _CARRIED]
    return _joined([first, *brought, *new])


def _chunks(data: bytes) -> list[Chunk]:
    """All chunks up to IEND. What follows it is no part of the picture, and is left out."""
    chunks: list[Chunk] = []
    at = len(_SIGNATURE)
    while len(chunks) < _MOST:
        if at + 12 > len(data):
            raise BrokenMedia("a PNG that ends in the middle of a chunk")
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            raise BrokenMedia("a PNG with a chunk that is longer than the file")
        kind = data[at + 4 : at + 8]
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
        if kind == b"IEND":
            return chunks
    raise BrokenMedia("a PNG of more chunks than any picture has")


def _joined(chunks: Iterable[Chunk]) -> bytes:
    parts = [_SIGNATURE]
    for kind, body in chunks:
        crc = zlib.crc32(body, zlib.crc32(kind))
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", crc)]
    return b"".join(parts)


def _text(kind: bytes, body: bytes) -> bytes:
    """The text of a text chunk; nothing, if it cannot be unpacked within the limit."""
    _, _, rest = body.partition(b"\0")
    if kind == b"tEXt":
        return rest[:_LONGEST_BYTES]
    packed = True
    if kind == b"zTXt":
        rest = rest[1:]
    else:
        packed = rest[:1] == b"\1"
        rest = rest[2:].split(b"\0", 2)[-1]
    if not packed:
        return rest[:_LONGEST_BYTES]
    try:
        return zlib.decompressobj().decompress(rest, _LONGEST_BYTES)
    except zlib.error:
        return b""
