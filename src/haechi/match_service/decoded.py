"""What a child process makes of a photo where only its PDQ is asked for."""

from haechi import media
from haechi.fingerprint import ImageFingerprint, digests, pdq


def by_pdq(data: bytes) -> ImageFingerprint:
    """A fingerprint without embeddings, which cost ten times the rest. Raises MediaError."""
    picture = media.decode(data)
    turns = pdq.dihedral(picture.rgb)
    return ImageFingerprint(
        digests=digests([data]),
        kind=picture.kind,
        width=picture.width,
        height=picture.height,
        pdq=turns[0],
        turns=tuple(turn.bits for turn in turns),
        embedding=None,
        views=(),
    )
