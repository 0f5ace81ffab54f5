"""A sound: a voice before it, the inaudible mark in it, the label in its tags."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
import numpy as np

from haechi.errors import BrokenMedia, TooManyBytes, TooManyFrames
from haechi.labels.aigc import KEYWORD
from haechi.labels.writing import boxes, hidden, marked, voice, xmp
from haechi.labels.writing.carriers import flac, id3, riff
from haechi.labels.writing.carriers.taken import Taken
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.wanted import Wanted
from haechi.media import Kind, Limits
from haechi.media.sounds import Sound, opened


@dataclass(frozen=True, slots=True)
class _Form:
    """How FFmpeg writes a format, and which of our modules moves its tags; without one, FFmpeg does."""

    muxer: str
    carrier: str
    take: Callable[[bytes], Taken] | None = None
    put: Callable[[bytes, bytes], bytes] | None = None


_FORMS: Mapping[Sound, _Form] = {
    Sound.WAV: _Form("wav", f"riff:{KEYWORD}", riff.take, riff.put),
    Sound.MP3: _Form("mp3", f"id3:TXXX:{KEYWORD}", id3.take, id3.put),
    Sound.FLAC: _Form("flac", f"vorbis:{KEYWORD}", flac.take, flac.put),
    Sound.OGG: _Form("ogg", f"vorbis:{KEYWORD}"),
    Sound.M4A: _Form("ipod", f"keys:{KEYWORD}"),
}
_ENCODERS = {"mp3": "libmp3lame", "opus": "libopus", "vorbis": "libopus", "alac": "alac"}
_OPUS_RATE = 48_000
_LOSSY_BITS = 192_000
_LOSSY = frozenset({"libmp3lame", "libopus", "aac"})


def mark(data: bytes, form: Sound, wanted: Wanted, limits: Limits) -> Marked:
    """Everything `wanted` but the signature. Raises MediaError and LabelError."""
    if len(data) > limits.video_bytes:
        raise TooManyBytes(f"{len(data)} bytes; the limit is {limits.video_bytes}")
    how = _FORMS[form]
    taken = Taken(data) if how.take is None else how.take(data)
    packet = boxes.packet(data, Kind.MP4) if form is Sound.M4A else None
    found = marked.found_in([*taken.labels, *xmp.labels(packet), *_told(data, form)])
    label, says = wanted.after(found), marked.source_of(wanted, found)
    text = label.to_json()
    change = _Change()
    if found is None or wanted.again:
        change = _change(data, replace(wanted, level=label.label), limits)
    if how.put is not None:
        rest = _rewritten(taken.rest, form, change, None, limits) if change else taken.rest
        if change and form is Sound.MP3:  # FFmpeg would lose what it does not know of a tag
            rest = id3.tag_of(taken.rest) + rest
        whole = how.put(rest, text.encode())
    elif change:
        whole = _rewritten(data, form, change, text, limits)
    else:
        whole = _copied(data, form, text)
    if form is Sound.M4A and (packet is not None or says is not None):
        whole += boxes.box(xmp.edited(packet, None, says))
    return Marked(
        whole,
        form.value,
        form.value,
        label,
        found,
        how.carrier,
        spoken=change.spoken,
        sound_marked=change.marker is not None,
        source=says if form is Sound.M4A else None,
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """What is done to the samples: a voice before them, a mark in them. False for nothing."""

    heard: voice.Samples | None = None
    spoken: str = ""
    marker: hidden.Marker | None = None

    def __bool__(self) -> bool:
        return self.heard is not None or self.marker is not None


def _change(data: bytes, wanted: Wanted, limits: Limits) -> _Change:
    heard, spoken = voice.before(wanted) if wanted.visible else (None, "")
    return _Change(heard, spoken, hidden.marking(data, wanted, limits))


def _told(data: bytes, form: Sound) -> list[str]:
    """Labels among the tags that FFmpeg moves."""
    if _FORMS[form].take is not None:
        return []
    with opened(data, form) as (container, stream):
        tags = [*container.metadata.items(), *stream.metadata.items()]
    return [text for key, text in tags if key.upper() == KEYWORD]


@contextmanager
def _sink(out: io.BytesIO, form: Sound, source: Any, label: str | None) -> Iterator[Any]:  # noqa: ANN401
    options = {"movflags": "use_metadata_tags"} if form is Sound.M4A else {}
    options |= {"id3v2_version": "0"} if form is Sound.MP3 else {}
    with av.open(out, mode="w", format=_FORMS[form].muxer, options=options) as sink:
        if form is not Sound.MP3:
            for key, text in {**source.metadata, **source.streams.audio[0].metadata}.items():
                if key.upper() != KEYWORD and key not in _OF_THE_FILE:
                    sink.metadata[key] = text
        if label is not None:
            sink.metadata[KEYWORD] = label
        yield sink


_OF_THE_FILE = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "encoder", "handler_name", "vendor_id"}
    | {"language", "creation_time"}
)


def _copied(data: bytes, form: Sound, label: str) -> bytes:
    """The same packets, with the label among the tags."""
    out = io.BytesIO()
    with opened(data, form) as (source, stream), _sink(out, form, source, label) as sink:
        to = sink.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size and packet.dts is not None:
                packet.stream = to
                sink.mux(packet)
    return out.getvalue()


def _rewritten(
    data: bytes, form: Sound, change: _Change, label: str | None, limits: Limits
) -> bytes:
    """The voice, then the sound, marked and encoded anew; without other loss where the format has none."""
    out = io.BytesIO()
    with opened(data, form) as (source, stream), _sink(out, form, source, label) as sink:
        made = _begun(sink, stream)
        coded, samples = made.codec_context, 0
        resampler = av.AudioResampler(coded.format, coded.layout, coded.rate)
        for frame in _marked(_frames(source, stream, change.heard), change.marker):
            for piece in resampler.resample(frame):
                piece.pts, piece.time_base = samples, Fraction(1, coded.rate)
                samples += piece.samples
                sink.mux(made.encode(piece))
                if samples > limits.video_s * coded.rate:
                    raise TooManyFrames(f"it plays for more than {limits.video_s:g} s")
        sink.mux(made.encode(None))
    return out.getvalue()


def _marked(frames: Iterable[Any], marker: hidden.Marker | None) -> Iterator[Any]:
    """The frames with the mark in them, if there is one. Raises TooShortToMark at their end."""
    for frame in frames:
        if marker is None:
            yield frame
            continue
        yield from marker.end() if frame is None else marker.put(frame)
        if frame is None:
            marker.demand_length()
            yield None


def _frames(source: Any, stream: Any, heard: voice.Samples | None) -> Iterator[Any]:  # noqa: ANN401
    """The voice in the layout and at the rate of the sound, the sound itself, and None for its end."""
    first = next(source.decode(stream), None)
    if first is None:
        raise BrokenMedia("there is no sound in it")
    if heard is not None:
        yield from _fitted(heard, first)
    yield _untimed(first)
    for frame in source.decode(stream):
        yield _untimed(frame)
    yield None


def _fitted(heard: voice.Samples, like: Any) -> Iterator[Any]:  # noqa: ANN401
    mono = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(heard[None]), format="flt", layout="mono"
    )
    mono.rate = voice.RATE
    fit = av.AudioResampler(like.format, like.layout, like.rate)
    for frame in (mono, None):
        yield from (_untimed(piece) for piece in fit.resample(frame))


def _untimed(frame: Any) -> Any:  # noqa: ANN401
    frame.pts = None
    return frame


def _begun(sink: Any, old: Any) -> Any:  # noqa: ANN401
    """A stream like the old one. Vorbis becomes Opus, for which there is a good encoder."""
    codec = old.codec_context.codec.canonical_name
    encoder = _ENCODERS.get(codec, codec)
    rate = _OPUS_RATE if encoder == "libopus" else old.rate
    made = sink.add_stream(encoder, rate=rate, layout=old.layout)
    if encoder in _LOSSY:
        made.bit_rate = max(_LOSSY_BITS, old.bit_rate or 0)
    elif encoder in {"flac", "alac"} and old.format.name.startswith("s32"):
        made.format = "s32" if encoder == "flac" else "s32p"
    return made
