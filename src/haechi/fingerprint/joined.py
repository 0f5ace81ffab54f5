"""Fingerprints of one length that are stored one after another in one column."""

from haechi.fingerprint import pdq, sscd


def embeddings(joined: bytes) -> tuple[bytes, ...]:
    """512 int8 each, as views are stored. What is left over at the end is not one, and left out."""
    return _apart(joined, sscd.DIMENSIONS)


def hashes(joined: bytes) -> tuple[bytes, ...]:
    """32 bytes each, as the turns of a PDQ are stored; what is left over is left out."""
    return _apart(joined, pdq.BITS // 8)


def _apart(joined: bytes, length: int) -> tuple[bytes, ...]:
    whole = len(joined) - len(joined) % length
    return tuple(joined[start : start + length] for start in range(0, whole, length))
