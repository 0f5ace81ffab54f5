"""Every picture through every system: the fused answer, and single detectors."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi import forensics
from haechi.errors import HaechiError, MediaError
from haechi.evaluation import edits
from haechi.evaluation.detect.looks import Look, look, pixels
from haechi.evaluation.studio import scaled
from haechi.forensics import BY_RULE, Answer, Report, Toward, fuse
from haechi.forensics.models import OnnxDetector
from haechi.media import Sandbox

EDITED_PX = 1000
"""Longest side before editing, as platforms keep it."""

_LEAST_SURE, _SURE = 1e-4, 1 - 1e-4
_ACCUSED = frozenset({Answer.MADE, Answer.ALTERED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one system said of one picture.

    Attributes:
        score: 0..1, high for made or altered; None if it said nothing.
        answer: Of the fused answer, its word; else empty.
        why: If it said nothing, a code.
    """

    score: float | None
    answer: str = ""
    why: str = ""

    @property
    def abstained(self) -> bool:
        """It gave no score, or the answer "inconclusive"."""
        return self.score is None or self.answer == Answer.INCONCLUSIVE


class System(Protocol):
    """What is evaluated."""

    @property
    def name(self) -> str:
        """Short and stable: cards are compared by it."""
        ...

    def ask(self, data: bytes, sandbox: Sandbox) -> Outcome:
        """Of one file."""
        ...


class Fused:
    """`haechi.forensics.examine`, with the installation's calibrated models."""

    name = "fused"

    def __init__(self, models: Sequence[OnnxDetector] = ()) -> None:
        self._models = [one for one in models if one.calibration is not None]

    def ask(self, data: bytes, sandbox: Sandbox) -> Outcome:
        """The answer, and how likely it makes a fake at even odds."""
        try:
            report = forensics.examine(data, models=self._models, sandbox=sandbox)
        except HaechiError as error:
            return Outcome(None, why=error.code)
        return Outcome(fused_score(report), report.answer.value)


class Single:
    """One detector, whether or not it is calibrated."""

    def __init__(self, detector: OnnxDetector) -> None:
        self._detector = detector
        self.name = detector.card.id

    def ask(self, data: bytes, sandbox: Sandbox) -> Outcome:
        """Its score; none where the picture is not what it is for."""
        try:
            return Outcome(self._detector.score(sandbox.run(pixels, data)).score)
        except HaechiError as error:
            words = str(error)
            return Outcome(None, why=words if words.startswith("limit.") else error.code)


def fused_score(report: Report) -> float:
    """0..1: calibrated ratios at even odds; near 1 or 0 where a mark or a donor decides."""
    known = any(report.signal(name).calibration == BY_RULE for name in report.because)
    if report.answer in _ACCUSED and known:
        return _SURE
    if report.answer is Answer.AUTHENTIC:
        return _LEAST_SURE
    ratio = max(fuse.together(report.signals, one) for one in (Toward.MADE, Toward.ALTERED))
    if not math.isfinite(ratio):
        return _SURE
    return min(_SURE, max(_LEAST_SURE, ratio / (1 + ratio)))


def edited(data: bytes, name: str, others: Sequence[bytes], seed: int) -> bytes:
    """PNG of the picture after an edit, for `Sandbox.run`: whatever an edit compresses stays so.

    Raises MediaError, or UnknownEdit.
    """
    wanted = [_small(one) for one in others] if name in edits.CROWDED else []
    rgb = edits.make(name, _small(data), wanted, seed)
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def _small(data: bytes) -> NDArray[np.uint8]:
    rgb = pixels(data)
    return np.asarray(scaled(rgb, min(1.0, EDITED_PX / max(rgb.shape[:2]))), np.uint8)


def looked(read: Callable[[int], bytes], count: int, sandbox: Sandbox) -> Iterator[Look | str]:
    """The look of each file, or the code of why it has none."""
    for row in range(count):
        try:
            yield sandbox.run(look, read(row))
        except (MediaError, OSError) as error:
            yield getattr(error, "code", "file.missing")


def measured(
    read: Callable[[int], bytes], rows: Sequence[int], systems: Sequence[System], sandbox: Sandbox
) -> Iterator[Mapping[str, Outcome]]:
    """Of each of the files `rows`, the outcome by system."""
    for row in rows:
        data = read(row)
        yield {system.name: system.ask(data, sandbox) for system in systems}
