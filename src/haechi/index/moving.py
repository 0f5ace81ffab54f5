"""Pairs of near frames to evidence: a still in a video, a clip in a video."""

from collections.abc import Iterator
from statistics import median_low
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haechi.index.clips import Clip, locate
from haechi.index.evidence import Bits
from haechi.index.policy import Policy

FrameNear = tuple[float, float, int]
"""(query seconds, known seconds, distance in bits)."""

_MOST_OF_ENTRY = 64
"""Pairs kept of one frame of the query and one entry, the nearest first: in a still scene every
frame is near every other, and 64 say as much about when as all of them."""

_MOST = 2048
"""Pairs kept of one frame of the query: what is in more videos than that says little of any."""

_ALL_OF_IT = 0.9
"""A clip that covers this part of both videos is no excerpt: it is the same video."""


class Lengths(NamedTuple):
    """Seconds of query and entry; 0 for a still picture. `asked_frames` were looked up."""

    query_s: float
    known_s: float
    asked_frames: int


def weigh(
    pairs: list[FrameNear], turn: int, lengths: Lengths, policy: Policy
) -> tuple[Bits, Clip] | None:
    """What near frames of a query, turned one way, and one entry say; one of both is a video.

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
    upright = not turn and bits <= policy.pdq_same_bits
    same = moving and upright and _all_of_both(clip, lengths)
    return Bits(same, bits, turn, "vpdq"), clip


def thinned(
    frames: NDArray[np.int64], distances: NDArray[np.int64], groups: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Which pairs to keep, of those of some frames of the query; each in a group. All (k,)."""
    order = np.lexsort((distances, frames, groups))
    order = order[_place(groups[order], frames[order]) < _MOST_OF_ENTRY]
    order = order[np.lexsort((distances[order], frames[order]))]
    return order[_place(frames[order]) < _MOST]


def by_group(
    groups: NDArray[np.int64], pairs: NDArray[np.float64]
) -> Iterator[tuple[int, list[FrameNear]]]:
    """Each group with its pairs; `pairs` is (k, 3) of (query seconds, known seconds, distance)."""
    order = np.argsort(groups, kind="stable")
    numbers, starts = np.unique(groups[order], return_index=True)
    for number, part in zip(numbers.tolist(), np.split(order, starts[1:]), strict=False):
        yield number, [(asked, known, int(bits)) for asked, known, bits in pairs[part].tolist()]


def _place(*columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each row among its equals, from 0; equal rows stand together."""
    place = np.arange(len(columns[0]))
    begins = np.ones(len(place), dtype=np.bool_)
    begins[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return place - np.maximum.accumulate(np.where(begins, place, 0))


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
        if clip.query_from_s <= asked <= clip.query_to_s and (
            clip.known_from_s - 1 <= known <= clip.known_to_s + 1
        ):
            nearest[asked] = min(distance, nearest.get(asked, distance))
    return median_low(nearest.values()) if nearest else min(pair[2] for pair in pairs)


def _all_of_both(clip: Clip, lengths: Lengths) -> bool:
    """Frames at either end may be dark, and each stands for up to a second."""
    known_s = clip.known_to_s - clip.known_from_s + 1
    return clip.query_share >= _ALL_OF_IT and known_s >= _ALL_OF_IT * lengths.known_s
