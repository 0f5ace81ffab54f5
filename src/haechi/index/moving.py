"""Pairs of near frames to evidence: a still in a video, a clip in a video."""

from collections import defaultdict
from statistics import median_low
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.index.clips import Clip, FrameNear, locate
from haechi.index.evidence import Bits
from haechi.index.policy import Policy

_MOST_A_FRAME = 64
"""Pairs kept of one frame of the query and one entry, the nearest first: in a still scene every
frame is near every other, and 64 say as much about when as all of them."""

_ALL_OF_IT = 0.9
"""A clip that covers this part of both videos is no excerpt: it is the same video."""


class Lengths(NamedTuple):
    """Seconds of query and entry; 0 for a still picture. `asked_frames` were looked up."""

    query_s: float
    known_s: float
    asked_frames: int


def weigh(pairs: list[FrameNear], lengths: Lengths, policy: Policy) -> tuple[Bits, Clip] | None:
    """What near frames of a query and one entry say; at least one of both is a video.

    Of two videos, frames count only where `clips.locate` finds that they run along each other:
    one frame alone, such as a title, is in many videos. One still in a video is enough.
    """
    moving = bool(lengths.query_s and lengths.known_s)
    if moving:
        clip = locate(pairs, query_s=lengths.query_s, known_s=lengths.known_s)
    else:
        clip = shown(pairs, lengths.asked_frames)
    if clip is None:
        return None
    bits = _distance(pairs, clip) if moving else min(distance for _, _, distance in pairs)
    same = moving and bits <= policy.pdq_same_bits and _all_of_both(clip, lengths)
    return Bits(same, bits, 0, "vpdq"), clip


def gathered(
    times: tuple[NDArray[np.float64], NDArray[np.float64]],
    distances: NDArray[np.int64],
    slots: NDArray[np.uint32],
) -> dict[int, list[FrameNear]]:
    """(query seconds, known seconds, distance) of each slot, at most _MOST_A_FRAME a query frame.

    `times` are those of the query's frames and of the known ones.
    """
    asked, known = times
    order = np.lexsort((known, distances, asked, slots))
    columns = [column[order] for column in (slots, asked, known, distances)]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (columns[0][1:] != columns[0][:-1]) | (columns[1][1:] != columns[1][:-1])
    place = np.arange(len(order))
    kept = place - np.maximum.accumulate(np.where(begins, place, 0)) < _MOST_A_FRAME
    pairs: dict[int, list[FrameNear]] = defaultdict(list)
    for slot, *pair in zip(*(column[kept].tolist() for column in columns), strict=True):
        pairs[slot].append((pair[0], pair[1], pair[2]))
    return pairs


def shown(pairs: list[FrameNear], asked_frames: int) -> Clip:
    """When a still picture is shown in a video: from the first to the last frame near it.

    `asked_frames` is how many frames of the query were looked up, 1 of a still picture.
    """
    asked, known = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    frames = max(len(set(asked)), len(set(known)))
    share = min(1.0, len(set(asked)) / max(1, asked_frames))
    return Clip(min(asked), max(asked), min(known), max(known), frames, share)


def _distance(pairs: list[FrameNear], clip: Clip) -> int:
    """The median over the query's frames inside the clip, each by its nearest."""
    nearest: dict[float, int] = {}
    for asked, known, distance in pairs:
        inside = clip.query_from_s <= asked <= clip.query_to_s
        if inside and clip.known_from_s <= known <= clip.known_to_s:
            nearest[asked] = min(distance, nearest.get(asked, distance))
    return median_low(nearest.values()) if nearest else min(pair[2] for pair in pairs)


def _all_of_both(clip: Clip, lengths: Lengths) -> bool:
    known = (clip.known_to_s - clip.known_from_s) / lengths.known_s
    query = (clip.query_to_s - clip.query_from_s) / lengths.query_s
    return min(known, query) >= _ALL_OF_IT
