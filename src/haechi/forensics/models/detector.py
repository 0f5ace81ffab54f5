"""A model of the registry at work: from a picture to its score, and to a signal of the report."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.errors import ModelFailed, NothingToShow
from haechi.forensics.models import prepare, selftest
from haechi.forensics.models.calibration import Calibration
from haechi.forensics.models.card import Card, Output
from haechi.forensics.models.running import Runner
from haechi.forensics.report import Region, Signal, State, Toward
from haechi.media import faces
from haechi.media.faces import Face

HEAT_PX = 256
SPEAKS = 2.0
"""From this likelihood ratio on a model speaks; below it looked and found nothing."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model gave for one picture: 0..1, high for made or altered.

    Attributes:
        score: On the model's own scale. It is not a probability.
        face: The face that the score is of, or None.
        heat: (height, width), 0..1, high where it sees something, or None.
    """

    score: float
    face: Face | None = None
    heat: NDArray[np.float32] | None = None


class OnnxDetector:
    """One model, in a process of its own. Close it, or use it in a `with`."""

    def __init__(self, card: Card, path: Path, calibration: Calibration | None = None) -> None:
        """`path` is the ONNX file whose digest the card pins; `calibration` must be of this card."""
        self._card = card
        self.calibration = calibration
        self._runner = Runner(path, card.sha256 or "", card.budget)

    @property
    def card(self) -> Card:
        """What it is."""
        return self._card

    def score(self, rgb: NDArray[np.uint8], seen: Sequence[Face] | None = None) -> Scored:
        """The score of uint8 (height, width, 3). `seen` are its faces; None looks for them if needed.

        Raises NothingToShow, ModelFailed, ModelRefused, or FacesMissing.
        """
        if seen is None:
            seen = faces.find(rgb) if self._card.view.what == "face" else ()
        found = [self._one(part, face) for part, face in prepare.shown(self._card, rgb, seen)]
        if self._card.view.combine == "mean":
            best = max(found, key=lambda one: one.score)
            mean = sum(one.score for one in found) / len(found)
            return Scored(mean, best.face, best.heat)
        return max(found, key=lambda one: one.score)

    def signals(self, rgb: NDArray[np.uint8], faces: Sequence[object]) -> Sequence[Signal]:
        """One signal: what it finds, with a ratio if it is calibrated here, or why it is off."""
        seen = [one for one in faces if isinstance(one, Face)]
        try:
            return (self._signal(self.score(rgb, seen)),)
        except NothingToShow as error:
            return (self._off(str(error)),)
        except ModelFailed:
            return (self._off("limit.model_failed"),)

    def self_test(self, *, twice: bool = True) -> dict[str, float]:
        """Scores of the card's probes, each asked `twice`. Raises ModelRefused or ModelFailed.

        A model of faces is shown a probe as if it were all face.
        """
        whole = Face(0.0, 0.0, 1.0, 1.0, 1.0, self._card.view.template or None)
        return selftest.run(self._card, lambda rgb: self.score(rgb, [whole]).score, twice=twice)

    def close(self) -> None:
        """End its process."""
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _one(self, rgb: NDArray[np.uint8], face: Face | None) -> Scored:
        card = self._card
        wanted = {"score": card.output.name}
        if card.heat is not None:
            wanted["heat"] = card.heat.name
        found = self._runner.run(card.input.name, prepare.numbers(card.input, rgb), wanted)
        value = _score(card.output, found["score"])
        heat = None if card.heat is None else _heat(card.heat, found["heat"])
        return Scored(value, face, heat)

    def _signal(self, scored: Scored) -> Signal:
        card, face = self._card, scored.face
        known = self.calibration
        ratio = None if known is None else known.ratio(scored.score)
        speaks = ratio is None or ratio >= SPEAKS
        word = "shown" if ratio is None else "speaks" if speaks else "silent"
        limits = ["limit.model_uncalibrated" if ratio is None else "limit.model_other_forgeries"]
        if known is not None and known.doubts:
            limits.append("limit.model_doubtful_set")
        regions = () if face is None else (Region(face.x, face.y, face.width, face.height),)
        return Signal(
            id=card.signal,
            kind="models",
            state=State.SPEAKS if speaks else State.SILENT,
            toward=Toward(card.toward),
            value=round(scored.score, 4),
            likelihood_ratio=ratio,
            calibration=None if known is None else known.name,
            meaning=f"models.{card.question.value}.{word}",
            params={"model": card.name, "score": f"{scored.score:.2f}"},
            regions=regions,
            heat=None if scored.heat is None else _png(scored.heat),
            limits=tuple(limits),
        )

    def _off(self, limit: str) -> Signal:
        card = self._card
        return Signal(
            id=card.signal,
            kind="models",
            state=State.OFF,
            meaning="models.off",
            params={"model": card.name},
            limits=(limit,),
        )


def _score(told: Output, found: NDArray[np.float32]) -> float:
    """0..1, high for fake. Raises ModelFailed for what is no such number."""
    values = np.asarray(found, np.float64).reshape(-1)
    if told.index >= len(values):
        raise ModelFailed(
            f"the output has {len(values)} numbers, and the card means number {told.index}"
        )
    value = _activated(told.activation, values, 0)[told.index]
    if not math.isfinite(value) or not -1e-6 <= value <= 1 + 1e-6:
        raise ModelFailed(f"{value} is no score from 0 to 1: is the activation right?")
    value = min(1.0, max(0.0, float(value)))
    return 1 - value if told.fake == "low" else value


def _heat(told: Output, found: NDArray[np.float32]) -> NDArray[np.float32]:
    """(height, width) of a map (1, channels, height, width) or (1, height, width)."""
    values = np.asarray(found, np.float64)
    values = values.reshape(-1, *values.shape[-2:])
    if told.index >= len(values) or not np.isfinite(values).all():
        raise ModelFailed("the map is not what the card says")
    made = np.clip(_activated(told.activation, values, 0)[told.index], 0, 1)
    return np.asarray(1 - made if told.fake == "low" else made, np.float32)


def _activated(how: str, values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    if how == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))), np.float64)
    if how == "softmax":
        raised = np.exp(values - values.max(axis=axis, keepdims=True))
        return np.asarray(raised / raised.sum(axis=axis, keepdims=True), np.float64)
    return values


def _png(heat: NDArray[np.float32]) -> bytes:
    scale = min(1.0, HEAT_PX / max(heat.shape))
    size = (max(1, round(heat.shape[1] * scale)), max(1, round(heat.shape[0] * scale)))
    small = cv2.resize((heat * 255).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", small)[1].tobytes()
