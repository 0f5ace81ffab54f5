"""The inaudible mark of a file of sound, or of the sound of a film."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from haechi.errors import NotMedia
from haechi.labels.watermark import sound
from haechi.labels.watermark.sound import DetectedSound
from haechi.media import DEFAULT, Limits, sniff, sounds, video
from haechi.media.sounds import Sound

RATE = 16_000
"""All that the mark needs."""


def mark(data: bytes, key: bytes, limits: Limits = DEFAULT) -> DetectedSound | None:
    """What the first track of sound carries; None where there is no sound, or nothing in it.

    Raises MediaError for what cannot be opened. The first minutes are heard (`sound.LONGEST_S`).
    """
    with _opened(data, limits) as (container, stream):
        if stream is None or stream.codec_context.codec.name not in sounds.IN_FILMS:
            return None
        heard = _heard(container, stream)
    return sound.detect_sound(heard[:, None], RATE, key=key)


@contextmanager
def _opened(data: bytes, limits: Limits) -> Iterator[tuple[Any, Any]]:
    form = sounds.sniff(data)
    if form is None and data[8:12] in sounds.BRANDS:
        form = Sound.M4A
    if form is not None:
        with sounds.opened(data, form) as found:
            yield found
        return
    if not sniff(data).is_video:
        raise NotMedia("there is no sound in it")
    with video.tracks(data, limits) as container:
        yield container, next(iter(container.streams.audio), None)


def _heard(container: Any, stream: Any) -> NDArray[np.float32]:  # noqa: ANN401 - PyAV's
    """As much as is searched, mixed to one channel."""
    fit = av.AudioResampler("fltp", "mono", RATE)
    pieces: list[NDArray[np.float32]] = []
    length = 0
    for frame in _frames(container, stream):
        for piece in fit.resample(frame):
            pieces.append(piece.to_ndarray()[0])
            length += piece.samples
        if length > sound.LONGEST_S * RATE:
            break
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _frames(container: Any, stream: Any) -> Iterator[Any]:  # noqa: ANN401
    """What is decoded of the stream; packets that cannot be are passed over, as players do."""
    bad = 0
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except (av.FFmpegError, ValueError):
            bad += 1
            if bad > _BAD_PACKETS:
                return
            continue
        for frame in decoded:
            frame.pts = None
            yield frame


_BAD_PACKETS = 2_000
