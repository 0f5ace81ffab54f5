"""GIF: XMP in an application extension, as it is, with a tail that leads readers out (XMP part 3, 1.1.2)."""

from collections.abc import Iterator

from haechi.errors import BrokenMedia
from haechi.labels.writing import xmp
from haechi.labels.writing.carriers.taken import Taken

_XMP = b"\x21\xff\x0bXMP DataXMP"
_C2PA = b"\x21\xff\x0bC2PA_GIF"
_TAIL = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
"""Whoever reads the packet as blocks lands somewhere in here, and is led to its end."""
_HEAD = 13
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_MOST = 1_000_000


def take(data: bytes) -> Taken:
    """See the package."""
    start = _start(data)
    kept = [data[:start]]
    packets: list[bytes] = []
    for block in _blocks(data, start):
        if block.startswith(_XMP):
            packets.append(block[len(_XMP) : -len(_TAIL)])
        elif not block.startswith(_C2PA):
            kept.append(block)
    labels = [text for packet in packets[1:] for text in xmp.labels(packet)]
    return Taken(b"".join(kept), packets[0] if packets else None, tuple(labels))


def put(rest: bytes, xmp: bytes) -> bytes:
    """See the package."""
    start = _start(rest)
    return b"GIF89a" + rest[6:start] + _XMP + xmp + _TAIL + rest[start:]


def carry(rest: bytes, drawn: bytes) -> bytes:  # noqa: ARG001 - a GIF says nothing else worth keeping
    """See the package."""
    return drawn


def _start(data: bytes) -> int:
    """Where the blocks begin: after the palette of the whole file."""
    if len(data) < _HEAD:
        raise BrokenMedia("a GIF that ends in its header")
    return _HEAD + _palette(data[10])


def _palette(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks(data: bytes, at: int) -> Iterator[bytes]:
    """Each block whole, the last one with whatever follows it."""
    for _ in range(_MOST):
        kind = data[at] if at < len(data) else -1
        if kind == _END:
            yield data[at:]
            return
        if kind == _EXTENSION:
            end = _behind(data, at + 2)
        elif kind == _IMAGE and at + 10 <= len(data):
            end = _behind(data, at + 11 + _palette(data[at + 9]))
        else:
            raise BrokenMedia("a GIF whose blocks do not follow each other")
        yield data[at:end]
        at = end
    raise BrokenMedia("a GIF of more blocks than any picture has")


def _behind(data: bytes, at: int) -> int:
    """The place after a row of sub-blocks, each with its length before it, the last of length 0."""
    while at < len(data):
        length = data[at]
        at += 1 + length
        if length == 0:
            return at
    raise BrokenMedia("a GIF that ends in the middle of a block")
