"""A sound: a voice before it, the label in its tags.

Sound without pictures is no kind of `haechi.media`; what it is, is told here from its content. There is
no invisible watermark for sound: a trace id that was asked for is not written, and the marks show it.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any, NoReturn

import av
import numpy as np

from haechi.errors import (
    BrokenMedia,
    HaechiError,
    TooManyBytes,
    TooManyFrames,
    UnsupportedMedia,
)
from haechi.labels.aigc import KEYWORD
from haechi.labels.writing import boxes, marked, voice, xmp
from haechi.labels.writing.carriers import flac, id3, riff
from haechi.labels.writing.carriers.taken import Taken
from haechi.labels.writing.marked import Marked
from haechi.labels.writing.wanted import Wanted
from haechi.media import Kind, Limits


class Sound(StrEnum):
    """A format of sound; the value is its media type."""

    WAV = "audio/wav"
    MP3 = "audio/mpeg"
    FLAC = "audio/flac"
    OGG = "audio/ogg"
    M4A = "audio/mp4"


@dataclass(frozen=True, slots=True)
class _Form:
    """How FFmpeg calls a format, and which of our modules moves its tags; without one, FFmpeg does."""

    demuxer: str
    muxer: str
    carrier: str
    take: Callable[[bytes], Taken] | None = None
    put: Callable[[bytes, bytes], bytes] | None = None


_FORMS: Mapping[Sound, _Form] = {
    Sound.WAV: _Form("wav", "wav", f"riff:{KEYWORD}", riff.take, riff.put),
    Sound.MP3: _Form("mp3", "mp3", f"id3:TXXX:{KEYWORD}", id3.take, id3.put),
    Sound.FLAC: _Form("flac", "flac", f"vorbis:{KEYWORD}", flac.take, flac.put),
    Sound.OGG: _Form("ogg", "ogg", f"vorbis:{KEYWORD}"),
    Sound.M4A: _Form("mov", "ipod", f"keys:{KEYWORD}"),
}
_DECODERS = (
    "mp3,mp3float,flac,vorbis,opus,libopus,aac,alac,pcm_s16le,pcm_s24le,pcm_s32le,pcm_u8,pcm_f32le"
)
_ENCODERS = {"mp3": "libmp3lame", "opus": "libopus", "vorbis": "libopus", "alac": "alac"}
_OPUS_RATE = 48_000
_LOSSY_BITS = 192_000
_LOSSY = frozenset({"libmp3lame", "libopus", "aac"})


def sniff(data: bytes) -> Sound | None:
    """What format of sound this is; None for everything else, MP4 with sound alone included."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return Sound.WAV
    if data[:4] == b"OggS":
        return Sound.OGG
    start = 0
    if data[:3] == b"ID3":
        start = id3.length(data)
    if data[start : start + 4] == b"fLaC":
        return Sound.FLAC
    head = data[start : start + 4]
    # Eleven bits set, a version and a layer that exist: a frame of MPEG audio, layer III.
    frame = len(head) == 4 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08
    return Sound.MP3 if start or frame else None


def mark(data: bytes, form: Sound, wanted: Wanted, limits: Limits) -> Marked:
    """Everything `wanted` but signature and watermark. Raises MediaError and LabelError."""
    if len(data) > limits.video_bytes:
        raise TooManyBytes(f"{len(data)} bytes; the limit is {limits.video_bytes}")
    how = _FORMS[form]
    taken = Taken(data) if how.take is None else how.take(data)
    packet = boxes.packet(data, Kind.MP4) if form is Sound.M4A else None
    found = marked.found_in([*taken.labels, *xmp.labels(packet), *_told(data, form)])
    label, says = wanted.after(found), marked.source_of(wanted, found)
    text = label.to_json()
    heard, spoken = None, ""
    if wanted.visible and (found is None or wanted.again):
        heard, spoken = voice.before(replace(wanted, level=label.label))
    if how.put is not None:
        rest = taken.rest if heard is None else _spoken(taken.rest, form, heard, None, limits)
        if (
            heard is not None and form is Sound.MP3
        ):  # FFmpeg would lose what it does not know of a tag
            rest = id3.tag_of(taken.rest) + rest
        whole = how.put(rest, text.encode())
    elif heard is not None:
        whole = _spoken(data, form, heard, text, limits)
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
        spoken=spoken,
        source=says if form is Sound.M4A else None,
    )


def _told(data: bytes, form: Sound) -> list[str]:
    """Labels among the tags that FFmpeg moves."""
    if _FORMS[form].take is not None:
        return []
    with _source(data, form) as (container, stream):
        tags = [*container.metadata.items(), *stream.metadata.items()]
    return [text for key, text in tags if key.upper() == KEYWORD]


@contextmanager
def _source(data: bytes, form: Sound) -> Iterator[tuple[Any, Any]]:
    """The container and its first stream of sound; what a file names outside itself stays closed."""
    options = {
        "codec_whitelist": _DECODERS,
        "format_whitelist": "wav,mp3,flac,ogg,mov,mp4,m4a,3gp,3g2,mj2",
        "protocol_whitelist": "none",
        "enable_drefs": "0",
    }
    try:
        with av.open(
            io.BytesIO(data), format=_FORMS[form].demuxer, options=options, io_open=_refuse
        ) as container:
            yield container, _chosen(container)
    except HaechiError:
        raise
    except Exception as error:  # PyAV raises OSError, ValueError and classes of its own
        raise BrokenMedia(f"{form.value} cannot be read: {type(error).__name__}") from error


def _chosen(container: Any) -> Any:  # noqa: ANN401
    streams = container.streams.audio
    if not streams or streams[0].codec_context is None:
        raise UnsupportedMedia("there is no sound in it that is opened here")
    return streams[0]


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:  # noqa: ARG001 - PyAV's
    raise PermissionError("a sound may not open anything")


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
    with _source(data, form) as (source, stream), _sink(out, form, source, label) as sink:
        to = sink.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size and packet.dts is not None:
                packet.stream = to
                sink.mux(packet)
    return out.getvalue()


def _spoken(
    data: bytes, form: Sound, heard: voice.Samples, label: str | None, limits: Limits
) -> bytes:
    """The voice, then the sound, encoded anew; without loss where the format has none."""
    out = io.BytesIO()
    with _source(data, form) as (source, stream), _sink(out, form, source, label) as sink:
        made = _begun(sink, stream)
        coded, samples = made.codec_context, 0
        resampler = av.AudioResampler(coded.format, coded.layout, coded.rate)
        for frame in _frames(source, stream, heard):
            for piece in resampler.resample(frame):
                piece.pts, piece.time_base = samples, Fraction(1, coded.rate)
                samples += piece.samples
                sink.mux(made.encode(piece))
                if samples > limits.video_s * coded.rate:
                    raise TooManyFrames(f"it plays for more than {limits.video_s:g} s")
        sink.mux(made.encode(None))
    return out.getvalue()


def _frames(source: Any, stream: Any, heard: voice.Samples) -> Iterator[Any]:  # noqa: ANN401
    """The voice in the layout and at the rate of the sound, the sound itself, and None for its end."""
    mono = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(heard[None]), format="flt", layout="mono"
    )
    mono.rate = voice.RATE
    first = next(source.decode(stream), None)
    if first is None:
        raise BrokenMedia("there is no sound in it")
    fit = av.AudioResampler(first.format, first.layout, first.rate)
    for frame in (mono, None):
        yield from (_untimed(piece) for piece in fit.resample(frame))
    yield _untimed(first)
    for frame in source.decode(stream):
        yield _untimed(frame)
    yield None


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
