"""What a file is, told from its content and never from its name."""

from enum import StrEnum

from haechi.errors import NotMedia

HEAD_BYTES = 4096
"""`sniff` never looks further than this; 64 bytes are enough for every kind but MPEG-TS."""

_TS_PACKET_BYTES = 188


class Kind(StrEnum):
    """A picture or video format. The value is the usual short name in lower case."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    BMP = "bmp"
    TIFF = "tiff"
    HEIC = "heic"
    AVIF = "avif"
    MP4 = "mp4"
    MOV = "mov"
    WEBM = "webm"
    MKV = "mkv"
    AVI = "avi"
    MPEGTS = "mpegts"

    @property
    def is_video(self) -> bool:
        """True for containers of moving pictures; animated GIF, WebP and AVIF count as pictures."""
        return self in _VIDEO_MIME

    @property
    def mime(self) -> str:
        """The registered media type, as sent in Content-Type."""
        return _VIDEO_MIME.get(self) or f"image/{self.value}"


_VIDEO_MIME = {
    Kind.MP4: "video/mp4",
    Kind.MOV: "video/quicktime",
    Kind.WEBM: "video/webm",
    Kind.MKV: "video/x-matroska",
    Kind.AVI: "video/x-msvideo",
    Kind.MPEGTS: "video/mp2t",
}

_MAGIC = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
    (b"II+\x00", Kind.TIFF),
    (b"MM\x00+", Kind.TIFF),
)

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_STILL_BRANDS = frozenset({b"mif1", b"msf1"})
# Sizes of the BITMAPINFOHEADER family; a bare "BM" begins many an ordinary text.
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def sniff(head: bytes) -> Kind:
    """The kind of the file that begins with `head` (64 bytes or more, or the whole of a short file).

    Only a claim: a file that begins like a PNG may still be broken. Raises NotMedia.
    """
    head = head[:HEAD_BYTES]
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    kind_or_none = _riff(head) or _boxes(head) or _matroska(head) or _bmp(head) or _mpegts(head)
    if kind_or_none is None:
        msg = "the content is no picture or video format that Haechi knows"
        raise NotMedia(msg)
    return kind_or_none


def _riff(head: bytes) -> Kind | None:
    if head[:4] != b"RIFF":
        return None
    return {b"WEBP": Kind.WEBP, b"AVI ": Kind.AVI}.get(head[8:12])


def _boxes(head: bytes) -> Kind | None:
    """ISO base media files (ISO/IEC 14496-12) say what they are in the brands of their first box."""
    if head[4:8] in {b"moov", b"mdat", b"wide"}:
        return Kind.MOV
    if head[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, length - 3, 4)}
    if major in _AVIF_BRANDS or (major in _STILL_BRANDS and compatible & _AVIF_BRANDS):
        return Kind.AVIF
    if major in _HEIC_BRANDS or major in _STILL_BRANDS:
        return Kind.HEIC
    return Kind.MOV if major == b"qt  " else Kind.MP4


def _matroska(head: bytes) -> Kind | None:
    if head[:4] != b"\x1a\x45\xdf\xa3":
        return None
    return Kind.WEBM if b"\x42\x82\x84webm" in head[:64] else Kind.MKV


def _bmp(head: bytes) -> Kind | None:
    if head[:2] != b"BM" or len(head) < 18:
        return None
    return Kind.BMP if int.from_bytes(head[14:18], "little") in _BMP_HEADERS else None


def _mpegts(head: bytes) -> Kind | None:
    """Packets of 188 bytes, each starting with 0x47 (ISO/IEC 13818-1), or 192 with a time stamp."""
    for start, step in ((0, _TS_PACKET_BYTES), (4, _TS_PACKET_BYTES + 4)):
        marks = head[start::step][:5]
        if len(marks) >= 3 and set(marks) == {0x47}:
            return Kind.MPEGTS
    return None
