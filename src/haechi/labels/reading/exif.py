"""EXIF and TIFF (CIPA DC-008, TIFF 6.0): tags that say who made a picture, and with what."""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from haechi.labels.reading import iim, xmp
from haechi.labels.reading.haul import Haul, decoded

ENTRIES = 512
DIRECTORIES = 8
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_RATIONAL, _SIGNED_RATIONAL = 5, 10
_SIGNED = frozenset({6, 8, 9, 10})
_WHOLE = frozenset({1, 3, 4, 6, 8, 9, 13})
_FLOATS = {11: "f", 12: "d"}
_TEXTS = frozenset({2, 7, 129})
_POINTERS = frozenset({0x8769, 0x8825})
_XMP, _IIM, _C2PA, _WIDTH, _HEIGHT = 0x02BC, 0x83BB, 0xCD41, 0x0100, 0x0101
NAMES = {
    0x010D: "DocumentName",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x013C: "HostComputer",
    0x8298: "Copyright",
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8827: "ISO",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x920A: "FocalLength",
    0x927C: "MakerNote",
    0x9286: "UserComment",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
    0xA002: "PixelXDimension",
    0xA003: "PixelYDimension",
    0xA420: "ImageUniqueID",
    0xA434: "LensModel",
    0xA460: "CompositeImage",
}
_GPS_NAMES = {0x0002: "GPSLatitude", 0x0004: "GPSLongitude"}


@dataclass(frozen=True, slots=True)
class _Entry:
    tag: int
    kind: int
    value: bytes
    order: str

    def numbers(self) -> Iterator[int | float | Fraction | None]:
        """Numbers and fractions; None for a division by zero, and for what is no number."""
        size = _SIZES[self.kind]
        for at in range(0, len(self.value) - size + 1, size):
            part = self.value[at : at + size]
            if self.kind in _FLOATS:
                (real,) = struct.unpack(
                    f"{'<' if self.order == 'II' else '>'}{_FLOATS[self.kind]}", part
                )
                yield real if math.isfinite(real) else None
            elif self.kind in {_RATIONAL, _SIGNED_RATIONAL}:
                over, under = self._whole(part[:4]), self._whole(part[4:])
                yield Fraction(over, under) if under else None
            else:
                yield self._whole(part)

    def _whole(self, part: bytes) -> int:
        order = "little" if self.order == "II" else "big"
        return int.from_bytes(part, order, signed=self.kind in _SIGNED)  # type: ignore[arg-type]


def read(block: bytes | None, carrier: str, haul: Haul, *, tiff: bool = False) -> None:
    """Tags of a block that begins with its byte order; `tiff` if it is the whole file."""
    if block is None:
        return
    order = block[:2].decode("latin-1")
    if order not in {"II", "MM"} or len(block) < 8:
        haul.find("broken.exif", carrier=carrier)
        return
    waiting = [(_whole(block[4:8], order), "exif")]
    seen: set[int] = set()
    while waiting and len(seen) < DIRECTORIES:
        start, kind = waiting.pop(0)
        if start in seen:
            haul.find("broken.exif", carrier=carrier)
            continue
        seen.add(start)
        for entry in _entries(block, start, order, carrier, haul):
            if entry.tag in _POINTERS and kind == "exif" and len(entry.value) >= 4:
                below = "gps" if entry.tag == 0x8825 else "exif"
                waiting.append((_whole(entry.value[:4], order), below))
            else:
                _take(entry, kind, carrier, haul, tiff=tiff)


def _entries(block: bytes, start: int, order: str, carrier: str, haul: Haul) -> Iterator[_Entry]:
    count = _whole(block[start : start + 2], order) if start + 2 <= len(block) else -1
    if count < 0:
        haul.lie(carrier)
        return
    if count > ENTRIES:
        haul.find("broken.exif", carrier=carrier)
    for number in range(min(count, ENTRIES)):
        at = start + 2 + 12 * number
        if at + 12 > len(block):
            haul.lie(carrier)
            return
        tag, kind = _whole(block[at : at + 2], order), _whole(block[at + 2 : at + 4], order)
        length = _whole(block[at + 4 : at + 8], order) * _SIZES.get(kind, 0)
        if not length:
            continue
        where = at + 8 if length <= 4 else _whole(block[at + 8 : at + 12], order)
        if where + length > len(block):
            haul.lie(carrier)
            continue
        if tag in NAMES or tag in _POINTERS or tag in _GPS_NAMES or tag in _OTHERS:
            value = haul.piece(carrier, memoryview(block)[where : where + length])
            if value is not None:
                yield _Entry(tag, kind, value, order)


_OTHERS = frozenset({_XMP, _IIM, _C2PA, _WIDTH, _HEIGHT})


def _take(entry: _Entry, kind: str, carrier: str, haul: Haul, *, tiff: bool) -> None:
    inner = carrier if tiff else f"{carrier}:exif" if "exif" not in carrier.casefold() else carrier
    if kind == "gps":
        if entry.tag in _GPS_NAMES and entry.kind == _RATIONAL:
            parts = [number for number in entry.numbers() if number is not None]
            degrees = sum(float(part) / 60**place for place, part in enumerate(parts[:3]))
            haul.text(inner, f"exif:{_GPS_NAMES[entry.tag]}", f"{degrees:.6f}")
    elif entry.tag == _XMP and tiff:
        xmp.read(entry.value, f"{carrier}:xmp", haul)
    elif entry.tag == _IIM and tiff:
        iim.read(entry.value, f"{carrier}:iim", haul)
    elif entry.tag == _C2PA and tiff:
        haul.traces.add("c2pa")
    elif entry.tag in {_WIDTH, _HEIGHT} and tiff:
        size = next(entry.numbers(), None)
        if isinstance(size, int) and entry.kind in _WHOLE:
            haul.width, haul.height = (
                (size, haul.height) if entry.tag == _WIDTH else (haul.width, size)
            )
    elif entry.tag in NAMES:
        haul.text(inner, f"exif:{NAMES[entry.tag]}", _told(entry))


def _told(entry: _Entry) -> str:
    name = NAMES[entry.tag]
    if name == "MakerNote":
        # What it holds is the maker's secret; that there is one, and a few tools' words in it, count.
        words = entry.value[:64].split(b"\0")[0]
        return words.decode() if words.isascii() and words else f"{len(entry.value)} bytes"
    if name == "UserComment":
        return _comment(entry.value, entry.order)
    if name.startswith("XP"):
        return entry.value.decode("utf-16-le", "replace").rstrip("\0")
    if entry.kind not in _TEXTS:
        numbers = list(entry.numbers())[:4]
        return " ".join("?" if n is None else f"{float(n):.6g}" for n in numbers)
    return decoded(entry.value).rstrip("\0 ")


def _comment(value: bytes, order: str) -> str:
    """Eight bytes name the characters of what follows; many programs leave them out or lie."""
    mark, body = value[:8], value[8:]
    if mark == b"UNICODE\0":
        if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return body.decode("utf-16", "replace").rstrip("\0")
        # Zero bytes of Latin letters tell the order, whatever the block's own order is.
        even, odd = body[:512:2].count(0), body[1:512:2].count(0)
        fallback = "utf-16-be" if order == "MM" else "utf-16-le"
        kind = fallback if even == odd else "utf-16-be" if even > odd else "utf-16-le"
        if not even and not odd and body.isascii():
            return decoded(body).rstrip("\0")
        return body.decode(kind, "replace").rstrip("\0")
    if mark in {b"ASCII\0\0\0", b"JIS\0\0\0\0\0", bytes(8)}:
        return decoded(body).rstrip("\0")
    return decoded(value).rstrip("\0")


def _whole(part: bytes, order: str) -> int:
    return int.from_bytes(part, "little" if order == "II" else "big")
