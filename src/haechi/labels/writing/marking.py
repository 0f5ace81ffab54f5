"""Which hands mark which kind of file."""

from dataclasses import replace

from haechi.errors import LabelRefused, TooShortToMark, TooSmallToMark
from haechi.labels.mark import Finding
from haechi.labels.reading import read
from haechi.labels.writing import film, pictures, reading_back, signing, sound
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.wanted import Wanted
from haechi.media import DEFAULT, Kind, Limits, sniff, sounds
from haechi.media.sounds import Sound


def mark(data: bytes, wanted: Wanted, *, limits: Limits = DEFAULT) -> Marked:
    """Everything that `wanted` asks for but the signature, in this process (see Sandbox).

    What was made is read again: a file with a second label, in a place from which no hand here takes
    it, is refused (GB 45438, 6.1 c), and a watermark that cannot be read is none.
    """
    made = _fitting(data, wanted, limits)
    told = read(made.data, limits=limits, watermark=False)
    carriers = [found.carrier for found in told.marks if found.kind == "aigc"]
    if len(carriers) != 1:
        raise LabelRefused(f"one label is allowed; this file would bear {', '.join(carriers)}")
    made = reading_back.checked(made, wanted, limits)
    return replace(made, was_signed=signing.carries_manifest(data, made.was))


def _fitting(data: bytes, wanted: Wanted, limits: Limits) -> Marked:
    """With the watermark, or without it where the file is too small or too short for one."""
    try:
        return _marked(data, wanted, limits)
    except (TooSmallToMark, TooShortToMark) as error:
        alone = replace(wanted, trace_id=None, watermark_key=None)
        return replace(_marked(data, alone, limits), unplaced=(Finding(error.code),))


def _marked(data: bytes, wanted: Wanted, limits: Limits) -> Marked:
    heard = sounds.sniff(data)
    if heard is not None:
        return sound.mark(data, heard, wanted, limits)
    kind = sniff(data)
    if kind in {Kind.MP4, Kind.MOV} and not film.shows(data, limits):
        return sound.mark(data, Sound.M4A, wanted, limits)
    if wanted.recording is not None or wanted.rhythm:
        what = "the rhythm" if wanted.rhythm else "a recording"
        raise LabelRefused(f"{what} is put before sound, and this is a picture or a video")
    if kind.is_video:
        return film.mark(data, kind, wanted, limits)
    return pictures.mark(data, kind, wanted, limits)
