"""EXIF is changed where it stands, byte for byte: nothing moves, so makers' notes stay readable."""

import struct
from dataclasses import dataclass

from haechi.labels.aigc import parse

_ORIENTATION, _EXIF, _USER_COMMENT = 0x0112, 0x8769, 0x9286
_SHORT, _UNDEFINED = 3, 7
_ENTRY = 12
_MOST = 512
"""Entries looked at in one directory; cameras write about 60."""
_LONGEST = 65_536
_CHARSETS = {b"UNICODE\0": ("utf-16-le", "utf-16-be")}
"""Which order of bytes it is in, no two programs agree upon; anything else is read as UTF-8."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """EXIF without a label; `labels` are what stood in the user's comment."""

    data: bytes
    labels: tuple[str, ...] = ()


def cleared(tiff: bytes) -> Cleared:
    """Blank the user's comment if it is an AIGC label. What cannot be read stays as it is."""
    data = bytearray(tiff)
    try:
        text = _blank_label(data, _order(data))
    except (struct.error, ValueError):
        return Cleared(tiff)
    return Cleared(tiff, ()) if text is None else Cleared(bytes(data), (text,))


def upright(tiff: bytes) -> bytes | None:
    """For pixels that were turned and drawn on: orientation 1, and no thumbnail of what was before.

    None if it cannot be read: then it must not stand beside the new pixels.
    """
    data = bytearray(tiff)
    try:
        order = _order(data)
        first = _number(data, order, 4)
        count = _count(data, order, first)
        for at in _entries(first, count):
            if _short(data, order, at) == _ORIENTATION and _short(data, order, at + 2) == _SHORT:
                struct.pack_into(f"{order}H", data, at + 8, 1)
        _unlink_thumbnail(data, order, first + 2 + count * _ENTRY)
    except (struct.error, ValueError):
        return None
    return bytes(data)


def _unlink_thumbnail(data: bytearray, order: str, link: int) -> None:
    """The second directory holds the thumbnail; its bytes are blanked, too."""
    second = _number(data, order, link)
    struct.pack_into(f"{order}I", data, link, 0)
    if not second:
        return
    told = {}
    for at in _entries(second, _count(data, order, second)):
        told[_short(data, order, at)] = _number(data, order, at + 8)
    start, length = told.get(0x0201, 0), told.get(0x0202, 0)
    if start and start + length <= len(data):
        data[start : start + length] = bytes(length)


def _blank_label(data: bytearray, order: str) -> str | None:
    first = _number(data, order, 4)
    for at in _entries(first, _count(data, order, first)):
        if _short(data, order, at) == _EXIF:
            below = _number(data, order, at + 8)
            for entry in _entries(below, _count(data, order, below)):
                if _short(data, order, entry) == _USER_COMMENT:
                    return _blank_comment(data, order, entry)
    return None


def _blank_comment(data: bytearray, order: str, entry: int) -> str | None:
    length, start = _number(data, order, entry + 4), _number(data, order, entry + 8)
    if not 8 < length <= _LONGEST or start + length > len(data):
        return None
    body = bytes(data[start + 8 : start + length])
    for charset in _CHARSETS.get(bytes(data[start : start + 8]), ("utf-8",)):
        text = body.decode(charset, "replace").rstrip(" \0")
        if parse(text).aigc is not None:
            break
    else:
        return None
    data[start : start + length] = b"ASCII\0\0\0".ljust(length, b" ")
    return text


def _order(data: bytearray) -> str:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[:4]))
    if order is None:
        raise ValueError("no TIFF header")
    return order


def _count(data: bytearray, order: str, directory: int) -> int:
    count = _short(data, order, directory)
    if not directory or count > _MOST or directory + 2 + count * _ENTRY + 4 > len(data):
        raise ValueError("no directory")
    return count


def _entries(directory: int, count: int) -> range:
    return range(directory + 2, directory + 2 + count * _ENTRY, _ENTRY)


def _short(data: bytearray, order: str, at: int) -> int:
    return int(struct.unpack_from(f"{order}H", data, at)[0])


def _number(data: bytearray, order: str, at: int) -> int:
    return int(struct.unpack_from(f"{order}I", data, at)[0])
