"""What was taken out of a file, and what a module for one format can do."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Taken:
    """A file without its labels.

    rest    the file, playable and viewable as before
    xmp     its first XMP packet, which may hold a label still
    labels  the texts of AIGC labels that stood outside XMP, and in further XMP packets
    """

    rest: bytes
    xmp: bytes | None = None
    labels: tuple[str, ...] = ()


class Carrier(Protocol):
    """A module of this package. All raise BrokenMedia for a file whose parts do not fit together."""

    def take(self, data: bytes) -> Taken:
        """Split a file into itself and its labels."""

    def put(self, rest: bytes, xmp: bytes) -> bytes:
        """`rest` with the one packet. Raises LabelRefused if there is no room for it."""

    def carry(self, rest: bytes, drawn: bytes) -> bytes:
        """`drawn`, which was just encoded, with what `rest` said beside its pixels."""
