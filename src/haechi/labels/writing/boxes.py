"""MP4 and MOV: XMP in a box of its own at the end of the file (ISO/IEC 14496-12, 11.1; XMP part 3)."""

from collections.abc import Iterator
from uuid import UUID

from haechi.labels.writing.xmp import LONGEST_BYTES
from haechi.media import Kind

_XMP = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac").bytes
_MOST = 10_000


def packet(data: bytes, kind: Kind) -> bytes | None:
    """The XMP packet of a file; None if it has none, or cannot have one."""
    return next(_uuids(data), None) if kind in {Kind.MP4, Kind.MOV} else None


def box(packet: bytes) -> bytes:
    """A box with the packet."""
    return (len(packet) + 24).to_bytes(4, "big") + b"uuid" + _XMP + packet


def _uuids(data: bytes) -> Iterator[bytes]:
    """The packets of boxes at the top; what does not add up ends the search, for players as well."""
    at = 0
    for _ in range(_MOST):
        length, head = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if length < head or at + length > len(data):
            return
        if data[at + 4 : at + 8] == b"uuid" and data[at + head : at + head + 16] == _XMP:
            yield data[at + head + 16 : at + length][: LONGEST_BYTES + 1]
        at += length
