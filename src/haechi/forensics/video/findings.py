"""From tracks and scores to signals and to the points of the timeline."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from haechi.forensics.report import Region, Signal, State, Toward
from haechi.forensics.video import repeats, temporal
from haechi.forensics.video.looks import Look
from haechi.forensics.video.scores import Score
from haechi.forensics.video.tracks import Track
from haechi.media.faces import Face

KIND = "video"
PIECE_S = 2.0
MOST_TRACKS = 8
"""Faces that get signals of their own, those seen longest."""

_MOST_REGIONS = 8
_LEAST_LOOKS = 3
_PIECES = 2
"""So many pieces of a face speak for the whole; one alone may be a cut or a cough."""

_NOT_CALIBRATED = "limit.video_not_calibrated"

type Point = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Measure:
    """One temporal measure: from which value on it speaks, and what else makes it rise."""

    name: str
    speaks_at: float
    limit: str
    shown: str


_MEASURES = (
    _Measure("flicker", 2.5, "limit.video_light", "{:.1f}"),
    _Measure("jitter", 0.06, "limit.video_detector", "{:.3f}"),
    _Measure("frozen", 0.25, "limit.video_editing", "{:.0%}"),
    _Measure("held", 0.5, "limit.video_still_background", "{:.0%}"),
)

SPEAKS_AT: Mapping[str, float] = {measure.name: measure.speaks_at for measure in _MEASURES}
"""The value of each measure from which on it is remarkable."""


def longest(tracks: Sequence[Track]) -> list[Track]:
    """The faces that are spoken of, in the order in which they appear."""
    seen = [one for one in tracks if len(one.looks) >= _LEAST_LOOKS]
    kept = sorted(seen, key=lambda one: len(one.looks), reverse=True)[:MOST_TRACKS]
    return sorted(kept, key=lambda one: one.number)


def of_track(track: Track) -> Iterator[Signal]:
    """The temporal signals of one face."""
    whole = temporal.measures(track.looks)
    pieces = [
        (looks, temporal.measures(looks)) for _, looks in temporal.windows(track.looks, PIECE_S)
    ]
    for measure in _MEASURES:
        value: float | None = getattr(whole, measure.name)
        told = {looks[0]: getattr(found, measure.name) for looks, found in pieces}
        worst = [one for one, found in told.items() if (found or 0.0) >= measure.speaks_at]
        yield _signal(track, measure, value, worst)


def of_scores(track: Track, name: str, scores: Sequence[Score]) -> Signal | None:
    """What one detector said of one face over time. Never counted: its calibration is for pictures."""
    own = [score for score in scores if score.track == track.number]
    if not own:
        return None
    values = [score.value for score in own]
    middle = statistics.median(values)
    highest = sorted(own, key=lambda score: score.value, reverse=True)[:_MOST_REGIONS]
    said = {
        "model": name,
        "value": f"{middle:.2f}",
        "highest": f"{max(values):.2f}",
        "count": str(len(own)),
    }
    return Signal(
        id=f"models.{name}.face{track.number + 1}",
        kind="models",
        state=State.SILENT,
        meaning="video.model",
        value=middle,
        params=_span(track) | said,
        regions=tuple(_region(score.face, score.second) for score in highest),
        limits=(_NOT_CALIBRATED,),
    )


def of_whole(seen: repeats.Seen) -> Iterator[Signal]:
    """What is about the picture and not about a face."""
    found = repeats.repeat(seen.seconds, seen.glances)
    if found is None:
        yield _plain("repeated", State.SILENT, "video.nothing_repeated", None, {})
    else:
        params = {
            "value": f"{found.length_s:.1f}",
            "from": f"{found.first_s:.1f}",
            "to": f"{found.again_s:.1f}",
        }
        whole = [Region(0, 0, 1, 1, at) for at in (found.first_s, found.again_s)]
        yield _plain("repeated", State.SPEAKS, "video.repeated", found.length_s, params, whole)
    stopped = {"value": f"{seen.stopped_s:.1f}"}
    state = State.SPEAKS if seen.stopped_s >= 1.0 else State.SILENT
    yield _plain("stopped", state, "video.stopped", seen.stopped_s, stopped)


def timeline(
    tracks: Sequence[Track], scores: Mapping[str, Sequence[Score]]
) -> tuple[dict[str, float], ...]:
    """A point for each piece of each face: second, track, what was measured, what models said."""
    points: list[dict[str, float]] = []
    for track in tracks:
        for begin, looks in temporal.windows(track.looks, PIECE_S):
            point: dict[str, float] = {"second": begin, "track": float(track.number)}
            found = temporal.measures(looks)
            for measure in _MEASURES:
                value: float | None = getattr(found, measure.name)
                if value is not None:
                    point[measure.name] = round(value, 4)
            for name, said in scores.items():
                own = [one.value for one in said if _within(one, track, begin)]
                if own:
                    point[f"model.{name}"] = round(max(own), 4)
            points.append(point)
    return tuple(sorted(points, key=lambda point: (point["second"], point["track"])))


def _within(score: Score, track: Track, begin: float) -> bool:
    return score.track == track.number and begin <= score.second < begin + PIECE_S


def _signal(track: Track, measure: _Measure, value: float | None, worst: Sequence[Look]) -> Signal:
    speaks = value is not None and (value >= measure.speaks_at or len(worst) >= _PIECES)
    off = value is None
    params = _span(track) | {"value": "?" if value is None else measure.shown.format(value)}
    if value is not None and "%" in measure.shown:
        params["value"] = f"{100 * value:.0f}"
    return Signal(
        id=f"{KIND}.{measure.name}.face{track.number + 1}",
        kind=KIND,
        state=State.OFF if off else State.SPEAKS if speaks else State.SILENT,
        meaning=f"video.{measure.name}",
        toward=Toward.ALTERED if speaks else None,
        value=value,
        params=params,
        regions=tuple(_region(one.face, one.seconds) for one in worst[:_MOST_REGIONS]),
        limits=("limit.video_too_short",) if off else (measure.limit, _NOT_CALIBRATED),
    )


def _plain(
    name: str,
    state: State,
    meaning: str,
    value: float | None,
    params: Mapping[str, str],
    regions: Sequence[Region] = (),
) -> Signal:
    return Signal(
        id=f"{KIND}.{name}", kind=KIND, state=state, meaning=meaning, value=value, params=params,
        toward=Toward.ALTERED if state is State.SPEAKS else None, regions=tuple(regions),
        limits=("limit.video_editing", _NOT_CALIBRATED),
    )  # fmt: skip


def _span(track: Track) -> dict[str, str]:
    return {
        "face": str(track.number + 1),
        "from": f"{track.looks[0].seconds:.1f}",
        "to": f"{track.last.seconds:.1f}",
    }


def _region(face: Face, second: float) -> Region:
    return Region(face.x, face.y, face.width, face.height, round(second, 2))
