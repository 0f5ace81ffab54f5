"""The watermark, as a function of pixels."""

import importlib
from collections.abc import Callable

from haechi.errors import LabelRefused
from haechi.labels.writing.visible import Pixels
from haechi.labels.writing.wanted import Wanted

type Embed = Callable[[Pixels], Pixels]


def watermarking(wanted: Wanted) -> Embed | None:
    """What embeds the trace id of `wanted`; None if none is asked for."""
    payload, key = wanted.trace_id, wanted.watermark_key
    if payload is None or key is None:
        return None
    try:
        watermark = importlib.import_module("haechi.labels.watermark")
    except ImportError as error:
        raise LabelRefused("this installation has no watermark") from error

    def embed(rgb: Pixels) -> Pixels:
        marked: Pixels = watermark.embed(rgb, payload, key=key)
        return marked

    return embed
