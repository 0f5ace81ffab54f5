"""All fingerprints of one picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import layout, pdq, sscd
from haechi.fingerprint.digests import Digests, digests
from haechi.fingerprint.pdq import Pdq
from haechi.media import DEFAULT, Kind, Limits, decode


@dataclass(frozen=True, slots=True)
class ImageFingerprint:
    """What Haechi keeps of a picture instead of the picture.

    Attributes:
        digests: Of the file's bytes.
        kind: What the file was.
        width: Pixels, as shown.
        height: Pixels, as shown.
        pdq: Of the whole picture, with its quality.
        turns: 8 x 32 bytes: PDQ in every turn and mirror, in the order of pdq.TURNS.
        embedding: 512 int8 of the whole picture, or None without the copy-detection model.
        views: 512 int8 each. Of an upload: the insets that its layout shows (0 to 2). Of a member:
            overlapping crops as well.
    """

    digests: Digests
    kind: Kind
    width: int
    height: int
    pdq: Pdq
    turns: tuple[bytes, ...]
    embedding: bytes | None
    views: tuple[bytes, ...]


def image(data: bytes, limits: Limits = DEFAULT) -> ImageFingerprint:
    """The fingerprint of an upload that is to be looked up; decodes in this process.

    One embedding for most pictures (50 ms on one core), up to three for screenshots and framed
    pictures, none without the model. Raises MediaError, or FingerprintError if the model fails.
    """
    return _fingerprint(data, limits, crops=False)


def member(data: bytes, limits: Limits = DEFAULT) -> ImageFingerprint:
    """The fingerprint of a picture whose copies are to be found; decodes in this process.

    Like `image`, and beside the insets it embeds overlapping crops, so that half a picture or one
    tile of a collage is found too. Paid once a member: 6 to 8 embeddings. Raises as `image`.
    """
    return _fingerprint(data, limits, crops=True)


def _fingerprint(data: bytes, limits: Limits, *, crops: bool) -> ImageFingerprint:
    picture = decode(data, limits=limits)
    turns = pdq.dihedral(picture.rgb)
    embedding, views = _embeddings(picture.rgb, crops=crops)
    return ImageFingerprint(
        digests=digests([data]),
        kind=picture.kind,
        width=picture.width,
        height=picture.height,
        pdq=turns[0],
        turns=tuple(turn.bits for turn in turns),
        embedding=embedding,
        views=views,
    )


def _embeddings(rgb: NDArray[np.uint8], *, crops: bool) -> tuple[bytes | None, tuple[bytes, ...]]:
    if not sscd.available():
        return None, ()
    boxes = layout.insets(rgb) + (layout.crops(rgb) if crops else ())
    found = sscd.embed([rgb, *(box.cut(rgb) for box in boxes)])
    return found[0].tobytes(), tuple(row.tobytes() for row in found[1:])
