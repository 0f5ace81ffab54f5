"""Which face in one frame is which in the next: by place, and where that fails by look."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haechi.forensics.video.looks import Grey, Look, alike, grey_of, look, thumb
from haechi.media.faces import Face

MOST_FACES = 12
"""Faces followed at once, the largest; a crowd must not cost hours."""

_OVERLAP = 0.3
_LIKENESS = 0.6
_LOST_S = 2.0
"""A face that is away for longer, or through a seconds that were not looked at, begins anew unless
it looks the same."""

_FORGET_S = 60.0
_WEIGHT_OF_PLACE = 0.5


@dataclass(slots=True, eq=False)
class Track:
    """One face over time. `number` counts from 0 in the order in which faces appear."""

    number: int
    looks: list[Look] = field(default_factory=list)

    @property
    def last(self) -> Look:
        """Where it was seen last."""
        return self.looks[-1]

    @property
    def seconds(self) -> float:
        """From its first to its last frame."""
        return self.last.seconds - self.looks[0].seconds


class Follower:
    """Takes frames in order and keeps the tracks; of each frame it keeps the grey of one."""

    def __init__(self) -> None:
        self._tracks: dict[int, Track] = {}
        self._begun = 0
        self._before: Grey | None = None
        self._before_s = 0.0

    @property
    def tracks(self) -> list[Track]:
        """Every face that was seen and not forgotten, in the order in which they appeared."""
        return list(self._tracks.values())

    def forget(self, before_s: float) -> None:
        """Drop what was seen earlier, so that what is live can be watched for days."""
        for number, track in list(self._tracks.items()):
            track.looks = [one for one in track.looks if one.seconds >= before_s]
            if not track.looks:
                del self._tracks[number]

    def see(
        self, rgb: NDArray[np.uint8], at_s: float, faces: Sequence[Face], *, near_s: float = 0.25
    ) -> list[Track]:
        """The tracks that this frame goes on with or begins, in the order of `faces`.

        The frame before counts as such only if it is no more than `near_s` away.
        """
        grey = grey_of(rgb)
        before = self._before
        if before is None or at_s - self._before_s > near_s or before.shape != grey.shape:
            before = None
        self._before, self._before_s = grey, at_s
        faces = faces[:MOST_FACES]
        chosen = self._chosen(grey, faces, at_s)
        for face, track in zip(faces, chosen, strict=True):
            track.looks.append(look(rgb, grey, before, face, at_s))
        return chosen

    def _chosen(self, grey: Grey, faces: Sequence[Face], at_s: float) -> list[Track]:
        """A track for each face; no track twice. The best pairs are taken first."""
        open_tracks = [one for one in self._tracks.values() if at_s - one.last.seconds <= _FORGET_S]
        thumbs = [thumb(grey, face) for face in faces]
        pairs = sorted(
            (
                (_fit(track, face, seen, at_s), track.number, number)
                for number, (face, seen) in enumerate(zip(faces, thumbs, strict=True))
                for track in open_tracks
            ),
            reverse=True,
        )
        taken: dict[int, Track] = {}
        used: set[int] = set()
        for fit, track_number, number in pairs:
            if fit > 0 and number not in taken and track_number not in used:
                taken[number] = self._tracks[track_number]
                used.add(track_number)
        return [taken.get(number) or self._new() for number in range(len(faces))]

    def _new(self) -> Track:
        track = Track(self._begun)
        self._begun += 1
        self._tracks[track.number] = track
        return track


def _fit(track: Track, face: Face, seen: Grey, at_s: float) -> float:
    """Above 0 where the face may be the track's: it is in its place, or looks like it."""
    last = track.last
    place = overlap(last.face, face) if at_s - last.seconds <= _LOST_S else 0.0
    likeness = alike(last.thumb, seen)
    if place >= _OVERLAP and likeness > 0:
        return place + _WEIGHT_OF_PLACE * likeness
    return _WEIGHT_OF_PLACE * likeness if likeness >= _LIKENESS else 0.0


def overlap(one: Face, other: Face) -> float:
    """Intersection over union of two boxes."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    both = max(0.0, across) * max(0.0, down)
    whole = one.width * one.height + other.width * other.height - both
    return both / whole if whole > 0 else 0.0
