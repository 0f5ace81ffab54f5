"""Metadata in Matroska and WebM (RFC 9559): who wrote it, and tags."""

from haechi.labels.reading.haul import Haul, decoded

DEPTH = 8
_SEGMENT, _TAGS, _TAG, _SIMPLE, _INFO, _CLUSTER = (
    0x18538067,
    0x1254C367,
    0x7373,
    0x67C8,
    0x1549A966,
    0x1F43B675,
)
_NAME, _STRING, _BINARY = 0x45A3, 0x4487, 0x4485
_WORDS = {0x4D80: "encoder", 0x5741: "software", 0x7BA9: "title"}
_INSIDE = frozenset({_SEGMENT, _TAGS, _TAG, _INFO})
_TAGS_ID = b"\x12\x54\xc3\x67"


def read(data: bytes, haul: Haul) -> None:
    """Names and values of all tags; pictures and sound are passed by."""
    _elements(data, 0, len(data), "matroska", haul, 0)


def _elements(data: bytes, at: int, end: int, carrier: str, haul: Haul, depth: int) -> None:
    if depth > DEPTH:
        haul.find("hostile.deep", carrier=carrier)
        return
    while at + 2 <= end:
        haul.step()
        kind, at = _number(data, at, keep_marker=True)
        length, at = _number(data, at, keep_marker=False)
        if kind == _CLUSTER and length < 0:
            # A live recording does not say where its clusters end; tags may follow them.
            at = data.find(_TAGS_ID, at, end)
            if at < 0:
                return
            continue
        stop = end if length < 0 else at + length
        if stop > end or kind == 0:
            haul.lie(carrier)
            return
        if kind == _SIMPLE:
            _simple(data, at, stop, haul, depth + 1)
        elif kind in _INSIDE:
            _elements(data, at, stop, carrier, haul, depth + 1)
        elif kind in _WORDS:
            haul.text(f"{carrier}:info", f"text:{_WORDS[kind]}", data[at : min(stop, at + 4096)])
        at = stop


def _simple(data: bytes, at: int, end: int, haul: Haul, depth: int) -> None:
    """One tag; tags below it belong to it."""
    name, value = "", b""
    if depth > DEPTH:
        haul.find("hostile.deep", carrier="matroska:tags")
        return
    while at + 2 <= end:
        haul.step()
        kind, at = _number(data, at, keep_marker=True)
        length, at = _number(data, at, keep_marker=False)
        if length < 0 or at + length > end:
            haul.lie("matroska:tags")
            return
        if kind == _NAME:
            name = decoded(data[at : at + min(length, 128)]).rstrip("\0")
        elif kind in {_STRING, _BINARY}:
            value = haul.piece("matroska:tags", memoryview(data)[at : at + length]) or b""
        elif kind == _SIMPLE:
            _simple(data, at, at + length, haul, depth + 1)
        at += length
    if name:
        haul.text(f"matroska:tags:{name[:64]}", f"text:{name}", value.rstrip(b"\0"))


def _number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """A number of one to eight bytes and where it ends; -1 for a length that is not told."""
    first = data[at] if at < len(data) else 0
    if first == 0:
        return (0, at + 1)
    width = 9 - first.bit_length()
    part = data[at : at + width]
    value = int.from_bytes(part, "big")
    if not keep_marker:
        value &= (1 << (7 * width)) - 1
        if value == (1 << (7 * width)) - 1:
            value = -1
    return value, at + width
