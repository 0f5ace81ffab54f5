"""The cheap part of a fingerprint: what the file is, and its hashes; no embedding."""

from dataclasses import dataclass, replace

from haechi.fingerprint import pdq, video
from haechi.fingerprint.frames import Frame
from haechi.fingerprint.pdq import Pdq
from haechi.media import DEFAULT, Kind, Limits, decode, luminance, sniff


@dataclass(frozen=True, slots=True)
class Hashes:
    """What `hashes` found out about one picture or video.

    Attributes:
        kind: What the file is.
        width: Pixels, as shown.
        height: Pixels, as shown.
        pdq: None if a side is shorter than pdq.MIN_SIDE_PX: there is nothing to hash then. A flat
            picture has a hash, at a quality near 0. Of a video, that of its key frame.
        frames: Of a video: two a second, and the first of each scene.
        seconds: Playing time of a video; 0 for a still.
    """

    kind: Kind
    width: int
    height: int
    pdq: Pdq | None
    frames: tuple[Frame, ...] = ()
    seconds: float = 0.0


def hashes(data: bytes, limits: Limits = DEFAULT) -> Hashes:
    """PDQ of the picture or video in `data`; decodes in this process. Raises MediaError."""
    if sniff(data).is_video:
        return _of_film(video.watch(data, replace(video.ASKED, stills=0), limits))
    kind, height, width, turns = still(data, limits)
    return Hashes(kind, width, height, turns[0] if min(height, width) >= pdq.MIN_SIDE_PX else None)


def still(data: bytes, limits: Limits = DEFAULT) -> tuple[Kind, int, int, tuple[Pdq, ...]]:
    """(kind, height, width, PDQ in eight turns) of a picture, by its luminance where that will do.

    Of an animation the first frame. Raises MediaError.
    """
    plane = luminance(data, limits=limits)
    turns = None if plane is None else pdq.dihedral_of_grey(plane)
    if plane is not None and turns is not None:
        return Kind.JPEG, plane.shape[0], plane.shape[1], turns
    picture = decode(data, limits=limits)
    return picture.kind, picture.height, picture.width, pdq.dihedral(picture.rgb)


def _of_film(film: video.Film) -> Hashes:
    tiny = min(film.height, film.width) < pdq.MIN_SIDE_PX
    found = None if tiny else film.key.pdq
    return Hashes(film.kind, film.width, film.height, found, film.frames, film.seconds)
