"""Which hands mark which kind of file."""

from dataclasses import replace

from haechi.errors import LabelRefused
from haechi.labels.reading import read
from haechi.labels.writing import film, pictures, signing, sound
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.wanted import Wanted
from haechi.media import DEFAULT, Kind, Limits, sniff, sounds
from haechi.media.sounds import Sound


def mark(data: bytes, wanted: Wanted, *, limits: Limits = DEFAULT) -> Marked:
    """Everything that `wanted` asks for but the signature, in this process (see Sandbox).

    What was made is read again: a file with a second label, in a place from which no hand here takes
    it, is refused (GB 45438, 6.1 c).
    """
    made = _marked(data, wanted, limits)
    told = read(made.data, limits=limits, watermark=False)
    carriers = [found.carrier for found in told.marks if found.kind == "aigc"]
    if len(carriers) != 1:
        raise LabelRefused(f"one label is allowed; this file would bear {', '.join(carriers)}")
    return replace(made, was_signed=signing.carries_manifest(data, made.was))


def _marked(data: bytes, wanted: Wanted, limits: Limits) -> Marked:
    heard = sounds.sniff(data)
    if heard is not None:
        return sound.mark(data, heard, wanted, limits)
    kind = sniff(data)
    if kind in {Kind.MP4, Kind.MOV} and not film.shows(data, limits):
        return sound.mark(data, Sound.M4A, wanted, limits)
    if wanted.recording is not None:
        raise LabelRefused("a recording is put before sound, and this is a picture or a video")
    if kind.is_video:
        return film.mark(data, kind, wanted, limits)
    return pictures.mark(data, kind, wanted, limits)
