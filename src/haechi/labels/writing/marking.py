"""Which hands mark which kind of file."""

from haechi.labels.writing import film, pictures, sound
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.wanted import Wanted
from haechi.media import DEFAULT, Kind, Limits, sniff


def mark(data: bytes, wanted: Wanted, *, limits: Limits = DEFAULT) -> Marked:
    """Everything that `wanted` asks for but the signature, in this process (see Sandbox)."""
    heard = sound.sniff(data)
    if heard is not None:
        return sound.mark(data, heard, wanted, limits)
    kind = sniff(data)
    if kind in {Kind.MP4, Kind.MOV} and not film.shows(data, limits):
        return sound.mark(data, sound.Sound.M4A, wanted, limits)
    if kind.is_video:
        return film.mark(data, kind, wanted, limits)
    return pictures.mark(data, kind, wanted, limits)
