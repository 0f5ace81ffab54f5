"""Metadata in FLV: the object `onMetaData` (Adobe Flash Video 10.1, annex E; AMF 0)."""

import struct

from haechi.labels.reading.haul import Haul, decoded

TAGS = 64
VALUES = 2_000
DEPTH = 8
_SCRIPT = 18
_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED, _MAP, _END, _ARRAY, _DATE, _LONG = (
    0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12,
)  # fmt: skip


class _Broken(Exception):
    """The object ends too early, or holds what it cannot."""


def read(data: bytes, haul: Haul) -> None:
    """Texts of the first script tags."""
    at = int.from_bytes(data[5:9], "big") + 4
    for _ in range(TAGS):
        haul.step()
        if at + 11 > len(data):
            return
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
        if at + 11 + length > len(data):
            haul.lie("flv")
            return
        if kind & 0x1F == _SCRIPT:
            body = haul.piece("flv:onMetaData", data[at + 11 : at + 11 + length])
            if body is not None:
                _script(body, haul)
        at += 11 + length + 4


def _script(body: bytes, haul: Haul) -> None:
    reader = _Reader(body, haul)
    try:
        reader.value("", 0)
        reader.value("", 0)
    except (_Broken, struct.error, IndexError):
        haul.find("broken.chunk", carrier="flv:onMetaData")


class _Reader:
    """Values of AMF 0, one after another, never more than a few thousand."""

    def __init__(self, body: bytes, haul: Haul) -> None:
        self._body, self._haul, self._at, self._left = body, haul, 0, VALUES

    def value(self, name: str, depth: int) -> None:
        """One value; a text is kept under the name it belongs to."""
        self._left -= 1
        if depth > DEPTH or self._left < 0:
            raise _Broken
        kind = self._body[self._at]
        self._at += 1
        if kind in {_STRING, _LONG}:
            text = self._text(4 if kind == _LONG else 2)
            if name:
                self._haul.text(f"flv:onMetaData:{name[:64]}", f"text:{name}", text)
        elif kind in {_OBJECT, _MAP}:
            self._at += 4 if kind == _MAP else 0
            self._members(depth)
        elif kind == _ARRAY:
            count = struct.unpack_from(">I", self._body, self._at)[0]
            self._at += 4
            for _ in range(count):
                self.value("", depth + 1)
        elif kind in _WIDTHS:
            self._at += _WIDTHS[kind]
        else:
            raise _Broken

    def _members(self, depth: int) -> None:
        while True:
            name = decoded(self._text(2))
            if not name and self._body[self._at : self._at + 1] == bytes([_END]):
                self._at += 1
                return
            self.value(name, depth + 1)

    def _text(self, width: int) -> bytes:
        length = int.from_bytes(self._body[self._at : self._at + width], "big")
        self._at += width
        if self._at + length > len(self._body):
            raise _Broken
        text = self._body[self._at : self._at + length]
        self._at += length
        return text


_WIDTHS = {_NUMBER: 8, _BOOLEAN: 1, _NULL: 0, _UNDEFINED: 0, _DATE: 10}
