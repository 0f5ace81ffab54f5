"""One file, examined from its marks to its pixels."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from haechi.errors import HaechiError, MediaError
from haechi.forensics import calibration, donor, face, fuse, marks, pixels, seam, steps
from haechi.forensics.detector import Detector
from haechi.forensics.report import VERSION, Region, Report, Signal, State
from haechi.forensics.video import examine_video
from haechi.media import DEFAULT, Limits, Sandbox, sniff
from haechi.media.faces import Face

type Progress = Callable[[str, float], None]

MOST_DONORS = 40
"""Pictures that one file is compared with; each takes a second or two."""


def examine(
    data: bytes,
    *,
    donors: Sequence[bytes] = (),
    models: Sequence[Detector] = (),
    trust_anchors: str | None = None,
    watermark_key: bytes | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    sandbox: Sandbox | None = None,
) -> Report:
    """Everything that can be said about the picture in `data`.

    `donors` are files that parts of it may come from, MOST_DONORS at most; they are compared and
    not kept. Of `models` only what is calibrated counts. `trust_anchors` is PEM; with `watermark_key`
    our own mark is looked for. With a `sandbox` all parsing and decoding is done in its processes; without one, in this process. `progress` is
    told what is done now and how far it is, 0..1. On one core about 1 s and 0.5 s a
    megapixel, 10 s at most, and 1 to 2 s a donor.

    Raises NotMedia for what is no media at all, TooManyBytes; whatever else is wrong with the file
    is in the report.
    """
    if sniff(data).is_video:
        return examine_video(
            data,
            models=models,
            trust_anchors=trust_anchors,
            watermark_key=watermark_key,
            progress=progress,
            limits=limits,
            sandbox=sandbox,
        )
    tell = progress or _nobody
    tell("marks", 0.0)
    reading = marks.reading(data, trust_anchors, watermark_key, limits, sandbox)
    found = [*marks.signals(reading)]
    tell("donors", 0.1)
    for number, signal in enumerate(_donors(data, donors[:MOST_DONORS], limits, sandbox), start=1):
        found.append(signal)
        tell("donors", 0.1 + 0.5 * number / len(donors))
    tell("faces", 0.6)
    opened = _opened(data, limits, sandbox)
    faces = () if opened is None else face.found(opened[0])
    tell("pixels", 0.7)
    found += _pixels(data, face.regions(faces), limits, sandbox)
    tell("faces", 0.9)
    if opened is not None:
        found += [
            *face.signals(opened[0], faces),
            *seam.signals(*opened, faces),
            *_models(opened[0], faces, models),
        ]
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


def _donors(
    data: bytes, donors: Sequence[bytes], limits: Limits, sandbox: Sandbox | None
) -> Iterator[Signal]:
    for number, one in enumerate(donors, start=1):
        try:
            if sandbox is None:
                yield donor.search(data, one, number, limits)
            else:
                yield sandbox.run(donor.search, data, one, number, limits)
        except MediaError:
            yield donor.off(number)


def _opened(
    data: bytes, limits: Limits, sandbox: Sandbox | None
) -> tuple[NDArray[np.uint8], float | None] | None:
    """As pixels.opened, or None where the picture does not open: `_pixels` says why."""
    try:
        if sandbox is None:
            return pixels.opened(data, limits)
        return sandbox.run(pixels.opened, data, limits)
    except MediaError:
        return None


def _pixels(
    data: bytes, first: Sequence[Region], limits: Limits, sandbox: Sandbox | None
) -> tuple[Signal, ...]:
    try:
        if sandbox is None:
            seen = pixels.measured(data, limits, first)
        else:
            seen = sandbox.run(pixels.measured, data, limits, first)
    except MediaError as error:
        seen = (pixels.unopened(error),)
    return calibration.weighed(seen, calibration.shipped())


def _models(
    rgb: NDArray[np.uint8], faces: Sequence[Face], models: Sequence[Detector]
) -> Iterator[Signal]:
    for model in models:
        try:
            yield from model.signals(rgb, faces)
        except HaechiError as error:
            yield _failed(model, error)


def _failed(model: Detector, error: HaechiError) -> Signal:
    return Signal(
        id=f"models.{model.card.id}",
        kind="models",
        state=State.OFF,
        meaning="models.failed",
        params={"model": model.card.id, "why": error.code},
        limits=("off.failed",),
    )


def _nobody(_step: str, _part: float) -> None:
    """Nobody wants to know."""
