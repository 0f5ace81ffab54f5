"""A film, examined from its first frame to its last, with one frame in memory at a time."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haechi.errors import FacesMissing, MediaError
from haechi.forensics import fuse, marks, steps
from haechi.forensics.detector import Detector
from haechi.forensics.report import VERSION, Answer, Report, Signal, State
from haechi.forensics.video import findings
from haechi.forensics.video.looks import grey_of
from haechi.forensics.video.repeats import Seen
from haechi.forensics.video.scores import Scorer
from haechi.forensics.video.tracks import Follower
from haechi.media import DEFAULT, Limits, Sandbox, faces
from haechi.media.faces import Face
from haechi.media.streaming import Stream
from haechi.media.streaming_child import WHOLE_S, Still

PER_SECOND = 10.0
SMALLEST_FACE = 1 / 12

type Progress = Callable[[str, float], None]
type Finder = Callable[[NDArray[np.uint8]], Sequence[Face]]


def examine_video(
    data: bytes,
    *,
    models: Sequence[Detector] = (),
    trust_anchors: str | None = None,
    watermark_key: bytes | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    sandbox: Sandbox | None = None,
    find: Finder | None = None,
) -> Report:
    """The report of a film: its marks, its faces over time, and what `models` say of them.

    Decoding is done in a process of its own; here no more than one frame is held, and of each face
    in each frame some 400 bytes. `find` finds faces (default: haechi.media.faces). No temporal
    signal and no score is calibrated, so marks alone give another answer than "inconclusive".

    Raises NotMedia; whatever else is wrong with the film is in the report.
    """
    tell = progress or _nobody
    tell("marks", 0.0)
    reading = marks.reading(data, trust_anchors, watermark_key, limits, sandbox)
    watched = _watch(data, models, tell, limits, find or _found)
    signals = (*marks.signals(reading), *_signals(watched, models))
    fused = fuse.fuse(signals)
    tell("done", 1.0)
    return Report(
        version=VERSION,
        sha256=reading.sha256,
        media_type=reading.media_type,
        answer=fused.answer,
        because=fused.because,
        signals=signals,
        reading=reading,
        next_steps=_steps(fused.answer, signals),
        timeline=findings.timeline(
            findings.longest(watched.follower.tracks), watched.scorer.scores
        ),
    )


@dataclass(slots=True, eq=False)
class _Watched:
    """What is left of a film that was looked at."""

    follower: Follower
    scorer: Scorer
    seen: Seen = field(default_factory=Seen)
    frames: int = 0
    pieces: set[int] = field(default_factory=set)
    length_s: float = 0.0
    faces_missing: bool = False
    broken: bool = False


def _watch(
    data: bytes, models: Sequence[Detector], tell: Progress, limits: Limits, find: Finder
) -> _Watched:
    watched = _Watched(Follower(), Scorer(models))
    try:
        with closing(Stream.film(data, per_second=PER_SECOND, limits=limits)) as stream:
            for still in stream:
                _see(watched, still, find)
                tell("video", min(1.0, still.seconds / stream.told_s) if stream.told_s else 0.0)
    except MediaError:
        watched.broken = True
    return watched


def _see(watched: _Watched, still: Still, find: Finder) -> None:
    watched.frames += 1
    watched.pieces.add(int(still.seconds))
    watched.length_s = still.seconds
    watched.seen.see(still.seconds, grey_of(still.rgb))
    found: Sequence[Face] = ()
    if not watched.faces_missing:
        try:
            found = find(still.rgb)
        except FacesMissing:
            watched.faces_missing = True
    tracks = watched.follower.see(still.rgb, still.seconds, found)
    for track in tracks:
        watched.scorer.see(still.rgb, still.seconds, track.number, track.last.face)


def _signals(watched: _Watched, models: Sequence[Detector]) -> list[Signal]:
    spoken_of = findings.longest(watched.follower.tracks)
    made = [_looked(watched, len(spoken_of))]
    if not spoken_of:
        why = "limit.video_no_face_model" if watched.faces_missing else "limit.video_made_frames"
        made.append(_off("faces", "video.no_faces", why))
    for track in spoken_of:
        made += findings.of_track(track)
        scored = (
            findings.of_scores(track, name, scores)
            for name, scores in watched.scorer.scores.items()
        )
        made += [one for one in scored if one is not None]
    if not models:
        made.append(_off("models", "video.no_models", "limit.video_made_frames"))
    if watched.frames:
        made += findings.of_whole(watched.seen)
    return [*made, _off("sound", "video.sound", "limit.video_sound")]


def _looked(watched: _Watched, count: int) -> Signal:
    parts = watched.length_s > WHOLE_S or watched.scorer.cut
    return Signal(
        id="video.looked",
        kind=findings.KIND,
        state=State.SILENT if watched.frames else State.OFF,
        meaning="video.looked",
        params={
            "looked": str(len(watched.pieces)),
            "length": f"{watched.length_s:.0f}",
            "frames": str(watched.frames),
            "faces": str(count),
        },
        limits=(("limit.video_parts",) if parts else ())
        + (("limit.video_broken",) if watched.broken else ()),
    )


def _off(name: str, meaning: str, limit: str) -> Signal:
    return Signal(
        id=f"{findings.KIND}.{name}",
        kind=findings.KIND,
        state=State.OFF,
        meaning=meaning,
        limits=(limit,),
    )


def _steps(answer: Answer, signals: Sequence[Signal]) -> tuple[str, ...]:
    usual = steps.steps(answer, signals)
    speaks = any(one.kind == findings.KIND and one.state is State.SPEAKS for one in signals)
    faces_seen = any(one.id.startswith("video.jitter") for one in signals)
    first = ("next.video_look",) if speaks else ()
    return (*first, *(("next.video_live",) if faces_seen else ()), *usual)


def _found(rgb: NDArray[np.uint8]) -> Sequence[Face]:
    return faces.find(rgb, smallest=SMALLEST_FACE)


def _nobody(_step: str, _part: float) -> None:
    """Nobody wants to know."""
