"""Exact digests of a file, in one pass over its chunks."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Digests:
    """What identifies one file bit for bit.

    Attributes:
        sha256: 32 bytes.
        md5: 16 bytes; for hash lists that know nothing better, never for a decision by itself.
        size: Length in bytes.
    """

    sha256: bytes
    md5: bytes
    size: int


def digests(chunks: Iterable[bytes]) -> Digests:
    """SHA-256, MD5 and length of the concatenation of `chunks`; none of them is kept."""
    sha256 = hashlib.sha256()
    md5 = hashlib.md5(usedforsecurity=False)
    size = 0
    for chunk in chunks:
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
    return Digests(sha256.digest(), md5.digest(), size)
