"""Marks in the pixels themselves: settings in the alpha channel, and our own watermark."""

import json
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from haechi.errors import MediaError
from haechi.labels.mark import Mark, Says
from haechi.labels.reading.haul import PIECE_BYTES, Haul
from haechi.labels.watermark import Detected, detect, detect_frames, spelled
from haechi.media import Kind, Limits, decode, transparency, video

# NovelAI's and the web UI's way (NovelAI/novelai-image-metadata, nai_meta.py): a word, the number of
# bits that follow, gzip or plain text; column by column, in the lowest bit of the alpha channel.
_WORDS = {b"stealth_pngcomp": True, b"stealth_pnginfo": False}
_WORD_BYTES = 15
_GZIP = 16 + zlib.MAX_WBITS
_CARRIER = "pixels:alpha"
FRAMES = 12
EVERY_S = 0.5
"""Of a film so many frames are searched, this far apart."""


def alpha(data: bytes, kind: Kind, limits: Limits, haul: Haul) -> None:
    """Settings hidden in the alpha channel become fields `alpha:Name`."""
    if not _may_have_alpha(data, kind):
        return
    try:
        channel = transparency(data, limits=limits)
    except MediaError as error:
        haul.find("broken.pixels", code=error.code)
        return
    if channel is None:
        return
    head = _bytes(channel, 0, _WORD_BYTES + 4)
    packed = _WORDS.get(head[:_WORD_BYTES])
    if packed is None:
        return
    length = int.from_bytes(head[_WORD_BYTES:], "big") // 8
    if length > min(PIECE_BYTES, channel.size // 8):
        haul.lie(_CARRIER)
        return
    body = _bytes(channel, _WORD_BYTES + 4, length)
    text = _unpacked(body, haul) if packed else body
    if text is not None:
        _told(text, haul)


def watermark(data: bytes, kind: Kind, key: bytes, limits: Limits, haul: Haul) -> Iterator[Mark]:
    """Our own mark, if `key` is the one it was made with. It may have been carried over."""
    try:
        found = detected(data, kind, key, limits)
    except MediaError as error:
        haul.find("broken.pixels", code=error.code)
        return
    if found is not None:
        detail = {"trace_id": spelled(found.payload), "false_alarm": f"{found.false_alarm:.1e}"}
        yield Mark("watermark", "pixels", Says.MADE, detail=detail)


def detected(data: bytes, kind: Kind, key: bytes, limits: Limits) -> Detected | None:
    """The mark of a picture, or of some frames of a film. Raises MediaError."""
    if kind.is_video:
        with video.tracks(data, limits) as source:
            if not source.streams.video:
                return None  # sound alone, in a container of films
        return detect_frames(_frames(data, limits), key=key)
    return detect(np.ascontiguousarray(decode(data, limits=limits).rgb), key=key)


def _frames(data: bytes, limits: Limits) -> Iterator[NDArray[np.uint8]]:
    wait_s, taken = 0.0, 0
    for shown in video.frames(data, limits, thrifty=True):
        if shown.seconds >= wait_s:
            yield np.ascontiguousarray(shown.rgb())
            wait_s, taken = shown.seconds + EVERY_S, taken + 1
        if taken == FRAMES:
            return


def _may_have_alpha(data: bytes, kind: Kind) -> bool:
    """By the header alone: most files need not be decoded for this."""
    if kind is Kind.PNG:
        return data[25:26] == b"\x06"
    extended = data[12:16] == b"VP8X" and bool(data[20:21] and data[20] & 0x10)
    return kind is Kind.WEBP and (extended or data[12:16] == b"VP8L")


def _bytes(channel: NDArray[np.uint8], start: int, count: int) -> bytes:
    """`count` bytes made of lowest bits, from byte `start` on."""
    rows = channel.shape[0]
    first, last = start * 8 // rows, -(-(start + count) * 8 // rows)
    bits = (channel[:, first:last].T & 1).ravel()[start * 8 - first * rows :][: count * 8]
    return np.packbits(bits).tobytes()


def _unpacked(body: bytes, haul: Haul) -> bytes | None:
    engine = zlib.decompressobj(_GZIP)
    try:
        made = engine.decompress(body, PIECE_BYTES)
    except zlib.error:
        haul.find("broken.compressed", carrier=_CARRIER)
        return None
    if engine.unconsumed_tail:
        haul.find("hostile.bomb", carrier=_CARRIER)
        return None
    return made


def _told(text: bytes, haul: Haul) -> None:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        haul.text(_CARRIER, "alpha:parameters", text)
        return
    if not isinstance(told, dict):
        return
    for key, value in list(told.items())[:32]:
        haul.text(_CARRIER, f"alpha:{key}", value if isinstance(value, str) else json.dumps(value))
