"""Was it made or altered by a machine? Signals, each with what it means and its limits, in one report.

`examine` gives a Report: one of five answers, the signals it rests on, and what to do next. The
answer is "inconclusive" unless something strong speaks; docs/forensics.md says what may.
"""

from haechi.forensics.detector import Card, Detector
from haechi.forensics.examining import examine
from haechi.forensics.report import (
    BY_RULE,
    Answer,
    Region,
    Report,
    Signal,
    Standing,
    State,
    Strength,
    Toward,
)
from haechi.forensics.words import WORDS

__all__ = [
    "BY_RULE",
    "WORDS",
    "Answer",
    "Card",
    "Detector",
    "Region",
    "Report",
    "Signal",
    "Standing",
    "State",
    "Strength",
    "Toward",
    "examine",
]
