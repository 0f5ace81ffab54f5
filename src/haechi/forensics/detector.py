"""What a model must be able to do to take part in an examination."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haechi.forensics.report import Signal


class Card(Protocol):
    """What is known about a model. Only its name is needed here."""

    @property
    def id(self) -> str:
        """Short and stable: it becomes part of the ids of its signals."""
        ...


class Detector(Protocol):
    """A model that looks at one picture.

    Its signals have ids that begin with "models.", and `calibration` None until the installation
    has calibrated it: such signals are shown and never counted.
    """

    @property
    def card(self) -> Card:
        """What it is."""
        ...

    def signals(self, rgb: NDArray[np.uint8], faces: Sequence[object]) -> Sequence[Signal]:
        """What it finds in uint8 (height, width, 3); `faces` are those of haechi.media.faces.

        Raises HaechiError when it failed or took too long; the examination goes on without it.
        """
        ...
