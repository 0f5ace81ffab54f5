"""All fingerprints of one picture or video."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import layout, pdq, sscd, video
from haechi.fingerprint.digests import Digests, digests
from haechi.fingerprint.frames import Frame
from haechi.fingerprint.pdq import Pdq
from haechi.media import DEFAULT, Kind, Limits, decode, sniff

SAME_BITS = 10
"""Renderings of one file this close by PDQ count as one."""

MORE_EMBEDDINGS = 3
"""Each costs 50 ms, so this bounds what an animation can cost. Flat renderings come last."""

MAX_VIEWS = 9
"""Of an upload, insets and other renderings together: no upload costs more than ten embeddings."""

MEMBER_INSETS = 4
"""What a member is embedded for beside its crops."""


@dataclass(frozen=True, slots=True)
class ImageFingerprint:
    """What Haechi keeps of a picture or a video instead of it.

    Of a video `pdq`, `turns` and `embedding` are those of its key frame (video.Film), and `views`
    the embeddings of further frames that look different.

    Attributes:
        digests: Of the file's bytes.
        kind: What the file was.
        width: Pixels, as shown.
        height: Pixels, as shown.
        pdq: Of the whole picture, with its quality. If the picture is too flat for PDQ and
            another rendering of the file (see media.Picture.more) is not, of that one.
        turns: 32 bytes each: PDQ in every turn and mirror, in the order of pdq.TURNS, of `pdq`
            first; then eight more for every other rendering that is not flat and looks different;
            last, of an upload, eight for every inset that is not flat.
        embedding: 512 int8 of the whole picture, or None without the copy-detection model.
        views: 512 int8 each. Of an upload: the insets that its layout shows, and up to
            MORE_EMBEDDINGS other renderings, MAX_VIEWS in all. Of a member: nine overlapping
            crops as well.
        insets: How many of the last groups of eight `turns` are of insets, and so show that the
            upload contains a picture and not that it is one.
        frames: Of a video, by time: two a second of an upload, up to thirty of a member.
        seconds: Playing time of a video; 0 for a still.
    """

    digests: Digests
    kind: Kind
    width: int
    height: int
    pdq: Pdq
    turns: tuple[bytes, ...]
    embedding: bytes | None
    views: tuple[bytes, ...]
    insets: int = 0
    frames: tuple[Frame, ...] = ()
    seconds: float = 0.0


def image(data: bytes, limits: Limits = DEFAULT) -> ImageFingerprint:
    """The fingerprint of an upload that is to be looked up, a picture or a video; decodes in this process.

    One embedding for most pictures (50 ms on one core), two to five for screenshots and
    collages, ten at most, none without the model. Raises MediaError, or FingerprintError if the model fails.
    """
    return _fingerprint(data, limits, crops=False)


def member(data: bytes, limits: Limits = DEFAULT) -> ImageFingerprint:
    """The fingerprint of a picture whose copies are to be found; decodes in this process.

    Like `image`, and beside the insets it embeds overlapping crops, so that half a picture or one
    tile of a collage is found too. Paid once a member: 10 to 17 embeddings. Raises as `image`.
    """
    return _fingerprint(data, limits, crops=True)


def _fingerprint(data: bytes, limits: Limits, *, crops: bool) -> ImageFingerprint:
    if sniff(data).is_video:
        return _of_film(data, video.watch(data, video.KNOWN if crops else video.ASKED, limits))
    picture = decode(data, limits=limits)
    looks = _looks([picture.rgb, *picture.more])
    more = sorted(looks[1:], key=lambda look: _too_flat(look[1]))
    boxes = layout.insets(picture.rgb)
    embedding, views = _embeddings(picture.rgb, boxes, [rgb for rgb, _ in more], crops=crops)
    within = () if crops else _turns_of(picture.rgb, boxes)
    hashed = sorted((turns for _, turns in looks), key=_too_flat)
    counted = [turns for turns in hashed[1:] if not _too_flat(turns)]
    return ImageFingerprint(
        digests=digests([data]),
        kind=picture.kind,
        width=picture.width,
        height=picture.height,
        pdq=hashed[0][0],
        turns=tuple(turn.bits for turns in [hashed[0], *counted, *within] for turn in turns),
        embedding=embedding,
        views=views,
        insets=len(within),
    )


def _of_film(data: bytes, film: video.Film) -> ImageFingerprint:
    rows = [row.tobytes() for row in sscd.embed(film.stills)] if sscd.available() else []
    return ImageFingerprint(
        digests=digests([data]),
        kind=film.kind,
        width=film.width,
        height=film.height,
        pdq=film.key.pdq,
        turns=film.turns,
        embedding=rows[0] if rows else None,
        views=tuple(rows[1:]),
        frames=film.frames,
        seconds=film.seconds,
    )


def _looks(renderings: list[NDArray[np.uint8]]) -> list[tuple[NDArray[np.uint8], tuple[Pdq, ...]]]:
    """Those that differ, with their turns: neighbouring frames of an animation mostly do not."""
    kept: list[tuple[NDArray[np.uint8], tuple[Pdq, ...]]] = []
    for rgb in renderings:
        turns = pdq.dihedral(rgb)
        if all(_apart_bits(turns[0], other[0]) > SAME_BITS for _, other in kept):
            kept.append((rgb, turns))
    return kept


def _too_flat(turns: tuple[Pdq, ...]) -> bool:
    return turns[0].quality < pdq.MIN_QUALITY


def _apart_bits(left: Pdq, right: Pdq) -> int:
    if (left.quality < pdq.MIN_QUALITY) != (right.quality < pdq.MIN_QUALITY):
        return pdq.BITS
    return (int.from_bytes(left.bits) ^ int.from_bytes(right.bits)).bit_count()


def _turns_of(rgb: NDArray[np.uint8], boxes: tuple[layout.Box, ...]) -> tuple[tuple[Pdq, ...], ...]:
    """The eight turns of every inset that is not flat."""
    turned = (pdq.dihedral(box.cut(rgb)) for box in boxes)
    return tuple(turns for turns in turned if not _too_flat(turns))


def _embeddings(
    rgb: NDArray[np.uint8],
    insets: tuple[layout.Box, ...],
    more: list[NDArray[np.uint8]],
    *,
    crops: bool,
) -> tuple[bytes | None, tuple[bytes, ...]]:
    if not sscd.available():
        return None, ()
    others = more[:MORE_EMBEDDINGS]
    boxes = insets[: MEMBER_INSETS if crops else MAX_VIEWS - len(others)]
    cuts = [box.cut(rgb) for box in boxes + (layout.crops(rgb) if crops else ())]
    found = sscd.embed([rgb, *cuts, *others])
    return found[0].tobytes(), tuple(row.tobytes() for row in found[1:])
