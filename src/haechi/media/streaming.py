"""Frames one by one from a sandbox process: wanted ones of a film, the newest of what is live.

However long it is, one frame at a time is held.
"""

from types import TracebackType
from typing import Any, Self

from haechi.errors import NoStream
from haechi.media import streaming_child, wire
from haechi.media.limits import DEFAULT, Limits
from haechi.media.sandbox import result_of
from haechi.media.sources import From, Source
from haechi.media.streaming_child import Still
from haechi.media.worker import Worker

SIDE_PX = 960
"""Longest side of the frames that are handed over: a face a sixth as wide has 160 pixels."""

_OPENING_S = 30.0
_FRAME_S = 60.0
"""Wall clock until the next wanted frame of a film; between two, up to 15 s of film are decoded."""

_MODULE = streaming_child.__name__


class Stream:
    """An iterator over Still. One thread may use it; leave it with `close`, or as a `with`."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        """Start the process; `film` and `live` are what is to be called."""
        self._worker = Worker(limits)
        self._open = True
        self._told_s: float | None = None

    @classmethod
    def film(
        cls,
        data: bytes,
        *,
        per_second: float,
        limits: Limits = DEFAULT,
        side_px: int = SIDE_PX,
    ) -> Self:
        """Up to `per_second` frames of each second that `streaming_child.looked_at` says.

        Raises what `media.video.frames` raises, here or at a later frame, and DecodeTimeout or
        DecoderCrashed.
        """
        stream = cls(limits)
        options = {"limits": limits, "side_px": side_px, "per_second": per_second}
        stream._told_s = stream._ask("begin_film", data, limits.video_job_s, options)
        return stream

    @classmethod
    def live(
        cls, source: Source, *, limits: Limits = DEFAULT, side_px: int = SIDE_PX, data: bytes = b""
    ) -> Self:
        """The newest frame at every step; those that came meanwhile are left out and counted.

        A file (`data`) is played at its own speed. Raises NoStream when there is nothing to open,
        and what `film` raises.
        """
        if source.kind is not From.FILE and data:
            raise NoStream("only a file has bytes")
        stream = cls(limits)
        options = {"source": source, "limits": limits, "side_px": side_px}
        stream._ask("begin_live", data, _OPENING_S, options)
        return stream

    @property
    def told_s(self) -> float | None:
        """How long a film says that it plays, for progress alone; None if it does not say."""
        return self._told_s

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Still:
        still: Still | None = self._ask("more", b"", _FRAME_S, {})
        if still is None:
            raise StopIteration
        return still

    def close(self) -> None:
        """End the process."""
        if self._open:
            self._open = False
            self._worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, name: str, data: bytes, seconds: float, options: dict[str, object]) -> Any:  # noqa: ANN401 - whatever it answers
        try:
            self._worker.prepare(_MODULE)
            job = wire.encode([_MODULE, name, (), options, seconds])
            answer = result_of(self._worker.ask(job, data, seconds))
        except BaseException:
            self.close()
            raise
        return answer
