"""One face before a camera, frame after frame: what is measured at each moment."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.forensics.live.covering import Uncovered, covered, uncovered
from haechi.forensics.live.pose import Pose, pose_of
from haechi.forensics.video.looks import Grey, Look, alike, grey_of
from haechi.forensics.video.temporal import Measures, measures
from haechi.forensics.video.tracks import Follower, Track
from haechi.media import faces
from haechi.media.faces import Face
from haechi.media.streaming_child import Still

SMALLEST_FACE = 1 / 8
WINDOW_S = 3.0
"""Signals are about so many seconds before now."""

_KEEP_S = 20.0
_RATE_FRAMES = 20
_STRAIGHT_DEGREES = 14.0
_WHOLE_EVERY_S = 1.0
_AROUND, _PART = 2.0, 0.3

type Finder = Callable[[NDArray[np.uint8], float], Sequence[Face]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is seen now.

    Attributes:
        seconds: Since the first frame.
        rate: Frames looked at in a second, lately.
        skipped: Frames that came since the last moment and were not looked at.
        faces: How many faces there are.
        face: The one that is followed, or None while it is not seen.
        same: How much it looks as it did when it looked straight ahead, -1..1; None before.
        pose: Where it looks, or None.
        away_s: For how long it has not been seen.
        side: How much brighter the right half of the face is, in doublings; None without a face.
        covered: Part of the face that does not look as it did; None before it looked straight.
        signals: Of the last WINDOW_S.
    """

    seconds: float
    rate: float
    skipped: int
    faces: int
    face: Face | None
    same: float | None
    pose: Pose | None
    away_s: float
    side: float | None
    covered: float | None
    signals: Measures


class Watcher:
    """Takes frames in order. Holds the numbers of twenty seconds and one small picture of the face."""

    def __init__(self, find: Finder | None = None) -> None:
        """`find` finds faces from a size on, a part of the picture; default haechi.media.faces."""
        self._find = find or _found
        self._follower = Follower()
        self._number: int | None = None
        self._seen_s = 0.0
        self._times: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._reference: Uncovered | None = None
        self._thumb: Grey | None = None
        self._whole_s = 0.0
        self._near = False
        self._count = 0

    def see(self, still: Still, now_s: float) -> Moment:
        """The moment of this frame; `now_s` is the clock by which the rate is told."""
        self._times.append(now_s)
        found = self._faces(still)
        tracks = self._follower.see(still.rgb, still.seconds, found)
        self._follower.forget(still.seconds - _KEEP_S)
        track = self._chosen(tracks)
        if track is not None or self._number is None:
            self._seen_s = still.seconds
        grey = grey_of(still.rgb)
        return self._moment(still, grey, track, max(self._count, len(tracks)))

    def keep(self, still: Still, moment: Moment) -> bool:
        """Remember how the face looks when nothing covers it; False if it does not look straight."""
        pose, face = moment.pose, moment.face
        if pose is None or face is None or abs(pose.turn) > _STRAIGHT_DEGREES:
            return False
        self._reference = uncovered(grey_of(still.rgb), face)
        track = self._track()
        self._thumb = None if track is None else track.last.thumb
        return self._reference is not None

    def _faces(self, still: Still) -> Sequence[Face]:
        """All faces once in a while and while there is none; else the one, looked for around its place."""
        track = self._track()
        if track is None or still.seconds - self._whole_s >= _WHOLE_EVERY_S or not self._near:
            self._whole_s = still.seconds
            found = self._find(still.rgb, SMALLEST_FACE)
            self._count = len(found)
        else:
            found = _near(self._find, still.rgb, track.last.face)
        self._near = bool(found)
        return found

    def _chosen(self, tracks: Sequence[Track]) -> Track | None:
        """The face that was followed before; the largest where there was none, or it is gone."""
        for track in tracks:
            if track.number == self._number:
                return track
        if tracks and self._track() is None:
            self._number = tracks[0].number
            return tracks[0]
        if tracks and len(tracks) == 1 and self._similar(tracks[0]):
            self._number = tracks[0].number
            return tracks[0]
        return None

    def _similar(self, track: Track) -> bool:
        """One alone that came after the other was lost is taken for the same if it looks so."""
        before = self._track()
        return before is None or alike(before.last.thumb, track.last.thumb) > 0.3

    def _track(self) -> Track | None:
        return next((one for one in self._follower.tracks if one.number == self._number), None)

    def _moment(self, still: Still, grey: Grey, track: Track | None, count: int) -> Moment:
        look = None if track is None else track.last
        height, width = grey.shape
        face = None if look is None else look.face
        return Moment(
            seconds=still.seconds,
            rate=_rate(self._times),
            skipped=still.skipped,
            faces=count,
            face=face,
            same=None if look is None or self._thumb is None else alike(self._thumb, look.thumb),
            pose=None if face is None else pose_of(face, width, height),
            away_s=0.0 if look is not None else still.seconds - self._seen_s,
            side=None if look is None else _side(look),
            covered=self._covered(grey, face),
            signals=measures(_lately(track, still.seconds)),
        )

    def _covered(self, grey: Grey, face: Face | None) -> float | None:
        if self._reference is None:
            return None
        part, place = covered(grey, face, self._reference)
        self._reference = Uncovered(self._reference.small, place)
        return part


def _lately(track: Track | None, now_s: float) -> Sequence[Look]:
    return () if track is None else [one for one in track.looks if one.seconds > now_s - WINDOW_S]


def _side(look: Look) -> float:
    return math.log2((look.right + 4.0) / (look.left + 4.0))


def _rate(times: Sequence[float]) -> float:
    took_s = times[-1] - times[0]
    return (len(times) - 1) / took_s if took_s > 0 else 0.0


def _found(rgb: NDArray[np.uint8], smallest: float) -> Sequence[Face]:
    return faces.find(rgb, smallest=smallest)


def _near(find: Finder, rgb: NDArray[np.uint8], face: Face) -> Sequence[Face]:
    """The faces around the place of one, in fractions of the whole picture."""
    height, width = rgb.shape[:2]
    x, y = face.x + face.width / 2, face.y + face.height / 2
    side = _AROUND * max(face.width * width, face.height * height) / 2
    left, top = max(0, int(x * width - side)), max(0, int(y * height - side))
    cut = rgb[top : int(y * height + side) + 1, left : int(x * width + side) + 1]
    across, down = cut.shape[1] / width, cut.shape[0] / height
    placed = (_placed(one, left / width, top / height, across, down) for one in find(cut, _PART))
    return tuple(placed)


def _placed(face: Face, left: float, top: float, across: float, down: float) -> Face:
    points = face.landmarks
    if points is not None:
        points = tuple((left + x * across, top + y * down) for x, y in points)
    size = (face.width * across, face.height * down)
    return Face(left + face.x * across, top + face.y * down, *size, face.score, points)
