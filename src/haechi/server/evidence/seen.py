"""What one pass over an exhibit tells, in memory that does not grow with it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from haechi.errors import NotMedia
from haechi.media.kind import HEAD_BYTES, Kind, sniff
from haechi.media.limits import DEFAULT, Limits


@dataclass(frozen=True)
class Seen:
    """The truth about a file.

    kind   haechi.media.Kind, or "" for none we know
    data   all of it; None where it is longer than a decoder takes
    """

    sha256: bytes
    size: int
    kind: str
    data: bytes | None = field(repr=False)

    @classmethod
    def of(cls, chunks: Iterable[bytes], limits: Limits = DEFAULT) -> Self:
        """Read all of `chunks`; hold no more than `limits` let a decoder have."""
        digest, head, size = hashlib.sha256(), b"", 0
        held: list[bytes] = []
        allowed = limits.video_bytes
        for chunk in chunks:
            if len(head) < HEAD_BYTES:
                head = (head + chunk)[:HEAD_BYTES]
                if len(head) == HEAD_BYTES:
                    allowed = limits.bytes_of(_kind(head))
            digest.update(chunk)
            size += len(chunk)
            if size <= allowed:
                held.append(chunk)
            else:
                held.clear()
        kind = _kind(head)
        fits = size <= limits.bytes_of(kind)
        return cls(digest.digest(), size, kind or "", b"".join(held) if fits else None)


def _kind(head: bytes) -> Kind | None:
    try:
        return sniff(head)
    except NotMedia:
        return None
