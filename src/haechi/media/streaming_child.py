"""What runs in the sandbox process of a stream: one source is open, and gives frame after frame."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from haechi.errors import BrokenMedia, MediaError, NoStream, TooManyPixels
from haechi.media import video
from haechi.media.limits import Limits
from haechi.media.shown import Shown, orientation_of
from haechi.media.sources import From, Source

WHOLE_S, OFTEN_S = 120, 600
"""Of a film every second is looked at for so long, then every fourth, then every fifteenth."""

_OPEN_S, _SILENCE_S = 15.0, 15.0
"""Until a live source must be open, and how long it may be silent."""

_BAD_PACKETS = 500
_AHEAD_S = 0.5
_SLACK_S = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """One frame that was handed over.

    Attributes:
        seconds: Since the first frame.
        rgb: uint8 (height, width, 3), upright, in sRGB.
        width: Pixels of the film itself; `rgb` may be smaller.
        height: The same.
        decoded: Frames decoded so far.
        repeated: How many of those since the last one handed over looked exactly as the one before.
        skipped: How many were decoded since then and not handed over.
    """

    seconds: float
    rgb: NDArray[np.uint8]
    width: int
    height: int
    decoded: int
    repeated: int
    skipped: int


_given: list[Iterator[Still]] = []


def begin_film(data: bytes, *, limits: Limits, side_px: int, per_second: float) -> float | None:
    """Open a film, and say how long it claims to be."""
    _given[:] = [_film(data, limits, side_px, per_second)]
    return video.claimed_s(data, limits)


def begin_live(data: bytes, *, source: Source, limits: Limits, side_px: int) -> None:
    """Open what is live, or play a file as if it were. Raises NoStream."""
    os.environ.update(source.environment)
    shown = _played(data, limits) if source.kind is From.FILE else _arriving(source, limits)
    newest = _Newest(shown)
    newest.wait()
    _given[:] = [newest.stills(side_px)]


def more(data: bytes) -> Still | None:  # noqa: ARG001 - a job is about bytes
    """The next frame, or None at the end."""
    return next(_given[0], None)


def looked_at(second: int) -> bool:
    """True for the seconds of a film that are looked at."""
    if second < WHOLE_S:
        return True
    return second % 4 == 0 if second < OFTEN_S else second % 15 == 0


def _film(data: bytes, limits: Limits, side_px: int, per_second: float) -> Iterator[Still]:
    counted = _Counted(side_px)
    due_s = 0.0
    for shown in video.frames(data, limits):
        counted.see(shown)
        if shown.seconds < due_s - _SLACK_S or not looked_at(int(shown.seconds)):
            continue
        due_s = max(due_s + 1 / per_second, shown.seconds + 0.5 / per_second)
        yield counted.still(shown)


class _Counted:
    """How many frames there were between those that are handed over."""

    def __init__(self, side_px: int) -> None:
        self._side_px = side_px
        self._last: NDArray[np.uint8] | None = None
        self._decoded = self._handed = self._repeated = 0

    def see(self, shown: Shown) -> None:
        glance = shown.glance()
        self._repeated += self._last is not None and np.array_equal(glance, self._last)
        self._last = glance
        self._decoded += 1

    def still(self, shown: Shown) -> Still:
        repeated, self._repeated = self._repeated, 0
        skipped, self._handed = self._decoded - self._handed - 1, self._decoded
        return Still(
            shown.seconds, shown.rgb(self._side_px), shown.width, shown.height,
            self._decoded, repeated, skipped,
        )  # fmt: skip


class _Newest:
    """A thread that decodes all the time; whoever asks gets the newest frame not yet handed over."""

    def __init__(self, shown: Iterator[Shown]) -> None:
        self._changed = threading.Condition()
        self._newest: Shown | None = None
        self._error: MediaError | None = None
        self._ended = False
        self._decoded = 0
        threading.Thread(target=self._decode, args=(shown,), daemon=True).start()

    def wait(self) -> None:
        """Until there is a frame. Raises what went wrong."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._ended, _SILENCE_S)
            if self._newest is None:
                raise self._error or NoStream("it gives no picture")

    def stills(self, side_px: int) -> Iterator[Still]:
        handed = 0
        while True:
            with self._changed:
                heard = self._changed.wait_for(
                    lambda: self._newest is not None or self._ended, _SILENCE_S
                )
                if not heard:
                    raise NoStream(f"nothing came for {_SILENCE_S:g} s")
                shown, self._newest, decoded = self._newest, None, self._decoded
                if shown is None:
                    if self._error is not None:
                        raise self._error
                    return
            rgb = shown.rgb(side_px)
            yield Still(
                shown.seconds, rgb, shown.width, shown.height, decoded, 0, decoded - handed - 1
            )
            handed = decoded

    def _decode(self, given: Iterator[Shown]) -> None:
        error: MediaError | None = None
        try:
            for shown in given:
                with self._changed:
                    self._newest = shown
                    self._decoded += 1
                    self._changed.notify_all()
        except MediaError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001 - PyAV raises OSError, ValueError and its own
            # A line that breaks after pictures came is the end of them.
            error = None if self._decoded else NoStream(f"it cannot be read: {raised}"[:300])
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()


def _played(data: bytes, limits: Limits) -> Iterator[Shown]:
    """A file at its own speed."""
    began_s = time.monotonic()
    for shown in video.frames(data, limits):
        ahead_s = shown.seconds - (time.monotonic() - began_s)
        if ahead_s > 0:
            time.sleep(min(ahead_s, _AHEAD_S * 4))
        yield shown


def _arriving(source: Source, limits: Limits) -> Iterator[Shown]:
    options = {
        **source.options,
        "codec_whitelist": ",".join(sorted(video.DECODERS)),
        "max_pixels": str(limits.video_pixels),
        "probesize": "1000000",
        "analyzeduration": "2000000",
        "max_streams": "16",
    }
    if source.kind in {From.CAMERA, From.SCREEN}:
        del options["probesize"], options["analyzeduration"]
    try:
        container = av.open(
            source.address, format=source.demuxer, options=options, timeout=(_OPEN_S, _SILENCE_S)
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise NoStream(f"it cannot be opened: {error}"[:300]) from error
    with container:
        yield from _decoded(container, limits)


def _decoded(container: Any, limits: Limits) -> Iterator[Shown]:  # noqa: ANN401 - PyAV's stubs
    stream = video.chosen(container)
    stream.thread_type = "NONE"
    began_s = time.monotonic()
    bad = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            frames = []
            bad += 1
            if bad > _BAD_PACKETS:
                raise BrokenMedia("it cannot be decoded") from None
        for frame in frames:
            if frame.width * frame.height > limits.video_pixels:
                raise TooManyPixels(f"{frame.width} x {frame.height} pixels")
            orientation = orientation_of(frame)
            width, height = frame.width, frame.height
            if orientation >= 5:
                width, height = height, width
            yield Shown(time.monotonic() - began_s, width, height, frame, orientation)
