"""Whether the watermark that was just written can be read: nobody is told of one that is not there."""

from dataclasses import replace

from haechi.labels import hearing
from haechi.labels.mark import Finding
from haechi.labels.reading import pixels
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.wanted import Wanted
from haechi.media import Limits, sniff

LABELLED_ALREADY = Finding("watermark.labelled_already")
UNREADABLE_PICTURE = Finding("watermark.unreadable_picture")
UNREADABLE_SOUND = Finding("watermark.unreadable_sound")


def checked(made: Marked, wanted: Wanted, limits: Limits) -> Marked:
    """`made`, bearing only what a reader finds in it, encoded as it is; and why it does not bear more.

    Looks as `haechi.labels.read` does. What was tried in vain stays in pixels and sound. Raises
    MediaError.
    """
    if wanted.trace_id is None or wanted.watermark_key is None:
        return made
    if made.found is not None and not wanted.again:
        return replace(made, unplaced=(LABELLED_ALREADY,))
    data, key, trace = made.data, wanted.watermark_key, wanted.trace_id
    lost = list(made.unplaced)
    in_pixels, in_sound = made.watermarked, made.sound_marked
    if in_pixels:
        seen = pixels.detected(data, sniff(data), key, limits)
        in_pixels = seen is not None and seen.payload == trace
        lost += [] if in_pixels else [UNREADABLE_PICTURE]
    if in_sound:
        heard = hearing.mark(data, key, limits)
        in_sound = heard is not None and heard.payload == trace
        lost += [] if in_sound else [UNREADABLE_SOUND]
    return replace(made, watermarked=in_pixels, sound_marked=in_sound, unplaced=tuple(lost))
