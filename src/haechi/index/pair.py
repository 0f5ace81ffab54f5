"""Two pictures or videos compared: every distance between them, and the verdict that follows."""

from dataclasses import dataclass

from haechi.fingerprint import ImageFingerprint, pdq, sscd
from haechi.index import clips
from haechi.index.catalog import Catalog
from haechi.index.clips import Clip
from haechi.index.entry import Entry, Hit, Query, Verdict
from haechi.index.policy import DEFAULT, Policy


@dataclass(frozen=True, slots=True)
class Looks:
    """One picture as `compare` wants it.

    Attributes:
        asked: Its fingerprint by `fingerprint.image`, as a query.
        known: Its fingerprint by `fingerprint.member`, as a known picture.
    """

    asked: ImageFingerprint
    known: ImageFingerprint


@dataclass(frozen=True, slots=True)
class Pair:
    """What two pictures are to each other.

    Attributes:
        verdict: The stronger of both directions.
        found_by: As in Hit, or None without a match.
        reversed: True if the match was only found with the second picture as the query, such as
            when the first is a crop of a tile of it.
        distance_bits: The smallest PDQ distance over eight turns, whether or not it is a match. Of
            a video its key frame counts, which need not be what is alike.
        orientation: 0..7, the index into fingerprint.pdq.TURNS at which it was measured.
        similarity: Cosine of the whole pictures, or None without the copy-detection model.
        view_similarity: Highest cosine where a view takes part that matched; None if none did.
        clip: Where the frames of the first lie in the second, or with `reversed` those of the
            second in the first. None if either is a picture, or too few frames are alike.
        clip_bits: The median PDQ distance over the frames of the clip between two videos, where
            the search reports it; else None.
    """

    verdict: Verdict
    found_by: str | None
    reversed: bool
    distance_bits: int
    orientation: int
    similarity: float | None
    view_similarity: float | None
    clip: Clip | None = None
    clip_bits: int | None = None


def compare(first: Looks, second: Looks, policy: Policy = DEFAULT) -> Pair:
    """Look the first up as if only the second were known, and the other way round."""
    there, back = _search(first, second, policy), _search(second, first, policy)
    forth_clip, back_clip = _clip(first, second, policy), _clip(second, first, policy)
    forth, backward = there is not None or forth_clip is not None, back is not None or back_clip
    turned = not forth and bool(backward)
    hit = back if turned else there
    clip = back_clip if turned else forth_clip
    bits, orientation = _nearest(first.asked, second.known)
    return Pair(
        verdict=_verdict(hit, clip),
        found_by="vpdq"
        if hit is None and clip is not None
        else None
        if hit is None
        else hit.found_by,
        reversed=turned,
        distance_bits=bits,
        orientation=orientation,
        similarity=_whole(first.asked, second.asked),
        view_similarity=_of_views(there, back),
        clip=clip,
        clip_bits=hit.distance_bits if hit and clip and hit.found_by == "vpdq" else None,
    )


def _clip(query: Looks, known: Looks, policy: Policy) -> Clip | None:
    return clips.compare(
        query.asked.frames,
        known.known.frames,
        policy.pdq_edited_bits,
        query_s=query.asked.seconds,
        known_s=known.known.seconds,
    )


def _verdict(hit: Hit | None, clip: Clip | None) -> Verdict:
    if hit is not None:
        return hit.verdict
    return Verdict.NO_MATCH if clip is None else Verdict.EDITED_COPY


def _search(query: Looks, known: Looks, policy: Policy) -> Hit | None:
    catalog = Catalog()
    catalog.put(Entry.of(0, known.known))
    hits = catalog.search(Query.of(query.asked), policy)
    return hits[0] if hits else None


def _nearest(query: ImageFingerprint, known: ImageFingerprint) -> tuple[int, int]:
    target = int.from_bytes(known.pdq.bits, "big")
    distances = [(int.from_bytes(turn, "big") ^ target).bit_count() for turn in query.turns]
    bits = min(distances)
    return bits, distances.index(bits) % len(pdq.TURNS)


def _whole(first: ImageFingerprint, second: ImageFingerprint) -> float | None:
    if first.embedding is None or second.embedding is None:
        return None
    return sscd.similarity(first.embedding, second.embedding)


def _of_views(*hits: Hit | None) -> float | None:
    found = [hit.similarity for hit in hits if hit is not None and hit.similarity is not None]
    return max(found, default=None)
