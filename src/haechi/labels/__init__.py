"""Marks on media made by machines: read them (`read`), write them (`haechi.labels.writing`).

`mark` says what a mark is, `aigc` is the label Chinese law asks for, `reading` finds marks in files,
`watermark` is the one that survives when all others were taken out.
"""

from haechi.labels.aigc import Aigc, Level
from haechi.labels.mark import Finding, Mark, Reading, Says, Trust
from haechi.labels.reading import read

__all__ = ["Aigc", "Finding", "Level", "Mark", "Reading", "Says", "Trust", "read"]
