"""One file, examined from its marks to its pixels."""

from collections.abc import Callable, Sequence

from haechi import labels
from haechi.forensics import fuse, marks, steps
from haechi.forensics.detector import Detector
from haechi.forensics.report import VERSION, Report
from haechi.forensics.video import examine_video
from haechi.labels import Reading
from haechi.media import DEFAULT, Limits, Sandbox, sniff

type Progress = Callable[[str, float], None]


def examine(
    data: bytes,
    *,
    donors: Sequence[bytes] = (),
    models: Sequence[Detector] = (),
    trust_anchors: str | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    sandbox: Sandbox | None = None,
) -> Report:
    """Everything that can be said about the picture in `data`.

    `donors` are files that parts of it may come from; they are compared and not kept. Of `models`
    only what is calibrated counts. `trust_anchors` is PEM. With a `sandbox` all parsing and
    decoding is done in its processes; without one, in this process. `progress` is told what is
    done now and how far it is, 0..1.

    Raises NotMedia for what is no media at all; whatever else is wrong with the file is in the
    report.
    """
    if sniff(data).is_video:
        return examine_video(
            data,
            models=models,
            trust_anchors=trust_anchors,
            progress=progress,
            limits=limits,
            sandbox=sandbox,
        )
    del donors, models
    tell = progress or _nobody
    tell("marks", 0.0)
    reading = _reading(data, trust_anchors, limits, sandbox)
    found = [*marks.signals(reading)]
    fused = fuse.fuse(found)
    tell("done", 1.0)
    return Report(
        version=VERSION,
        sha256=reading.sha256,
        media_type=reading.media_type,
        answer=fused.answer,
        because=fused.because,
        signals=tuple(found),
        reading=reading,
        next_steps=steps.steps(fused.answer, found),
    )


def _reading(
    data: bytes, trust_anchors: str | None, limits: Limits, sandbox: Sandbox | None
) -> Reading:
    if sandbox is None:
        return labels.read(data, limits=limits, trust_anchors=trust_anchors)
    return sandbox.run(labels.read, data, limits=limits, trust_anchors=trust_anchors)


def _nobody(_step: str, _part: float) -> None:
    """Nobody wants to know."""
