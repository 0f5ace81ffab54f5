"""Where a clip lies in a longer video, from frames that look alike.

A copied clip puts its matching frames on a line: known time = speed x query time + offset. Single
matches elsewhere (a black frame, a title, a still scene that looks like itself) fall beside it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint import pdq
from haechi.fingerprint.frames import Frame, turned_many

SPEEDS = (1.0, 0.95, 1.05, 0.9, 1.1, 0.85, 1.15, 0.8, 1.25)
"""Known seconds for each second of the query. The first is preferred unless another finds more."""

TOLERANCE_S = 0.5
"""How far from the line a pair may lie: half the time between two frames of a video asked for."""

ENOUGH_FRAMES = 3
"""A title card that two videos share is one frame. Of a video of a second or two one is enough."""

_BETTER = 1.25
_PAIRS_PER_FRAME = 64
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of a query that is a part of a known video. Times are those of the matching frames.

    Attributes:
        query_from_s: Where it begins in the query, in seconds since its first frame.
        query_to_s: Where it ends there.
        known_from_s: Where it begins in the known video.
        known_to_s: Where it ends there.
        matched_frames: Frames of the query that found theirs on the line.
        query_share: 0..1: seconds of the query with such a frame, of all its seconds.
    """

    query_from_s: float
    query_to_s: float
    known_from_s: float
    known_to_s: float
    matched_frames: int
    query_share: float


def locate(
    pairs: Sequence[tuple[float, float, int]], *, query_s: float, known_s: float
) -> Clip | None:
    """The clip that most pairs of frames agree on, or None if too few do.

    `pairs` are (seconds in the query, seconds in the known video, distance in bits) of frames
    within the radius of the search and of quality >= pdq.MIN_QUALITY; `query_s` and `known_s` how
    long both play. A few dropped or foreign frames, a changed speed (SPEEDS) and scenes that match
    all of themselves do no harm: each frame of either video counts once.
    """
    if not pairs:
        return None
    table = np.asarray(pairs, dtype=np.float64).reshape(-1, 3)
    asked, known, bits = table.T
    best: tuple[float, NDArray[np.intp]] | None = None
    for speed in SPEEDS:
        line = _on_line(asked, known - speed * asked, bits)
        count = _votes(asked[line], known[line])
        if best is None or count > _BETTER * best[0]:
            best = (count, line)
    if best is None or best[0] < _needed(query_s, known_s):
        return None
    return _clip(asked[best[1]], known[best[1]], query_s)


def compare(
    query: Sequence[Frame],
    known: Sequence[Frame],
    radius: int,
    *,
    query_s: float | None = None,
    known_s: float | None = None,
) -> Clip | None:
    """Every frame of one video against every frame of another: the slow reference.

    The query is tried in its eight turns (pdq.TURNS) and the one with most matches is taken.
    Without `query_s` and `known_s` a video ends a frame after its last one.
    """
    asked, there = _good(query), _good(known)
    if not asked or not there:
        return None
    found: Clip | None = None
    lengths = {
        "query_s": _length(query) if query_s is None else query_s,
        "known_s": _length(known) if known_s is None else known_s,
    }
    for turn in turned_many(_bits(asked)):
        clip = locate(_pairs(asked, turn, there, radius), **lengths)
        if clip is not None and (found is None or clip.matched_frames > found.matched_frames):
            found = clip
    return found


def _on_line(
    asked: NDArray[np.float64], offsets: NDArray[np.float64], bits: NDArray[np.float64]
) -> NDArray[np.intp]:
    """The pairs around the offset where most frames of the query vote, nearest hashes decide ties."""
    cells = np.floor(offsets / TOLERANCE_S).astype(np.int64)
    cells -= cells.min()
    _, frame = np.unique(asked, return_inverse=True)
    # Cells overlap by half: a line on a border is whole in one of them.
    both = np.concatenate([cells, cells + 1])
    votes = np.unique(both * (frame.max() + 1) + np.tile(frame, 2)) // (frame.max() + 1)
    counts = np.bincount(votes)
    tied = np.flatnonzero(counts == counts.max())
    cell = int(tied[0])
    if len(tied) > 1:
        worst = [bits[(cells == at) | (cells + 1 == at)].mean() for at in tied[:64]]
        cell = int(tied[int(np.argmin(worst))])
    return np.flatnonzero((cells == cell) | (cells + 1 == cell))


def _votes(asked: NDArray[np.float64], known: NDArray[np.float64]) -> float:
    """Frames that take part, each side counted once."""
    return float(min(len(np.unique(asked)), len(np.unique(known))))


def _needed(query_s: float, known_s: float) -> int:
    shorter = min(query_s, known_s)
    return max(1, min(ENOUGH_FRAMES, math.floor(shorter)))


def _clip(asked: NDArray[np.float64], known: NDArray[np.float64], query_s: float) -> Clip:
    seconds = max(1, math.ceil(query_s))
    covered = len(np.unique(np.minimum(np.floor(asked), seconds - 1)))
    return Clip(
        query_from_s=float(asked.min()),
        query_to_s=float(asked.max()),
        known_from_s=float(known[asked == asked.min()].mean()),
        known_to_s=float(known[asked == asked.max()].mean()),
        matched_frames=len(np.unique(asked)),
        query_share=min(1.0, covered / seconds),
    )


def _good(frames: Sequence[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.pdq.quality >= pdq.MIN_QUALITY]


def _bits(frames: Sequence[Frame]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(frame.pdq.bits for frame in frames), np.uint8).reshape(-1, 32)


def _length(frames: Sequence[Frame]) -> float:
    return frames[-1].seconds + (frames[-1].seconds / (len(frames) - 1) if len(frames) > 1 else 0.0)


def _pairs(
    query: Sequence[Frame], turn: NDArray[np.uint8], known: Sequence[Frame], radius: int
) -> list[tuple[float, float, int]]:
    """The nearest _PAIRS_PER_FRAME frames within `radius` for each frame of the query."""
    asked, there = np.ascontiguousarray(turn).view(np.uint64), _bits(known).view(np.uint64)
    pairs = []
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK, None]
        distances = np.bitwise_count(block ^ there[None]).sum(axis=2, dtype=np.int64)
        for row, line in enumerate(distances):
            near = np.flatnonzero(line <= radius)
            for column in near[np.argsort(line[near], kind="stable")][:_PAIRS_PER_FRAME].tolist():
                seconds = query[start + row].seconds, known[column].seconds
                pairs.append((*seconds, int(line[column])))
    return pairs
