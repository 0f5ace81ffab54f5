"""TIFF: XMP in tag 700 of the first directory, which is written anew at the end of the file."""

import struct
from dataclasses import dataclass

from haechi.errors import BrokenMedia, UnsupportedMedia
from haechi.labels.writing.carriers import exif
from haechi.labels.writing.carriers.taken import Taken

_XMP, _C2PA = 700, 0xCD41
_BYTE = 1
_ENTRY = 12
_MOST = 4096
_LONGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class _Directory:
    order: str
    entries: tuple[bytes, ...]
    following: bytes

    def tag(self, entry: bytes) -> int:
        return int(struct.unpack_from(f"{self.order}H", entry)[0])


def take(data: bytes) -> Taken:
    """See the package. The old packet is blanked: nobody who searches the file finds two labels."""
    clear = exif.cleared(data)
    found = _first(clear.data)
    body = bytearray(clear.data)
    packet = None
    kept = []
    for entry in found.entries:
        if found.tag(entry) in {_XMP, _C2PA}:
            length, at = struct.unpack_from(f"{found.order}II", entry, 4)
            if not 4 < length <= _LONGEST or at + length > len(body):
                raise BrokenMedia("a TIFF whose XMP lies outside the file")
            packet = bytes(body[at : at + length]) if found.tag(entry) == _XMP else packet
            body[at : at + length] = bytes(length)
        else:
            kept.append(entry)
    if len(kept) == len(found.entries):
        return Taken(bytes(body), None, clear.labels)
    rest = _appended(bytes(body), found, kept)
    return Taken(rest, packet, clear.labels)


def put(rest: bytes, xmp: bytes) -> bytes:
    """See the package."""
    found = _first(rest)
    rest += b"\0" * (len(rest) % 2)
    entry = struct.pack(f"{found.order}HHII", _XMP, _BYTE, len(xmp), len(rest))
    entries = sorted([*found.entries, entry], key=found.tag)
    return _appended(rest + xmp, found, entries)


def carry(rest: bytes, drawn: bytes) -> bytes:  # noqa: ARG001 - its EXIF is part of its directories
    """See the package."""
    return drawn


def _first(data: bytes) -> _Directory:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        raise UnsupportedMedia("a BigTIFF cannot be labelled")
    try:
        at = int(struct.unpack_from(f"{order}I", data, 4)[0])
        count = int(struct.unpack_from(f"{order}H", data, at)[0])
    except struct.error as error:
        raise BrokenMedia("a TIFF without a directory") from error
    end = at + 2 + count * _ENTRY
    if count > _MOST or end + 4 > len(data):
        raise BrokenMedia("a TIFF whose directory is longer than the file")
    entries = tuple(data[place : place + _ENTRY] for place in range(at + 2, end, _ENTRY))
    return _Directory(order, entries, data[end : end + 4])


def _appended(data: bytes, found: _Directory, entries: list[bytes]) -> bytes:
    """The file with its first directory at the end; the old one is no longer pointed at."""
    data += b"\0" * (len(data) % 2)
    count = struct.pack(f"{found.order}H", len(entries))
    start = struct.pack(f"{found.order}I", len(data))
    return data[:4] + start + data[8:] + count + b"".join(entries) + found.following
