"""A video: text and a watermark on every frame, an inaudible mark in its sound, the label in its keys.

GB 45438 asks for two seconds at the start. The text stays for the whole length here, because what
circulates of a film is a clip or a screenshot from its middle.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from haechi.errors import TooShortToMark, TooSmallToMark
from haechi.labels.aigc import KEYWORD
from haechi.labels.mark import Finding
from haechi.labels.watermark.sound import LEAST_RATE, MOST_CHANNELS
from haechi.labels.writing import boxes, hidden, marked, visible, words, xmp
from haechi.labels.writing.carriers import riff
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.pixels import Embed, watermarking
from haechi.labels.writing.placing import Box
from haechi.labels.writing.visible import Drawn, Pixels, Plate
from haechi.labels.writing.wanted import Wanted
from haechi.media import Kind, Limits, sounds, video

_WRITTEN_AS = {Kind.AVI: Kind.MP4, Kind.MPEGTS: Kind.MP4}
"""Kinds that no encoder of today writes well, or that have no place for a label."""
_FORMATS = {Kind.MP4: "mp4", Kind.MOV: "mov", Kind.WEBM: "webm", Kind.MKV: "matroska"}
_COPIED = {
    Kind.MP4: frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"}),
    Kind.MOV: frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le"}),
    Kind.WEBM: frozenset({"opus", "vorbis"}),
}
"""Codecs of sound that the container may hold; any other is encoded anew."""
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_CLOCK = Fraction(1, 90_000)
_LOOKED_AT, _EVERY_S = 12, 2.5
_SOUND_BITS = 192_000
_GAP_S = 0.1
_ALL_FRAMES = 1 << 62
_MATRICES = frozenset({1, 7, 9})
_BT601 = 5
"""What a video that does not say is taken for, when it is read and when it is written."""


def shows(data: bytes, limits: Limits) -> bool:
    """False for sound alone in a container of films; its cover is no film."""
    with video.tracks(data, limits) as source:
        covers = Disposition.attached_pic | Disposition.timed_thumbnails
        return any(not stream.disposition & covers for stream in source.streams.video)


def mark(data: bytes, kind: Kind, wanted: Wanted, limits: Limits) -> Marked:
    """Everything `wanted` but the signature. Raises MediaError and LabelError."""
    with video.tracks(data, limits) as source:
        texts = [text for key, text in source.metadata.items() if key.upper() == KEYWORD]
    packet = boxes.packet(data, kind)
    if kind is Kind.AVI:
        texts += riff.take(data).labels
    found = marked.found_in([*texts, *xmp.labels(packet)])
    label, says = wanted.after(found), marked.source_of(wanted, found)
    written = _WRITTEN_AS.get(kind, kind)
    draws = (found is None or wanted.again) and (wanted.visible or wanted.trace_id is not None)
    done = None
    if draws:
        done = _painted(data, written, replace(wanted, level=label.label), label.to_json(), limits)
        whole = done.whole
    elif kind is Kind.AVI:
        written = kind
        whole = riff.put(riff.take(data).rest, label.to_json().encode())
    else:
        whole = _copied(data, written, label.to_json(), limits)
    has_room = written in {Kind.MP4, Kind.MOV}
    if has_room and (packet is not None or says is not None):
        whole += boxes.box(xmp.edited(packet, None, says))
    return Marked(
        whole,
        written.mime,
        kind.mime,
        label,
        found,
        "riff:INFO:AIGC" if written is Kind.AVI else f"keys:{KEYWORD}",
        drawn=None if done is None else done.drawn,
        watermarked=done is not None and done.in_pixels,
        sound_marked=done is not None and done.in_sound,
        unplaced=() if done is None else done.unplaced,
        source=says if has_room else None,
    )


def _copied(data: bytes, kind: Kind, label: str, limits: Limits) -> bytes:
    """The same packets in a new container, with the label; nothing is decoded."""
    out = io.BytesIO()
    with (
        video.tracks(data, limits) as source,
        _container(out, kind, source.metadata, label) as sink,
    ):
        to = {}
        for stream in source.streams:
            if stream.type in {"video", "audio", "subtitle"}:
                to[stream.index] = sink.add_stream_from_template(stream)
        streams = [stream for stream in source.streams if stream.index in to]
        for packet in _in_order(source.demux(streams)):
            packet.stream = to[packet.stream.index]
            sink.mux(packet)
    return out.getvalue()


def _in_order(packets: Iterator[Any]) -> Iterator[Any]:
    """Packets with a time of decoding each; Matroska does not say it of the first ones."""
    waiting: dict[int, list[Any]] = {}
    for packet in packets:
        if not packet.size:
            continue
        held = waiting.setdefault(packet.stream.index, [])
        if packet.dts is None:
            held.append(packet)
            continue
        step = max(1, packet.duration or 1)
        for number, early in enumerate(held):
            early.dts = packet.dts - step * (len(held) - number)
        yield from held
        held.clear()
        yield packet
    for held in waiting.values():
        for packet in held:
            packet.dts = packet.pts
            yield packet


@dataclass(frozen=True, slots=True)
class _Done:
    """A film drawn on: where the trace id was put, and why not elsewhere."""

    whole: bytes
    drawn: Drawn | None
    in_pixels: bool
    in_sound: bool
    unplaced: tuple[Finding, ...]


def _painted(data: bytes, kind: Kind, wanted: Wanted, label: str, limits: Limits) -> _Done:
    """Every frame drawn on and encoded anew; sound too where it is marked or the container cannot hold it."""
    # Where `frames` would go on with key frames only to save time, all frames are wanted here.
    limits = replace(limits, video_decoded_pixels=_ALL_FRAMES)
    out = io.BytesIO()
    painter = _Painter(wanted, _places(data, limits) if wanted.visible else [])
    with (
        video.tracks(data, limits) as source,
        _container(out, kind, source.metadata, label) as sink,
    ):
        old = video.chosen(source)
        film = _Film(sink, kind, old)
        begins_s = float((old.start_time or 0) * old.time_base)
        sound: _Sound | None = None
        for shown in video.frames(data, limits):
            rgb = painter.paint(shown.rgb())
            if sound is None:
                film.begin(rgb)
                marker = hidden.marking(data, wanted, limits)
                sound = _Sound(source, sink, kind, marker, begins_s=begins_s)
            film.put(rgb, shown.seconds)
            sound.until(shown.seconds)
        if sound is not None:
            sound.until(None)
            film.end()
    traced, in_sound = wanted.trace_id is not None, sound is not None and sound.marked
    silent = sound is None or not sound.there or in_sound
    lost = [Finding(TooSmallToMark.code)] if painter.too_small else []
    lost += [Finding(TooShortToMark.code)] if traced and not silent else []
    in_pixels = traced and not painter.too_small
    return _Done(out.getvalue(), painter.drawn, in_pixels, in_sound, tuple(lost))


@contextmanager
def _container(out: io.BytesIO, kind: Kind, metadata: dict[str, str], label: str) -> Iterator[Any]:
    """An empty container that says what the old one said, and has the label among its keys.

    Without the option the muxer of MP4 drops every key that it does not know.
    """
    options = {"movflags": "use_metadata_tags"} if kind in {Kind.MP4, Kind.MOV} else {}
    with av.open(out, mode="w", format=_FORMATS[kind], options=options) as sink:
        for key, text in metadata.items():
            if key.upper() != KEYWORD and key not in _OF_THE_FILE:
                sink.metadata[key] = text
        sink.metadata[KEYWORD] = label
        yield sink


_OF_THE_FILE = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER", "DURATION"}
)


def _places(data: bytes, limits: Limits) -> list[Box]:
    """Where faces are, in up to twelve frames; fractions do not help a place in whole pixels."""
    found: list[Box] = []
    looked, next_s = 0, 0.0
    for shown in video.frames(data, limits, thrifty=True):
        if shown.seconds >= next_s:
            found += visible.find_faces(shown.rgb())
            looked, next_s = looked + 1, shown.seconds + _EVERY_S
        if looked == _LOOKED_AT:
            break
    return found


class _Painter:
    """Draws the same plate on every frame, and remembers the weakest contrast it had."""

    def __init__(self, wanted: Wanted, faces: Sequence[Box]) -> None:
        self._wanted = wanted
        self._faces = faces
        self._embed: Embed | None = watermarking(wanted)
        self._plate: Plate | None = None
        self.drawn: Drawn | None = None
        self.too_small = False

    def paint(self, rgb: Pixels) -> Pixels:
        if self._wanted.visible:
            height, width = rgb.shape[:2]
            if self._plate is None:
                text, language = words.visible(self._wanted), self._wanted.language
                self._plate = visible.plate(text, language, width, height, self._faces)
            rgb, _ = visible.draw(self._plate, rgb)
            drawn = visible.drawn(self._plate, rgb)
            if self.drawn is None or drawn.contrast < self.drawn.contrast:
                self.drawn = drawn
        return rgb if self._embed is None else self._embedded(rgb, self._embed)

    def _embedded(self, rgb: Pixels, embed: Embed) -> Pixels:
        try:
            return embed(rgb)
        except TooSmallToMark:
            if not self._wanted.visible:
                raise  # nothing would change but what encoding does to it
            self._embed, self.too_small = None, True
            return rgb


class _Film:
    """The stream of pictures, as close to the old one as an encoder comes without guessing."""

    def __init__(self, sink: Any, kind: Kind, old: Any) -> None:  # noqa: ANN401 - PyAV's
        self._sink = sink
        self._old = old.codec_context
        self._kind = kind
        self._rate = old.average_rate or old.guessed_rate or 25
        self._stream: Any = None

    def begin(self, rgb: Pixels) -> None:
        """Make the stream, for frames of that size; it comes before any of sound."""
        height, width = rgb.shape[:2]
        webm = self._kind is Kind.WEBM
        options = {"crf": "16", "preset": "veryfast"}
        if webm:
            options = {"crf": "15", "b": "0", "deadline": "realtime", "cpu-used": "6"}
        stream = self._sink.add_stream("libvpx-vp9" if webm else "libx264", self._rate)
        stream.width, stream.height = width + width % 2, height + height % 2
        stream.pix_fmt = "yuv420p"
        coded = stream.codec_context
        coded.time_base, coded.thread_count, coded.options = _CLOCK, 1, options
        for name in ("colorspace", "color_range", "color_primaries", "color_trc"):
            setattr(coded, name, getattr(self._old, name))
        self._stream = stream

    def put(self, rgb: Pixels, seconds: float) -> None:
        # Codecs thin colours out by two: a row or column too many is repeated.
        height, width = rgb.shape[:2]
        even = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        told = self._stream.codec_context.colorspace
        matrix = told if told in _MATRICES else _BT601
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
        frame.pts, frame.time_base = round(seconds / _CLOCK), _CLOCK
        self._mux(self._stream.encode(frame))

    def end(self) -> None:
        self._mux(self._stream.encode(None))

    def _mux(self, packets: Sequence[Any]) -> None:
        for packet in packets:
            self._sink.mux(packet)


@dataclass
class _Track:
    """Where one stream of sound goes; where it is not `encodes`, packets are copied."""

    sink: Any
    encodes: bool
    marker: hidden.Marker | None = None
    samples: int | None = None

    def encoded(self, frame: Any) -> Iterator[Any]:  # noqa: ANN401
        """Packets, with the mark in what is heard, if there is one; None ends the stream."""
        frames: Iterator[Any] = iter([] if frame is None else [frame])
        if self.marker is not None:
            frames = self.marker.end() if frame is None else self.marker.put(frame)
        for one in frames:
            yield from self.sink.encode(one)
        if frame is None:
            yield from self.sink.encode(None)

    def stamp(self, frame: Any, begins_s: float) -> None:  # noqa: ANN401
        """Number samples one after the other: clocks of containers are coarser than encoders bear."""
        told = round(((frame.time or 0.0) - begins_s) * frame.rate)
        if self.samples is None or abs(told - self.samples) > _GAP_S * frame.rate:
            self.samples = told if self.samples is None else max(told, self.samples)
        frame.pts, frame.time_base = self.samples, Fraction(1, frame.rate)
        self.samples += frame.samples


class _Sound:
    """The streams of sound, moved on as far as the pictures have come."""

    def __init__(
        self,
        source: Any,  # noqa: ANN401
        sink: Any,  # noqa: ANN401
        kind: Kind,
        marker: hidden.Marker | None,
        *,
        begins_s: float,
    ) -> None:
        self._sink = sink
        self._begins_s = begins_s
        self._tracks: dict[int, _Track] = {}
        old = list(source.streams.audio)
        for stream in old:
            codec = stream.codec_context.codec.canonical_name
            ours = marker.another() if marker is not None and _bears(stream) else None
            copied = ours is None and (kind is Kind.MKV or codec in _COPIED[kind])
            self._tracks[stream.index] = _Track(
                _sound(sink, stream, kind, copied=copied), not copied, ours
            )
        self._packets: Iterator[Any] = source.demux(old) if old else iter(())
        self._held: Any = None

    @property
    def there(self) -> bool:
        """Whether the film has any sound."""
        return bool(self._tracks)

    @property
    def marked(self) -> bool:
        """Whether any track is long enough to be read."""
        markers = [track.marker for track in self._tracks.values()]
        return any(marker is not None and marker.long_enough for marker in markers)

    def until(self, seconds: float | None) -> None:
        """Move everything up to there, or all there is; as pictures, sound is told from 0."""
        while True:
            packet = self._held or next(self._packets, None)
            self._held = None
            if packet is None:
                return
            at = packet.pts if packet.pts is not None else packet.dts
            told_s = None if at is None else float(at * packet.time_base) - self._begins_s
            if seconds is not None and told_s is not None and told_s > seconds:
                self._held = packet
                return
            self._move(packet, self._tracks[packet.stream.index])

    def _move(self, packet: Any, track: _Track) -> None:  # noqa: ANN401
        if not track.encodes:
            if packet.dts is not None:
                shift = round(self._begins_s / packet.time_base)
                packet.dts -= shift
                packet.pts = packet.dts if packet.pts is None else packet.pts - shift
                packet.stream = track.sink
                self._sink.mux(packet)
            return
        frames = packet.decode() if packet.size else [*packet.stream.decode(None), None]
        for frame in frames:
            if frame is not None:
                track.stamp(frame, self._begins_s)
            for made in track.encoded(frame):
                self._sink.mux(made)


def _bears(stream: Any) -> bool:  # noqa: ANN401
    """Whether the mark can be put into such sound, long enough or not."""
    fits = stream.rate >= LEAST_RATE and 0 < stream.channels <= MOST_CHANNELS
    return fits and stream.codec_context.codec.name in sounds.IN_FILMS


def _sound(sink: Any, old: Any, kind: Kind, *, copied: bool) -> Any:  # noqa: ANN401
    if copied:
        return sink.add_stream_from_template(old)
    # Before anything is decoded, containers say how many channels there are and not which.
    layout = _LAYOUTS.get(old.channels, old.layout)
    if kind is Kind.WEBM:
        made = sink.add_stream("libopus", rate=48_000, layout=layout)
    else:
        made = sink.add_stream("aac", rate=old.rate, layout=layout)
    made.bit_rate = _SOUND_BITS
    return made
