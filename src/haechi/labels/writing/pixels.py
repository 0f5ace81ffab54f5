"""The watermark, as a function of pixels."""

from collections.abc import Callable

from haechi.errors import LabelRefused
from haechi.labels import watermark
from haechi.labels.writing.visible import Pixels
from haechi.labels.writing.wanted import Wanted

type Embed = Callable[[Pixels], Pixels]


def watermarking(wanted: Wanted) -> Embed | None:
    """What embeds the trace id of `wanted`; None if none is asked for.

    A second mark upon a first would leave both unsure, so what is embedded `again` is refused if it
    carries one. Raises, when called, also what `watermark.embed` raises.
    """
    payload, key = wanted.trace_id, wanted.watermark_key
    if payload is None or key is None:
        return None
    looked = not wanted.again

    def embed(rgb: Pixels) -> Pixels:
        nonlocal looked
        if not looked and watermark.detect(rgb, key=key) is not None:
            raise LabelRefused("it carries a trace id already, which a second would spoil")
        looked = True
        return watermark.embed(rgb, payload, key=key)

    return embed
