"""Opening sound without pictures, which is no `Kind`: what it is, is told here from its content."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NoReturn

import av

from haechi.errors import BrokenMedia, HaechiError, UnsupportedMedia


class Sound(StrEnum):
    """A format of sound; the value is its media type."""

    WAV = "audio/wav"
    MP3 = "audio/mpeg"
    FLAC = "audio/flac"
    OGG = "audio/ogg"
    M4A = "audio/mp4"


DEMUXERS: Mapping[Sound, str] = {
    Sound.WAV: "wav",
    Sound.MP3: "mp3",
    Sound.FLAC: "flac",
    Sound.OGG: "ogg",
    Sound.M4A: "mov",
}
DECODERS = frozenset(
    {"mp3", "mp3float", "flac", "vorbis", "opus", "libopus", "aac", "alac"}
    | {"pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_u8", "pcm_f32le"}
)
IN_FILMS = DECODERS | {"ac3", "eac3", "mp2", "mp2float", "wmav2", "pcm_s16be"}
"""What the sound of films is coded in beside these."""

BRANDS = frozenset({b"M4A ", b"M4B "})
"""Bytes 8 to 11 of an MP4 that says it is sound alone."""


def sniff(data: bytes) -> Sound | None:
    """What format of sound this is; None for everything else, MP4 with sound alone included."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return Sound.WAV
    if data[:4] == b"OggS":
        return Sound.OGG
    start = 0
    if data[:3] == b"ID3":
        start = _after_id3(data)
    if data[start : start + 4] == b"fLaC":
        return Sound.FLAC
    head = data[start : start + 4]
    # Eleven bits set, a version and a layer that exist: a frame of MPEG audio, layer III.
    frame = len(head) == 4 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08
    return Sound.MP3 if start or frame else None


def _after_id3(data: bytes) -> int:
    """How many bytes the tag at the start takes, as it says (seven bits in each of four bytes)."""
    length = 0
    for byte in data[6:10]:
        length = length << 7 | (byte & 0x7F)
    return 10 + length


@contextmanager
def opened(data: bytes, form: Sound) -> Iterator[tuple[Any, Any]]:
    """The container and its first stream of sound; what a file names outside itself stays closed."""
    options = {
        "codec_whitelist": ",".join(sorted(DECODERS)),
        "format_whitelist": "wav,mp3,flac,ogg,mov,mp4,m4a,3gp,3g2,mj2",
        "protocol_whitelist": "none",
        "enable_drefs": "0",
    }
    try:
        with av.open(
            io.BytesIO(data), format=DEMUXERS[form], options=options, io_open=_refuse
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
