"""Our own mark in sound."""

from collections.abc import Iterator

from haechi.errors import MediaError
from haechi.labels import hearing
from haechi.labels.mark import Mark, Says
from haechi.labels.reading.haul import Haul
from haechi.labels.watermark import spelled
from haechi.media import Limits


def watermark(data: bytes, key: bytes, limits: Limits, haul: Haul) -> Iterator[Mark]:
    """The mark, if `key` is the one it was made with. It may have been carried over."""
    try:
        found = hearing.mark(data, key, limits)
    except MediaError as error:
        haul.find("broken.sound", code=error.code)
        return
    if found is not None:
        detail = {"trace_id": spelled(found.payload), "false_alarm": f"{found.false_alarm:.1e}"}
        yield Mark("watermark", "sound", Says.MADE, detail=detail)
