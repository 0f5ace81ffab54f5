"""The frames of an untrusted video, in order, from memory alone.

PyAV (FFmpeg) reads them. Which demuxer may look is told by our own `sniff`, so that a playlist that
calls itself a film is no film; what a file names outside itself is never opened.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NoReturn

import av
import av.logging
import numpy as np
from av.stream import Discard, Disposition
from numpy.typing import NDArray

from haechi.errors import (
    BrokenMedia,
    HaechiError,
    MediaError,
    TooManyBytes,
    TooManyFrames,
    TooManyPixels,
    UnsupportedMedia,
)
from haechi.media.kind import Kind, sniff
from haechi.media.limits import DEFAULT, Limits
from haechi.media.shown import Shown, orientation_of

DEMUXERS = {
    Kind.MP4: "mov",
    Kind.MOV: "mov",
    Kind.WEBM: "matroska",
    Kind.MKV: "matroska",
    Kind.AVI: "avi",
    Kind.MPEGTS: "mpegts",
}
"""The one demuxer each kind may reach."""

DECODERS = frozenset(
    {"h264", "hevc", "vvc", "vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d"}
    | {"mpeg1video", "mpeg2video", "mpeg4", "h263", "h263p", "mjpeg", "prores", "dnxhd"}
    | {"msmpeg4v1", "msmpeg4", "msmpeg4v2", "wmv1", "wmv2", "wmv3", "vc1", "flv", "vp6", "vp6f"}
    | {"dvvideo", "theora", "ffv1", "huffyuv", "ffvhuff", "utvideo", "cinepak", "svq1", "svq3"}
    | {"indeo5", "qtrle", "rpza", "png", "rawvideo", "cfhd", "vp7", "h261"}
)
"""What people's videos are coded in, today and in old files. FFmpeg has 300 more decoders; those
of game cut scenes and surveillance recorders are the ones with the holes."""

_OPTIONS = {
    "codec_whitelist": ",".join(sorted(DECODERS)),
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts",
    "protocol_whitelist": "none",
    "max_streams": "64",
    "probesize": "5000000",
    "analyzeduration": "5000000",
    "enable_drefs": "0",
}

_FALLBACK_RATE = 25.0
_LONGEST_GAP_S = 60.0
"""A clock that jumps further is broken; then frames follow each other at the usual rate."""

_BLIND_S = 30.0
_PATIENCE_PACKETS = 48
_BAD_PACKETS = 2_000
_ODDEST_PIXEL = 8
_SLACK_S = 0.02
_LOOK_EVERY_S = 0.5
_LOOK_FOR_S = 30.0
_TELLING_LEVELS = 16.0

av.logging.set_level(None)


def frames(data: bytes, limits: Limits = DEFAULT, *, thrifty: bool = False) -> Iterator[Shown]:
    """The frames that a viewer would see, as they are decoded, in this process (see Sandbox).

    `thrifty` leaves out frames that no other needs (B-frames mostly; a third to three quarters of
    them), and the deblocking of the rest: what is left shows the same to a fingerprint, at a
    fraction of the cost. Beyond limits.video_decoded_pixels only key frames are decoded.

    A damaged packet is passed over as players do. Raises NotMedia, UnsupportedMedia (no video in
    it, or a codec that is not opened), TooManyBytes, TooManyPixels, TooManyFrames or BrokenMedia
    (no frame at all), and nothing else.
    """
    if len(data) > limits.video_bytes:
        raise TooManyBytes(f"{len(data)} bytes; the limit is {limits.video_bytes}")
    kind = sniff(data)
    if kind not in DEMUXERS:
        raise UnsupportedMedia(f"{kind.value} is no video")
    try:
        yield from _frames(data, kind, limits, thrifty=thrifty)
    except MediaError:
        raise
    except MemoryError as error:
        raise BrokenMedia(f"{kind.value} needs more memory than there is") from error
    except Exception as error:  # PyAV raises OSError, ValueError and classes of its own
        raise BrokenMedia(f"{kind.value} cannot be decoded: {type(error).__name__}") from error


def still(data: bytes, limits: Limits = DEFAULT, at_s: float | None = None) -> NDArray[np.uint8]:
    """uint8 (height, width, 3): the frame shown at `at_s`, or one that says something.

    Without `at_s` it is the first of those looked at, two a second, that is no plain ground; of
    a video that begins with half a minute of those, the one after. Raises as `frames`.
    """
    found: Shown | None = None
    wait_s = 0.0
    for found in frames(data, limits, thrifty=at_s is None):
        if at_s is not None:
            if found.seconds >= at_s - _SLACK_S:
                break
        elif found.seconds >= wait_s:
            wait_s = found.seconds + _LOOK_EVERY_S
            if found.seconds > _LOOK_FOR_S or found.glance().std() >= _TELLING_LEVELS:
                break
    if found is None:
        raise BrokenMedia("there is no frame in it")
    return found.rgb()


@contextmanager
def tracks(data: bytes, limits: Limits = DEFAULT) -> Iterator[Any]:
    """PyAV's container of a video, opened as `frames` does, to copy packets from; nothing is decoded.

    Raises as `frames`, also for what is raised in the block.
    """
    if len(data) > limits.video_bytes:
        raise TooManyBytes(f"{len(data)} bytes; the limit is {limits.video_bytes}")
    kind = sniff(data)
    if kind not in DEMUXERS:
        raise UnsupportedMedia(f"{kind.value} is no video")
    try:
        options = {**_OPTIONS, "max_pixels": str(limits.video_pixels)}
        with av.open(
            io.BytesIO(data), mode="r", format=DEMUXERS[kind], options=options, io_open=_refuse
        ) as container:
            yield container
    except HaechiError:
        raise
    except Exception as error:  # as in `frames`
        raise BrokenMedia(f"{kind.value} cannot be read: {type(error).__name__}") from error


def claimed_s(data: bytes, limits: Limits = DEFAULT) -> float | None:
    """How long it says that it plays, for showing progress and for nothing else.

    None where it does not say, or says what no film can be. Raises nothing: `frames` will.
    """
    try:
        with tracks(data, limits) as container:
            told = float((container.duration or 0) / av.time_base)
    except MediaError:
        return None
    return told if 0 < told <= limits.video_s else None


def _frames(data: bytes, kind: Kind, limits: Limits, *, thrifty: bool) -> Iterator[Shown]:
    seen = False
    for shown in _decoded(data, kind, limits, thrifty=thrifty):
        seen = True
        yield shown
    if not seen and thrifty:
        for shown in _decoded(data, kind, limits, thrifty=False):
            seen = True
            yield shown
    if not seen:
        raise BrokenMedia(f"there is no frame in this {kind.value}")


def _decoded(data: bytes, kind: Kind, limits: Limits, *, thrifty: bool) -> Iterator[Shown]:
    options = {**_OPTIONS, "max_pixels": str(limits.video_pixels)}
    with av.open(
        io.BytesIO(data),
        mode="r",
        format=DEMUXERS[kind],
        options=options,
        buffer_size=1 << 18,
        io_open=_refuse,
    ) as container:
        stream = chosen(container)
        _check(stream.codec_context.width, stream.codec_context.height, limits, whole=False)
        told = {"max_pixels": options["max_pixels"], "codec_whitelist": options["codec_whitelist"]}
        stream.codec_context.options = told | ({"skip_loop_filter": "all"} if thrifty else {})
        stream.codec_context.thread_count = 1  # the sandbox has a process for each core
        if thrifty:
            stream.codec_context.skip_frame = "NONREF"
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        yield from _Reading(container, stream, limits).frames()


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:  # noqa: ARG001 - PyAV's
    """Instead of opening what a file names: another file, a part of one, an address."""
    raise PermissionError("a video may not open anything")


def chosen(container: Any) -> Any:  # noqa: ANN401 - PyAV's stubs lack half of what is used
    """The stream that players show: the best that is no cover picture."""
    films = [
        stream
        for stream in container.streams.video
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    ]
    if not films:
        raise UnsupportedMedia("there is no video in it")
    best = container.streams.best("video")
    stream = next(
        (film for film in films if best is not None and film.index == best.index), films[0]
    )
    coded = stream.codec_context
    if coded is None or coded.name not in DECODERS:
        raise UnsupportedMedia(
            f"its codec is not opened here: {coded.name if coded else 'unknown'}"
        )
    return stream


class _Reading:
    """One pass over one stream: its clock, its budget, and its patience."""

    def __init__(self, container: Any, stream: Any, limits: Limits) -> None:  # noqa: ANN401
        self._container = container
        self._stream = stream
        self._limits = limits
        rate = float(stream.average_rate or stream.guessed_rate or _FALLBACK_RATE)
        self._period_s = 1.0 / (rate if 1.0 <= rate <= 240.0 else _FALLBACK_RATE)
        self._shift_s: float | None = None
        self._last_s = 0.0
        self._count = 0
        self._pixels = 0
        self._keys_only = False

    def frames(self) -> Iterator[Shown]:
        bad = waiting = 0
        for number, packet in enumerate(self._packets()):
            if number > 4 * self._limits.video_frames:
                raise TooManyFrames("more packets than so many frames can have")
            if self._keys_only and packet.size and not packet.is_keyframe:
                continue
            try:
                decoded = packet.decode()
            except (av.FFmpegError, ValueError):
                decoded = []
                bad += 1
                if bad > _BAD_PACKETS:
                    return
            waiting = 0 if decoded else waiting + 1
            if waiting > _PATIENCE_PACKETS:  # it has no reference frames, or hides between them
                self._stream.codec_context.skip_frame = "DEFAULT"
            for frame in decoded:
                yield self._shown(frame)

    def _packets(self) -> Iterator[Any]:
        """Packets until the end or the first that cannot be read; then the decoder is emptied."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.FFmpegError, ValueError, OSError):
                packet = None
            if packet is None:
                break
            yield packet

    def _shown(self, frame: av.VideoFrame) -> Shown:
        _check(frame.width, frame.height, self._limits)
        seconds = self._seconds(frame)
        self._spend(frame, seconds)
        orientation = orientation_of(frame)
        width, height = _square_pixels(frame, self._stream.sample_aspect_ratio)
        if orientation >= 5:
            width, height = height, width
        return Shown(seconds, width, height, frame, orientation)

    def _seconds(self, frame: av.VideoFrame) -> float:
        """Since the first frame, never running backwards, whatever the time stamps say."""
        told: float | None = frame.time
        if told is None or not abs(told) < 1e12:
            told = None
        follows = self._last_s + self._period_s if self._count else 0.0
        if told is None:
            return follows
        if self._shift_s is None:
            self._shift_s = follows - told
        moved = told + self._shift_s
        if not self._last_s <= moved <= self._last_s + _LONGEST_GAP_S:
            self._shift_s = follows - told
            return follows
        return moved

    def _spend(self, frame: av.VideoFrame, seconds: float) -> None:
        limits = self._limits
        if self._keys_only and seconds - self._last_s > _BLIND_S:
            raise TooManyFrames("too long to decode every frame, with too few key frames")
        self._count += 1
        self._last_s = seconds
        self._pixels += frame.width * frame.height
        if self._count > limits.video_frames:
            raise TooManyFrames(f"more than {limits.video_frames} frames")
        if seconds > limits.video_s:
            raise TooManyFrames(f"it plays for more than {limits.video_s:g} s")
        if self._pixels > limits.video_decoded_pixels:
            self._keys_only = True


def _square_pixels(frame: av.VideoFrame, ratio: Fraction | None) -> tuple[int, int]:
    """Width and height with the pixel aspect ratio (H.264, table E-1) put into the longer side."""
    width, height = frame.width, frame.height
    if not ratio or not 1 / _ODDEST_PIXEL <= ratio <= _ODDEST_PIXEL:
        return width, height
    if ratio > 1:
        return max(1, round(width * ratio)), height
    return width, max(1, round(height / ratio))


def _check(width: int, height: int, limits: Limits, *, whole: bool = True) -> None:
    if whole and (width < 1 or height < 1):
        raise BrokenMedia(f"a frame of {width} x {height} pixels")
    if max(width, height) > limits.side_px:
        raise TooManyPixels(f"{width} x {height}; the longest side may be {limits.side_px}")
    if width * height > limits.video_pixels:
        raise TooManyPixels(f"{width} x {height} pixels; the limit is {limits.video_pixels}")
