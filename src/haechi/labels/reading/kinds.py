"""What a file is, told from its content: pictures and films by `haechi.media`, and what else bears labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from haechi.errors import NotMedia
from haechi.labels.reading import (
    boxes,
    documents,
    exif,
    flv,
    gif,
    id3,
    jpeg,
    matroska,
    png,
    riff,
    vorbis,
)
from haechi.labels.reading.haul import Haul
from haechi.media import Kind, sniff, sounds

type Reader = Callable[[bytes, Haul], None]


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind of file is called, and who reads its metadata; None where there is none to read.

    kind  of a picture or film; None for sound and documents, which have no pixels
    """

    media_type: str
    reader: Reader | None
    kind: Kind | None = None

    @property
    def is_heard(self) -> bool:
        """Whether it is a sound or a film, as far as such are opened."""
        if self.kind is None:
            return self.media_type.startswith("audio/")
        return self.kind.is_video


def _tiff(data: bytes, haul: Haul) -> None:
    exif.read(data, "tiff", haul, tiff=True)


def _mp3(data: bytes, haul: Haul) -> None:
    id3.read(data, haul)


_READERS: Mapping[Kind, Reader] = {
    Kind.JPEG: jpeg.read,
    Kind.PNG: png.read,
    Kind.WEBP: riff.read,
    Kind.AVI: riff.read,
    Kind.GIF: gif.read,
    Kind.TIFF: _tiff,
    Kind.HEIC: boxes.read,
    Kind.AVIF: boxes.read,
    Kind.MP4: boxes.read,
    Kind.MOV: boxes.read,
    Kind.MKV: matroska.read,
    Kind.WEBM: matroska.read,
}


def form_of(data: bytes) -> Form:
    """The form of the file that `data` is. Raises NotMedia."""
    try:
        kind = sniff(data)
    except NotMedia:
        found = _other(data)
        if found is None:
            raise
        return found
    if kind is Kind.MP4 and data[8:12] in sounds.BRANDS:
        return Form("audio/mp4", boxes.read)
    return Form(kind.mime, _READERS.get(kind), kind)


def _other(data: bytes) -> Form | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return Form("audio/wav", riff.read)
    if data[:4] == b"fLaC" or (data[:3] == b"ID3" and _after_id3(data) == b"fLaC"):
        return Form("audio/flac", vorbis.flac)
    if data[:4] == b"OggS":
        return Form("audio/ogg", vorbis.ogg)
    if data[:3] == b"ID3" or _is_mpeg_audio(data):
        return Form("audio/mpeg", _mp3)
    if data[:4] == b"FLV\x01":
        return Form("video/x-flv", flv.read)
    if data[:5] == b"%PDF-":
        return Form("application/pdf", documents.pdf)
    if data[:4] == b"PK\x03\x04" and b"[Content_Types].xml" in data:
        return Form("application/vnd.openxmlformats-officedocument", documents.ooxml)
    if data[:4] in {b"---\n", b"---\r"} and b"AIGC" in data[:65_536]:
        return Form("text/markdown", documents.markdown)
    return None


def _after_id3(data: bytes) -> bytes:
    length = 0
    for byte in data[6:10]:
        length = length << 7 | (byte & 0x7F)
    return data[10 + length : 14 + length]


def _is_mpeg_audio(data: bytes) -> bool:
    """Two frames of layer III in a row; one alone could be anything (ISO/IEC 11172-3)."""
    first = _frame_bytes(data[:4])
    return first > 0 and _frame_bytes(data[first : first + 4]) > 0


_RATES_KBIT = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_LOW_RATES_KBIT = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_HERTZ = (44_100, 48_000, 32_000, 0)


def _frame_bytes(head: bytes) -> int:
    """Length of a frame of MPEG 1 or 2, layer III; 0 for what is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version = head[1] >> 3 & 3
    hertz = _HERTZ[head[2] >> 2 & 3] >> {3: 0, 2: 1, 0: 2}.get(version, 9)
    rate = (_RATES_KBIT if version == 3 else _LOW_RATES_KBIT)[head[2] >> 4]
    if not hertz or not rate or version == 1:
        return 0
    return (144_000 if version == 3 else 72_000) * rate // hertz + (head[2] >> 1 & 1)
