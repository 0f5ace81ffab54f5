"""Metadata in RIFF: WebP (RFC 9649), WAV and AVI."""

from haechi.labels.reading import exif, id3, xmp
from haechi.labels.reading.haul import Haul, decoded

_LISTS = frozenset({b"INFO", b"hdrl", b"AIGC"})
DEPTH = 4
UNKNOWN = 2**32 - 1
"""Written by what cannot go back to the beginning when it knows the length: sound through a pipe."""
# Of LIST/INFO: what the four letters mean elsewhere.
_INFO = {"ISFT": "software", "ICMT": "comment", "INAM": "title", "IART": "artist", "ICRD": "date"}


def read(data: bytes, haul: Haul) -> None:
    """Every chunk, and every list that may hold words."""
    form = decoded(data[8:12]).strip().lower()
    told, there = int.from_bytes(data[4:8], "little"), len(data) - 8
    if told > there and told != UNKNOWN:
        haul.lie(form)
    elif form == "webp" and told + (told & 1) < there:
        # No player is misled, but what stands behind the end is seen by some readers only.
        haul.find("broken.behind", carrier=form)
    _chunks(data, 12, len(data), form, haul, 0)


def _chunks(data: bytes, at: int, end: int, form: str, haul: Haul, depth: int) -> None:
    while at + 8 <= end:
        haul.step()
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        start, at = at + 8, at + 8 + length + (length & 1)
        carrier = f"{form}:{decoded(name).strip()}"
        if start + length > end:
            haul.lie(carrier)
            length = end - start
        if name == b"LIST" and data[start : start + 4] in _LISTS:
            if depth >= DEPTH:
                haul.find("hostile.deep", carrier=form)
                return
            _chunks(data, start + 4, start + length, form, haul, depth + 1)
        else:
            _chunk(name, memoryview(data)[start : start + length], carrier, haul, inside=depth > 0)


def _chunk(name: bytes, body: memoryview, carrier: str, haul: Haul, *, inside: bool) -> None:
    if name == b"VP8X" and len(body) >= 10:
        haul.width = 1 + int.from_bytes(body[4:7], "little")
        haul.height = 1 + int.from_bytes(body[7:10], "little")
    elif name in {b"EXIF", b"exif"}:
        piece = haul.piece(carrier, body)
        exif.read(piece and piece.removeprefix(b"Exif\0\0"), carrier, haul)
    elif name in {b"XMP ", b"_PMX"}:
        xmp.read(haul.piece(carrier, body), carrier, haul)
    elif name == b"C2PA":
        haul.traces.add("c2pa")
    elif name in {b"id3 ", b"ID3 "}:
        piece = haul.piece(carrier, body)
        if piece is not None:
            id3.read(piece, haul, carrier=carrier)
    elif name == b"AIGC" or (inside and name[:1] == b"I" and name.isalnum()):
        key = decoded(name)
        piece = haul.piece(carrier, body)
        if piece is not None:
            haul.text(carrier, f"text:{_INFO.get(key, key)}", piece.rstrip(b"\0"))
