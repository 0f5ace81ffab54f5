"""The cheap part of a fingerprint: what the file is, and its PDQ; no embedding."""

from dataclasses import dataclass

from haechi.fingerprint import pdq
from haechi.fingerprint.pdq import Pdq
from haechi.media import DEFAULT, Kind, Limits, decode


@dataclass(frozen=True, slots=True)
class Hashes:
    """What `hashes` found out about one picture.

    Attributes:
        kind: What the file is.
        width: Pixels, as shown.
        height: Pixels, as shown.
        pdq: None if a side is shorter than pdq.MIN_SIDE_PX: there is nothing to hash then. A flat
            picture has a hash, at a quality near 0.
    """

    kind: Kind
    width: int
    height: int
    pdq: Pdq | None


def hashes(data: bytes, limits: Limits = DEFAULT) -> Hashes:
    """PDQ of the picture in `data`; decodes in this process. Raises MediaError."""
    picture = decode(data, limits=limits)
    tiny = min(picture.height, picture.width) < pdq.MIN_SIDE_PX
    found = None if tiny else pdq.compute(picture.rgb)
    return Hashes(picture.kind, picture.width, picture.height, found)
