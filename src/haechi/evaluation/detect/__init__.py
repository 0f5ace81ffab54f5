"""How well made and altered pictures are told from real ones, and why the figure may be too good.

Splits and intervals go by source, never by picture; what separates the classes by accident is named
before any figure; a card is compared with the last one before a release. docs/evaluate-detect.md
"""

from haechi.evaluation.detect.asking import Asking
from haechi.evaluation.detect.confounds import Confound, of_files, of_real_sets
from haechi.evaluation.detect.manifest import Item, Manifest, halves, joined, read
from haechi.evaluation.detect.measuring import Fused, Outcome, Single, System

__all__ = [
    "Asking",
    "Confound",
    "Fused",
    "Item",
    "Manifest",
    "Outcome",
    "Single",
    "System",
    "halves",
    "joined",
    "of_files",
    "of_real_sets",
    "read",
]
