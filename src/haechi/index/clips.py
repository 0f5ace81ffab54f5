"""Where a clip lies: pairs of like frames that agree on one shift in time."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FrameNear = tuple[float, float, int]
"""(query seconds, known seconds, distance in bits)."""

_AGREE_S = 1.0
_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Clip:
    """The stretch that two videos share.

    Attributes:
        query_from_s: Where it begins in the query.
        query_to_s: Where it ends there.
        known_from_s: Where it begins in the known video.
        known_to_s: Where it ends there.
        matched_frames: Frames of the query that agree on it.
        query_share: Part of the query's length that it covers, 0..1.
    """

    query_from_s: float
    query_to_s: float
    known_from_s: float
    known_to_s: float
    matched_frames: int
    query_share: float


def locate(pairs: Sequence[FrameNear], *, query_s: float, known_s: float) -> Clip | None:
    """The longest clip that enough pairs agree on, or None. Lengths of both videos in seconds."""
    votes: Counter[int] = Counter()
    for shift in {(round((known - asked) / _AGREE_S), asked) for asked, known, _ in pairs}:
        votes[shift[0]] += 1
    if not votes:
        return None
    best = max(votes, key=lambda shift: votes[shift] + votes[shift + 1])
    agreed = [
        (asked, known)
        for asked, known, _ in pairs
        if best <= round((known - asked) / _AGREE_S) <= best + 1
    ]
    frames = len({asked for asked, _ in agreed})
    if frames < min(_ENOUGH, 1 + int(min(query_s, known_s) / _AGREE_S)):
        return None
    starts, ends = (min(agreed), max(agreed))
    share = (ends[0] - starts[0]) / query_s if query_s else 1.0
    return Clip(starts[0], ends[0], starts[1], ends[1], frames, min(1.0, share))
