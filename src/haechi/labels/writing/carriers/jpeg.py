"""JPEG: XMP in APP1, EXIF in APP1, C2PA in APP11 (ITU-T T.81 annex B; XMP part 3, 1.1.3)."""

import struct
from dataclasses import dataclass

from haechi.errors import BrokenMedia, LabelRefused
from haechi.labels.writing import xmp
from haechi.labels.writing.carriers import exif
from haechi.labels.writing.carriers.taken import Taken

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_EXIF = b"Exif\0\0"
_APP0, _APP1, _APP11, _APP13, _COMMENT = 0xE0, 0xE1, 0xEB, 0xED, 0xFE
_SCAN, _END = 0xDA, 0xD9
_LONGEST = 65_535
_MOST = 4096
_CARRIED = frozenset({_APP1, _APP13, _COMMENT})


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    body: bytes

    def whole(self) -> bytes:
        if len(self.body) + 2 > _LONGEST:
            raise LabelRefused("the XMP packet of this JPEG is too long to take a label")
        return struct.pack(">BBH", 0xFF, self.marker, len(self.body) + 2) + self.body


def take(data: bytes) -> Taken:
    """See the package."""
    segments, picture = _split(data)
    kept: list[_Segment] = []
    packets: list[bytes] = []
    labels: list[str] = []
    for segment in _without_c2pa(segments):
        if segment.marker == _APP1 and segment.body.startswith(_XMP):
            packets.append(segment.body[len(_XMP) :])
        elif segment.marker == _APP1 and segment.body.startswith(_EXIF):
            clear = exif.cleared(segment.body[len(_EXIF) :])
            labels += clear.labels
            kept.append(_Segment(_APP1, _EXIF + clear.data))
        elif not (segment.body.startswith(_MORE_XMP) and b"AIGC" in segment.body):
            kept.append(segment)
    for packet in packets[1:]:
        labels += xmp.labels(packet)
    rest = _joined(kept, picture)
    return Taken(rest, packets[0] if packets else None, tuple(labels))


def put(rest: bytes, xmp: bytes) -> bytes:
    """See the package. After JFIF and EXIF, which readers look for first."""
    segments, picture = _split(rest)
    at = 0
    while at < len(segments) and (
        segments[at].marker == _APP0 or segments[at].body.startswith(_EXIF)
    ):
        at += 1
    segments.insert(at, _Segment(_APP1, _XMP + xmp))
    return _joined(segments, picture)


def carry(rest: bytes, drawn: bytes) -> bytes:
    """See the package."""
    old, _ = _split(rest)
    new, picture = _split(drawn)
    brought = []
    for segment in old:
        if segment.body.startswith(_EXIF):
            turned = exif.upright(segment.body[len(_EXIF) :])
            if turned is not None:
                brought.append(_Segment(_APP1, _EXIF + turned))
        elif segment.marker in _CARRIED:
            brought.append(segment)
    at = 1 if new and new[0].marker == _APP0 else 0
    return _joined([*new[:at], *brought, *new[at:]], picture)


def _split(data: bytes) -> tuple[list[_Segment], bytes]:
    """The segments before the first scan, and the file from there on."""
    segments: list[_Segment] = []
    at = 2
    while len(segments) < _MOST:
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if at + 4 > len(data) or data[at] != 0xFF:
            raise BrokenMedia("a JPEG whose segments do not follow each other")
        marker = data[at + 1]
        if marker in {_SCAN, _END}:
            return segments, data[at:]
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            raise BrokenMedia("a JPEG with a segment that is longer than the file")
        segments.append(_Segment(marker, data[at + 4 : at + 2 + length]))
        at += 2 + length
    raise BrokenMedia("a JPEG of nothing but segments")


def _joined(segments: list[_Segment], picture: bytes) -> bytes:
    return b"".join([b"\xff\xd8", *(segment.whole() for segment in segments), picture])


def _without_c2pa(segments: list[_Segment]) -> list[_Segment]:
    """JUMBF boxes (ISO/IEC 19566-5) are told apart by the number after "JP"; C2PA's says c2pa."""
    numbers = {
        segment.body[2:4]
        for segment in segments
        if segment.marker == _APP11 and segment.body[:2] == b"JP" and b"c2pa" in segment.body[:64]
    }
    return [
        segment
        for segment in segments
        if not (segment.marker == _APP11 and segment.body[2:4] in numbers)
    ]
