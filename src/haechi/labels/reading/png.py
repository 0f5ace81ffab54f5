"""Metadata in PNG (W3C PNG, third edition, chapter 11)."""

import re

from haechi.labels.reading import exif, iim, xmp
from haechi.labels.reading.haul import Haul, decoded

_RAW = re.compile(rb"\s*(?:\S+)\s+(\d{1,9})\s+([0-9a-fA-F\s]*)")
XMP_KEYWORD = "XML:com.adobe.xmp"


def read(data: bytes, haul: Haul) -> None:
    """Every text and metadata chunk until the end of the picture."""
    at = 8
    while at + 12 <= len(data):
        haul.step()
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            haul.lie(f"png:{decoded(kind)}" if kind.isalpha() else "png")
            return
        if kind == b"IEND":
            return
        if kind not in {b"IDAT", b"fdAT", b"PLTE"}:
            _chunk(kind, memoryview(data)[at + 8 : at + 8 + length], haul)
        at += 12 + length
    haul.lie("png")


def _chunk(kind: bytes, body: memoryview, haul: Haul) -> None:
    if kind == b"IHDR" and len(body) >= 8:
        haul.width = int.from_bytes(body[:4], "big")
        haul.height = int.from_bytes(body[4:8], "big")
    elif kind == b"eXIf":
        exif.read(haul.piece("png:eXIf", body), "png:eXIf", haul)
    elif kind == b"caBX":
        haul.traces.add("c2pa")
    elif kind in {b"tEXt", b"zTXt", b"iTXt"}:
        piece = haul.piece(f"png:{decoded(kind)}", body)
        if piece is not None:
            _text(decoded(kind), piece, haul)


def _text(kind: str, piece: bytes, haul: Haul) -> None:
    word, found, rest = piece.partition(b"\0")
    keyword = word[:79].decode("latin-1")
    carrier = f"png:{kind}:{keyword}"
    if not found:
        haul.find("broken.chunk", carrier=carrier)
        return
    value: bytes | None = rest
    if kind == "zTXt":
        value = haul.inflate(carrier, rest[1:])
    elif kind == "iTXt":
        # Two flags, then a language and a translated keyword, each ended by a zero.
        _, _, value = rest[2:].partition(b"\0")[2].partition(b"\0")
        if rest[:1] == b"\1":
            value = haul.inflate(carrier, value)
    if value is None:
        return
    if keyword == XMP_KEYWORD:
        xmp.read(value, carrier, haul)
    elif keyword.startswith("Raw profile type "):
        _profile(keyword.removeprefix("Raw profile type ").strip(), value, carrier, haul)
    else:
        haul.text(carrier, f"text:{keyword}", value if kind != "tEXt" else _latin_or_utf8(value))


def _latin_or_utf8(value: bytes) -> str:
    """The standard says Latin-1; half of the programs write UTF-8."""
    return decoded(value)


def _profile(name: str, value: bytes, carrier: str, haul: Haul) -> None:
    """ImageMagick's way: a name, a length and the bytes in hexadecimal digits."""
    found = _RAW.match(value)
    if found is None:
        return
    digits = b"".join(found[2].split())
    block = bytes.fromhex(decoded(digits[: len(digits) // 2 * 2]))
    if len(block) < int(found[1]):
        haul.lie(carrier)
    if block.startswith((b"Exif\0\0", b"II*\0", b"MM\0*")):
        exif.read(block.removeprefix(b"Exif\0\0"), carrier, haul)
    elif block.lstrip().startswith((b"<?xpacket", b"<x:xmpmeta", b"<rdf:RDF")) or name == "xmp":
        xmp.read(block, carrier, haul)
    elif name in {"iptc", "8bim"}:
        iim.read(block, carrier, haul)
