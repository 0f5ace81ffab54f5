"""What detectors say of each face, piece by piece."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.errors import HaechiError
from haechi.forensics.detector import Detector
from haechi.media.faces import Face

EVERY_S = 2.0
"""A face is scored once in so many seconds."""

MOST_SCORES = 400
"""Of one detector in one film."""

_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Score:
    """What one detector said of one face at one moment."""

    track: int
    second: float
    value: float
    face: Face


class Scorer:
    """Asks every detector about every face, once in EVERY_S."""

    def __init__(self, models: Sequence[Detector]) -> None:
        self._models = list(models)
        self._due: dict[int, float] = defaultdict(float)
        self._failed: dict[str, int] = defaultdict(int)
        self.scores: dict[str, list[Score]] = {model.card.id: [] for model in models}
        self.cut = False

    def see(self, rgb: NDArray[np.uint8], at_s: float, track: int, face: Face) -> None:
        """Score this face if it is its turn."""
        if not self._models or at_s < self._due[track]:
            return
        self._due[track] = at_s + EVERY_S
        for model in self._models:
            self._ask(model, rgb, at_s, track, face)

    def failed(self, name: str) -> bool:
        """True if that detector was given up."""
        return self._failed[name] >= _FAILURES

    def _ask(
        self, model: Detector, rgb: NDArray[np.uint8], at_s: float, track: int, face: Face
    ) -> None:
        name = model.card.id
        kept = self.scores[name]
        if self.failed(name):
            return
        if len(kept) >= MOST_SCORES:
            self.cut = True
            return
        try:
            found = model.signals(rgb, (face,))
        except HaechiError:
            self._failed[name] += 1
            return
        values = [one.value for one in found if one.value is not None]
        if values:
            kept.append(Score(track, at_s, max(values), face))
