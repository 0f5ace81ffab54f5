"""Detectors that an operator brings: ONNX files under cards, calibrated here before they count.

Haechi ships none: what can be shipped was measured and is near chance on pictures of other sources
(docs/models.md). `haechi models add` takes one; its scores are shown, and enter the answer only
after `haechi models calibrate` on the operator's own pictures.
"""

from haechi.forensics.models.calibration import Calibration, auc, calibrate
from haechi.forensics.models.card import Card, Question, published
from haechi.forensics.models.detector import OnnxDetector, Scored
from haechi.forensics.models.registry import Entry, Registry

__all__ = [
    "Calibration",
    "Card",
    "Entry",
    "OnnxDetector",
    "Question",
    "Registry",
    "Scored",
    "auc",
    "calibrate",
    "published",
]
