"""What became of a file before it is signed, and which label it ends up with."""

from collections.abc import Iterable
from dataclasses import dataclass

from haechi.labels.aigc import Aigc, Level, parse
from haechi.labels.mark import Finding
from haechi.labels.writing.visible import Drawn
from haechi.labels.writing.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Marked:
    """A file with everything but C2PA.

    media_type, was     of the file now, and as it came
    label, found        its one implicit label, and the one that was there before
    carrier             where the label stands, as `haechi.labels.mark.Mark` says it
    spoken              what is said before the sound; "" if nothing is
    watermarked, sound_marked   the trace id is in the pixels, and in the sound; it was read again
    unplaced            why it is not, where it was asked for
    source              IPTC's word, if it was written
    was_signed          it came with a C2PA manifest, whole or broken
    """

    data: bytes
    media_type: str
    was: str
    label: Aigc
    found: Aigc | None
    carrier: str
    drawn: Drawn | None = None
    spoken: str = ""
    watermarked: bool = False
    sound_marked: bool = False
    unplaced: tuple[Finding, ...] = ()
    source: str | None = None
    was_signed: bool = False


def found_in(texts: Iterable[str]) -> Aigc | None:
    """Of all labels in a file the one that says most; a standard allows one, files have several."""
    labels = [parsed.aigc for parsed in map(parse, texts) if parsed.aigc is not None]
    return min(labels, key=lambda label: (label.label, not label.producer), default=None)


def source_of(wanted: Wanted, found: Aigc | None) -> str | None:
    """IPTC's word for how it was made; only who made it says it."""
    ours = wanted.after(found)
    made_here = (ours.producer, ours.produce_id) == (wanted.producer, wanted.produce_id)
    return wanted.digital_source_type if wanted.level is Level.IS and made_here else None
