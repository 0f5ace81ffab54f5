"""What a child process makes of a photo where only its PDQ is asked for."""

from haechi.fingerprint import ImageFingerprint, digests
from haechi.fingerprint.hashes import still


def by_pdq(data: bytes) -> ImageFingerprint:
    """A fingerprint without embeddings, which cost ten times the rest. Raises MediaError."""
    kind, height, width, turns = still(data)
    return ImageFingerprint(
        digests=digests([data]),
        kind=kind,
        width=width,
        height=height,
        pdq=turns[0],
        turns=tuple(turn.bits for turn in turns),
        embedding=None,
        views=(),
    )
