"""Passages that are shown twice, and pictures that stand still."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 12
MOST = 2_400
"""Frames compared with each other: four minutes at ten a second. Later ones are left out."""

LEAST_S = 1.5
_SAME_LEVELS = 1.5
_MOVING_LEVELS = 3.0
_NEAR_S = 0.25


@dataclass(frozen=True, slots=True)
class Repeat:
    """A passage and its repetition, in seconds."""

    first_s: float
    again_s: float
    length_s: float


@dataclass(slots=True)
class Seen:
    """Small grey copies of the frames that were looked at."""

    seconds: list[float] = field(default_factory=list)
    glances: list[NDArray[np.uint8]] = field(default_factory=list)
    stopped_s: float = 0.0
    _still_since: float | None = None
    _last: tuple[float, NDArray[np.uint8]] | None = None

    def see(self, at_s: float, grey: NDArray[np.uint8]) -> None:
        """Take one more frame, uint8 (h, w)."""
        small = np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
        if len(self.glances) < MOST:
            self.seconds.append(at_s)
            self.glances.append(small)
        near = self._last is not None and at_s - self._last[0] <= _NEAR_S
        if near and self._last is not None and np.array_equal(self._last[1], small):
            since = self._last[0] if self._still_since is None else self._still_since
            self._still_since = since
            self.stopped_s = max(self.stopped_s, at_s - since)
        else:
            self._still_since = None
        self._last = (at_s, small)


def repeat(seconds: Sequence[float], glances: Sequence[NDArray[np.uint8]]) -> Repeat | None:
    """The longest passage of LEAST_S or more that moves and is shown again, or None."""
    if len(seconds) < 2:
        return None
    flat = np.array([one.ravel() for one in glances], dtype=np.float32)
    lengths = (flat**2).sum(axis=1)
    limit = _SAME_LEVELS**2 * flat.shape[1]
    best: Repeat | None = None
    for lag in range(1, len(flat)):
        apart = lengths[lag:] + lengths[:-lag] - 2 * (flat[lag:] * flat[:-lag]).sum(axis=1)
        for begin, end in _runs(apart <= limit):
            found = Repeat(seconds[begin], seconds[begin + lag], seconds[end] - seconds[begin])
            longer = best is None or found.length_s > best.length_s
            apart_enough = found.again_s - found.first_s >= found.length_s
            if found.length_s >= LEAST_S and longer and apart_enough:
                best = found if _moves(flat[begin : end + 1]) else best
    return best


def _runs(same: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    return [(int(begin), int(end) - 1) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _moves(passage: NDArray[np.float32]) -> bool:
    """True if a passage does not stand still: most of a film does, and that repeats nothing."""
    return float(np.abs(np.diff(passage, axis=0)).mean(axis=1).max(initial=0)) >= _MOVING_LEVELS
