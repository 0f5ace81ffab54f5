"""WebP: chunks of RIFF, of which VP8X says which others there are (RFC 9649, section 2.7)."""

from collections.abc import Sequence

from haechi.errors import BrokenMedia
from haechi.labels.writing import xmp
from haechi.labels.writing.carriers import exif
from haechi.labels.writing.carriers.taken import Taken
from haechi.media import Kind, header

_XMP, _EXIF, _C2PA, _EXTENDED = b"XMP ", b"EXIF", b"C2PA", b"VP8X"
_XMP_FLAG, _EXIF_FLAG, _ALPHA_FLAG = 0x04, 0x08, 0x10
_MOST = 200_000

type Chunk = tuple[bytes, bytes]


def take(data: bytes) -> Taken:
    """See the package."""
    kept: list[Chunk] = []
    packets: list[bytes] = []
    labels: list[str] = []
    for name, body in _chunks(data):
        if name == _XMP:
            packets.append(body)
        elif name == _EXIF:
            head = len(_PREFIX) if body.startswith(_PREFIX) else 0
            clear = exif.cleared(body[head:])
            labels += clear.labels
            kept.append((name, body[:head] + clear.data))
        elif name != _C2PA:
            kept.append((name, body))
    for packet in packets[1:]:
        labels += xmp.labels(packet)
    return Taken(_joined(kept), packets[0] if packets else None, tuple(labels))


_PREFIX = b"Exif\0\0"


def put(rest: bytes, xmp: bytes) -> bytes:
    """See the package."""
    return _joined([*_extended(rest), (_XMP, xmp)])


def carry(rest: bytes, drawn: bytes) -> bytes:
    """See the package."""
    chunks = [chunk for chunk in _extended(drawn) if chunk[0] != _EXIF]
    for name, body in _chunks(rest):
        turned = exif.upright(body.removeprefix(_PREFIX)) if name == _EXIF else None
        if turned is not None:
            chunks.append((_EXIF, turned))
    return _joined(chunks)


def _chunks(data: bytes) -> list[Chunk]:
    chunks: list[Chunk] = []
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    at = 12
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > end or len(chunks) > _MOST:
            raise BrokenMedia("a WebP with a chunk that is longer than the file")
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    if not chunks:
        raise BrokenMedia("a WebP without a picture")
    return chunks


def _extended(data: bytes) -> list[Chunk]:
    """The chunks, beginning with VP8X; one is made for a file of the simple form."""
    chunks = _chunks(data)
    if chunks[0][0] == _EXTENDED:
        return chunks
    size = header.size(data, Kind.WEBP)
    if size is None:
        raise BrokenMedia("a WebP that does not say how large it is")
    has_alpha = chunks[0][0] == b"VP8L" and len(chunks[0][1]) > 4 and chunks[0][1][4] & 0x10
    flags = _ALPHA_FLAG if has_alpha else 0
    made = bytes([flags, 0, 0, 0]) + b"".join((side - 1).to_bytes(3, "little") for side in size)
    return [(_EXTENDED, made), *chunks]


def _joined(chunks: Sequence[Chunk]) -> bytes:
    names = {name for name, _ in chunks}
    parts = []
    for name, body in chunks:
        told = _flagged(body, names) if name == _EXTENDED else body
        parts += [name, len(told).to_bytes(4, "little"), told, b"\0" * (len(told) % 2)]
    whole = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole


def _flagged(extended: bytes, names: set[bytes]) -> bytes:
    flags = extended[0] & ~(_XMP_FLAG | _EXIF_FLAG)
    flags |= _XMP_FLAG * (_XMP in names) | _EXIF_FLAG * (_EXIF in names)
    return bytes([flags]) + extended[1:]
