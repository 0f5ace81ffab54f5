"""Metadata in ISO base media (ISO/IEC 14496-12): MP4, MOV, M4A, HEIC and AVIF."""

from collections.abc import Iterator
from typing import NamedTuple

from haechi.labels.reading import exif, xmp
from haechi.labels.reading.haul import Haul, decoded

DEPTH = 12
ITEMS = 512
KEYS = 256
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_C2PA_UUIDS = (bytes.fromhex("d8fec3d61b0e483c92975828877ec481"),)
_HOLDERS = frozenset({b"moov", b"udta", b"trak", b"mdia", b"minf", b"edts", b"ilst", b"----"})
# Of iTunes and QuickTime: what the four letters mean elsewhere.
_NAMES = {
    b"\xa9too": "encoder",
    b"\xa9swr": "software",
    b"\xa9cmt": "comment",
    b"\xa9des": "description",
    b"desc": "description",
    b"\xa9nam": "title",
    b"\xa9ART": "artist",
    b"\xa9inf": "information",
    b"\xa9mak": "make",
    b"\xa9mod": "model",
    b"XMP_": "xmp",
}
_TRACK_HEADER = b"tkhd"


class Box(NamedTuple):
    """One box: its name, and where its body lies."""

    name: bytes
    start: int
    end: int


def read(data: bytes, haul: Haul) -> None:
    """Words in `moov`, items of a still picture, and boxes named by a UUID."""
    _walk(data, 0, len(data), "mp4", haul, 0)


def boxes(data: bytes, at: int, end: int, carrier: str, haul: Haul) -> Iterator[Box]:
    """The boxes that lie side by side between two places."""
    while at + 8 <= end:
        haul.step()
        length, name, body = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
        if length == 1:
            length, body = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        elif length == 0:
            length = end - at
        if length < body - at or at + length > end:
            haul.lie(f"{carrier}:{decoded(name)}" if name.isalnum() else carrier)
            return
        yield Box(name, body, at + length)
        at += length


def _walk(data: bytes, at: int, end: int, carrier: str, haul: Haul, depth: int) -> None:
    if depth > DEPTH:
        haul.find("hostile.deep", carrier=carrier)
        return
    for box in boxes(data, at, end, carrier, haul):
        inner = f"{carrier}:{decoded(box.name)}"
        if box.name == b"uuid":
            _named_by_uuid(data, box, haul)
        elif box.name == b"meta":
            _meta(data, box, inner, haul, depth)
        elif box.name in _HOLDERS:
            _walk(data, box.start, box.end, inner, haul, depth + 1)
        elif box.name in _NAMES:
            _classic(data, box, inner, haul)
        elif box.name == _TRACK_HEADER:
            _size(data[max(box.start, box.end - 8) : box.end], haul)


def _named_by_uuid(data: bytes, box: Box, haul: Haul) -> None:
    name, start = data[box.start : box.start + 16], box.start + 16
    if name == _XMP_UUID:
        xmp.read(
            haul.piece("mp4:uuid:xmp", memoryview(data)[start : box.end]), "mp4:uuid:xmp", haul
        )
    elif name in _C2PA_UUIDS:
        haul.traces.add("c2pa")


def _classic(data: bytes, box: Box, carrier: str, haul: Haul) -> None:
    """`udta` in QuickTime's way: a length and a language before the text; in iTunes', a `data` box."""
    key = _NAMES[box.name]
    body = haul.piece(carrier, memoryview(data)[box.start : box.end])
    if not body:
        return
    if key == "xmp":
        xmp.read(body, carrier, haul)
    elif body[4:8] == b"data":
        haul.text(carrier, f"text:{key}", body[16:])
    else:
        length = int.from_bytes(body[:2], "big")
        haul.text(carrier, f"text:{key}", body[4 : 4 + length] if length + 4 <= len(body) else body)


def _meta(data: bytes, box: Box, carrier: str, haul: Haul, depth: int) -> None:
    # A full box in ISO files; QuickTime leaves the four bytes of version and flags out.
    plain = data[box.start + 4 : box.start + 8] in {b"hdlr", b"keys", b"ilst"}
    start = box.start if plain else box.start + 4
    inside = {found.name: found for found in boxes(data, start, box.end, carrier, haul)}
    if b"ilst" in inside:
        keys = _keys(data, inside.get(b"keys"), carrier, haul)
        _list(data, inside[b"ilst"], keys, f"{carrier}:ilst", haul)
    if b"iinf" in inside and b"iloc" in inside:
        _items(data, inside, haul)
    if b"iprp" in inside:
        _properties(data, inside[b"iprp"], haul)
    if depth > DEPTH:
        haul.find("hostile.deep", carrier=carrier)


def _keys(data: bytes, box: Box | None, carrier: str, haul: Haul) -> list[str]:
    """Names of `mdta` metadata, counted from one."""
    if box is None:
        return []
    names: list[str] = []
    at = box.start + 8
    while at + 8 <= box.end and len(names) < KEYS:
        length = int.from_bytes(data[at : at + 4], "big")
        if length < 8 or at + length > box.end:
            haul.lie(f"{carrier}:keys")
            break
        names.append(decoded(data[at + 8 : min(at + length, at + 136)]))
        at += length
    return names


def _list(data: bytes, box: Box, keys: list[str], carrier: str, haul: Haul) -> None:
    for entry in boxes(data, box.start, box.end, carrier, haul):
        number = int.from_bytes(entry.name, "big")
        if entry.name == b"----":
            _freeform(data, entry, carrier, haul)
            continue
        if 0 < number <= len(keys):
            key = keys[number - 1]
        elif entry.name in _NAMES:
            key = _NAMES[entry.name]
        else:
            continue
        for inner in boxes(data, entry.start, entry.end, carrier, haul):
            if inner.name == b"data" and inner.start + 8 <= inner.end:
                piece = haul.piece(carrier, memoryview(data)[inner.start + 8 : inner.end])
                if piece is not None:
                    haul.text(f"{carrier}:{key[:64]}", f"text:{key}", piece)


def _freeform(data: bytes, entry: Box, carrier: str, haul: Haul) -> None:
    """`----` of iTunes: who named it, the name, the value."""
    name, value = "", b""
    for inner in boxes(data, entry.start, entry.end, carrier, haul):
        if inner.name == b"name":
            name = decoded(data[inner.start + 4 : min(inner.end, inner.start + 132)])
        elif inner.name == b"data":
            value = haul.piece(carrier, memoryview(data)[inner.start + 8 : inner.end]) or b""
    if name:
        haul.text(f"{carrier}:{name[:64]}", f"text:{name}", value)


def _items(data: bytes, inside: dict[bytes, Box], haul: Haul) -> None:
    """Exif and XMP of a still picture (ISO/IEC 23008-12, annex A)."""
    kinds = _kinds(data, inside[b"iinf"], haul)
    idat = inside.get(b"idat")
    for number, method, extents in _places(data, inside[b"iloc"], haul):
        kind = kinds.get(number)
        if kind is None or method > 1 or (method == 1 and idat is None):
            continue
        base = idat.start if method == 1 and idat is not None else 0
        whole = b"".join(data[base + at : base + at + length] for at, length in extents)
        if len(whole) < sum(length for _, length in extents):
            haul.lie(f"heif:{kind}")
        piece = haul.piece(f"heif:{kind}", whole)
        if kind == "xmp":
            xmp.read(piece, "heif:xmp", haul)
        elif piece is not None and len(piece) > 4:
            offset = 4 + int.from_bytes(piece[:4], "big")
            exif.read(piece[offset:].removeprefix(b"Exif\0\0"), "heif:exif", haul)


def _kinds(data: bytes, box: Box, haul: Haul) -> dict[int, str]:
    """Numbers of the items that are EXIF or XMP."""
    wide = data[box.start] > 0 if box.start < box.end else False
    found: dict[int, str] = {}
    for count, entry in enumerate(
        boxes(data, box.start + (8 if wide else 6), box.end, "heif", haul)
    ):
        if count >= ITEMS or entry.name != b"infe":
            break
        version, at = data[entry.start], entry.start + 4
        if version < 2:
            continue
        size = 4 if version > 2 else 2
        number = int.from_bytes(data[at : at + size], "big")
        kind, rest = data[at + size + 2 : at + size + 6], data[at + size + 6 : entry.end]
        if kind == b"Exif":
            found[number] = "exif"
        elif kind == b"mime" and b"application/rdf+xml" in rest[:200]:
            found[number] = "xmp"
    return found


def _places(data: bytes, box: Box, haul: Haul) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """(item, construction method, extents) of `iloc`; nothing more once it makes no sense."""
    body = memoryview(data)[box.start : min(box.end, box.start + 65_536)]
    if len(body) < 8 or body[0] > 2:
        return
    version, sizes = (
        body[0],
        (body[4] >> 4, body[4] & 15, body[5] >> 4, body[5] & 15 if body[0] else 0),
    )
    offset_size, length_size, base_size, index_size = sizes
    at, wide = 6, 4 if version == 2 else 2

    def take(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(body[at - size : at], "big")

    for _ in range(min(take(wide), ITEMS)):
        haul.step()
        number = take(wide)
        method = take(2) & 15 if version else 0
        take(2)
        base, count = take(base_size), take(2)
        extents = []
        for _ in range(min(count, 32)):
            take(index_size)
            extents.append((base + take(offset_size), take(length_size)))
        if at > len(body):
            haul.lie("heif:iloc")
            return
        yield number, method, extents


def _properties(data: bytes, box: Box, haul: Haul) -> None:
    """The largest size any picture of the file has."""
    for holder in boxes(data, box.start, box.end, "heif", haul):
        if holder.name != b"ipco":
            continue
        for found in boxes(data, holder.start, holder.end, "heif", haul):
            if found.name == b"ispe" and found.end - found.start >= 12:
                width = int.from_bytes(data[found.start + 4 : found.start + 8], "big")
                height = int.from_bytes(data[found.start + 8 : found.start + 12], "big")
                if width * height > haul.width * haul.height:
                    haul.width, haul.height = width, height


def _size(tail: bytes, haul: Haul) -> None:
    """The last eight bytes of a track's header: width and height in 16.16."""
    width, height = int.from_bytes(tail[:4], "big") >> 16, int.from_bytes(tail[4:], "big") >> 16
    if width * height > haul.width * haul.height:
        haul.width, haul.height = width, height
