"""The inaudible mark, as something that frames of sound pass through."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from haechi.errors import LabelRefused, TooShortToMark
from haechi.labels import hearing
from haechi.labels.watermark import sound
from haechi.labels.writing.wanted import Wanted
from haechi.media import Limits


def marking(data: bytes, wanted: Wanted, limits: Limits) -> "Marker | None":
    """What marks the sound of a file with the trace id of `wanted`; None if none is asked for.

    A second mark upon a first would leave both unsure: raises LabelRefused for what is marked `again`
    and carries one.
    """
    payload, key = wanted.trace_id, wanted.watermark_key
    if payload is None or key is None:
        return None
    if wanted.again and hearing.mark(data, key, limits) is not None:
        raise LabelRefused("its sound carries a trace id already, which a second would spoil")
    return Marker(payload, key)


class Marker:
    """Gives back the frames it was given, marked, at most some seconds later; times stay as they were.

    They come back as planar floats. Frames of another rate or layout than the first are refused by
    FFmpeg's resampler.
    """

    def __init__(self, payload: int, key: bytes) -> None:
        self._payload, self._key = payload, key
        self._embedder: sound.Embedder | None = None
        self._planar: Any = None
        self._waiting: deque[Any] = deque()
        self._ready = np.zeros((0, 0), np.float32)
        self._rate, self._samples = 0, 0

    def another(self) -> "Marker":
        """The same for a second track."""
        return Marker(self._payload, self._key)

    @property
    def long_enough(self) -> bool:
        """Whether the mark can be read from as much as has come so far."""
        return self._samples >= sound.LEAST_S * self._rate > 0

    def demand_length(self) -> None:
        """Raises TooShortToMark."""
        if not self.long_enough:
            raise TooShortToMark(self._samples / max(1, self._rate), sound.LEAST_S)

    def put(self, frame: Any) -> Iterator[Any]:  # noqa: ANN401 - PyAV's
        """Take a frame, and give back those that are done."""
        if self._embedder is None:
            self._begin(frame)
        assert self._embedder is not None  # noqa: S101 - for the type checker
        times = frame.pts, frame.time_base
        for piece in self._planar.resample(frame):
            piece.pts, piece.time_base = times
            self._waiting.append(piece)
            self._samples += piece.samples
            self._take(self._embedder.put(np.ascontiguousarray(piece.to_ndarray().T)))
        yield from self._done()

    def end(self) -> Iterator[Any]:
        """The rest."""
        if self._embedder is not None:
            self._take(self._embedder.end())
        yield from self._done()

    def _begin(self, frame: Any) -> None:  # noqa: ANN401
        self._rate = frame.rate
        channels = len(frame.layout.channels)
        self._planar = av.AudioResampler("fltp", frame.layout, frame.rate)
        self._embedder = sound.embedder(frame.rate, channels, self._payload, key=self._key)
        self._ready = np.zeros((0, channels), np.float32)

    def _take(self, made: Any) -> None:  # noqa: ANN401
        if len(made):
            self._ready = np.concatenate([self._ready, made])

    def _done(self) -> Iterator[Any]:
        while self._waiting and len(self._ready) >= self._waiting[0].samples:
            old = self._waiting.popleft()
            planes = np.ascontiguousarray(self._ready[: old.samples].T)
            self._ready = self._ready[old.samples :]
            frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=old.layout.name)
            frame.rate, frame.pts, frame.time_base = old.rate, old.pts, old.time_base
            yield frame
