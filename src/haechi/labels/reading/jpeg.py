"""Metadata in JPEG (ITU T.81, annex B): segments in front of the first scan."""

from haechi.labels.reading import exif, iim, xmp
from haechi.labels.reading.haul import Haul

_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN, _END, _COMMENT, _APP0, _APP1, _APP11, _APP13, _APP15 = (
    0xDA,
    0xD9,
    0xFE,
    0xE0,
    0xE1,
    0xEB,
    0xED,
    0xEF,
)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF = b"Exif\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
# As Python's pickle begins; DeepFaceLab keeps what it knows of a face so. It is never unpickled.
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read(data: bytes, haul: Haul) -> None:
    """Every segment that may hold words."""
    more = _Extended()
    resources: list[bytes] = []
    at = 2
    while at + 4 <= len(data):
        haul.step()
        if data[at] != 0xFF:
            haul.find("broken.chunk", carrier="jpeg")
            break
        kind = data[at + 1]
        if kind == 0xFF:
            at += 1
            continue
        if kind in _ALONE:
            at += 2
            continue
        if kind in {_SCAN, _END}:
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            haul.lie(_name(kind))
            break
        _segment(kind, data[at + 4 : at + 2 + length], haul, more, resources)
        at += 2 + length
    if resources:
        iim.read(haul.piece("jpeg:APP13:iim", b"".join(resources)), "jpeg:APP13:iim", haul)
    more.read(haul)


def _segment(kind: int, body: bytes, haul: Haul, more: "_Extended", resources: list[bytes]) -> None:
    if kind in _FRAMES and len(body) >= 5:
        haul.height, haul.width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    elif kind == _APP1 and body.startswith(_EXIF):
        exif.read(haul.piece("jpeg:APP1:exif", body[6:]), "jpeg:APP1:exif", haul)
    elif kind == _APP1 and body.startswith(_XMP):
        xmp.read(haul.piece("jpeg:APP1:xmp", body[len(_XMP) :]), "jpeg:APP1:xmp", haul)
    elif kind == _APP1 and body.startswith(_MORE_XMP):
        more.take(body[len(_MORE_XMP) :])
    elif kind == _APP13 and body.startswith(b"Photoshop 3.0\0"):
        resources.append(body[14:])
    elif kind == _APP11 and body.startswith(b"JP"):
        haul.traces.add("c2pa")
    elif kind == _APP15 and body.startswith(_PICKLES):
        haul.text("jpeg:APP15", "jpeg:APP15", _words(body))
    elif kind == _COMMENT:
        haul.text("jpeg:COM", "text:comment", body)


class _Extended:
    """XMP too long for one segment (XMP, part 3, section 1.1.3.1), put together again."""

    def __init__(self) -> None:
        self._parts: dict[bytes, dict[int, bytes]] = {}

    def take(self, body: bytes) -> None:
        """One part: 32 digits of a digest, the length of the whole, where this part belongs."""
        self._parts.setdefault(body[:32], {})[int.from_bytes(body[36:40], "big")] = body[40:]

    def read(self, haul: Haul) -> None:
        """What fits together without a gap."""
        for parts in list(self._parts.values())[:4]:
            whole = b""
            for offset, part in sorted(parts.items()):
                if offset != len(whole):
                    haul.lie("jpeg:APP1:xmp")
                    break
                whole += part
            xmp.read(haul.piece("jpeg:APP1:xmp", whole), "jpeg:APP1:xmp", haul)


def _words(body: bytes) -> str:
    """The readable part of a pickle."""
    return "".join(chr(byte) if 32 <= byte < 127 else " " for byte in body[:65_536])


def _name(kind: int) -> str:
    return f"jpeg:APP{kind - _APP0}" if _APP0 <= kind <= _APP15 else "jpeg"
