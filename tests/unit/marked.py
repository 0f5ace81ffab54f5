"""Files with marks as other programs write them: by Pillow and FFmpeg, or byte by byte from the standard."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping

import av
import numpy as np
from PIL import Image, PngImagePlugin

AIGC = {
    "Label": "1",
    "ContentProducer": "001191110102MAD55U9H0F10002",
    "ProduceID": "p-1",
    "ReservedCode1": "",
    "ContentPropagator": "001191110102MAD55U9H0F20002",
    "PropagateID": "q-2",
    "ReservedCode2": "",
}
BARE = json.dumps(AIGC)
WRAPPED = json.dumps({"AIGC": AIGC})
A1111 = (
    "a lighthouse at dusk\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1234, Size: 64x48, Model: dreamy, Version: v1.10.1"
)


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Harmless noise."""
    values = np.random.default_rng(7).integers(0, 255, (height, width, len(mode)), dtype=np.uint8)
    return Image.fromarray(values, mode=None)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """As Pillow writes it."""
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def png(texts: Mapping[str, str], *, kind: str = "tEXt") -> bytes:
    """A PNG with text chunks of one kind."""
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        if kind == "iTXt":
            info.add_itxt(key, value, zip=True)
        else:
            info.add_text(key, value, zip=kind == "zTXt")
    return saved(picture(), "PNG", pnginfo=info)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    plain = saved(picture(), "PNG")
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return plain[:33] + chunk + plain[33:]


def exif(
    tags: Mapping[int, object], *, form: str = "JPEG", size: tuple[int, int] = (64, 48)
) -> bytes:
    """A picture with EXIF as Pillow writes it; tags of the camera stand where they belong."""
    made = Image.Exif()
    for tag, value in tags.items():
        where = made.get_ifd(0x8769) if tag >= 0x8290 and tag != 0x9C9C else made
        where[tag] = value
    return saved(picture(*size), form, exif=made)


def xmp(properties: str) -> bytes:
    """A packet with one description."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f"{properties}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    ).encode()


def aigc_xmp(text: str = BARE) -> bytes:
    """The label as a property of XMP."""
    return xmp(f"<TC260:AIGC>{text.replace('&', '&amp;')}</TC260:AIGC>")


def source_type(word: str) -> bytes:
    """IPTC's word as a property of XMP."""
    return xmp(
        "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/"
        f"{word}</Iptc4xmpExt:DigitalSourceType>"
    )


def jpeg(segment: bytes, *, marker: int = 0xE1) -> bytes:
    """A JPEG with one more segment in front."""
    plain = saved(picture(), "JPEG")
    return (
        plain[:2]
        + bytes([0xFF, marker])
        + struct.pack(">H", len(segment) + 2)
        + segment
        + plain[2:]
    )


def riff(form: bytes, chunks: Mapping[bytes, bytes]) -> bytes:
    """A RIFF file of some chunks."""
    body = form
    for name, content in chunks.items():
        body += name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_with(name: bytes, content: bytes) -> bytes:
    """A WebP with one more chunk at its end."""
    plain = saved(picture(), "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    chunk = name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)
    whole = plain + chunk
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


def gif_with_xmp(packet: bytes) -> bytes:
    """A GIF with the application extension of XMP."""
    plain = saved(picture().convert("P"), "GIF")
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    at = 13 + 3 * 2 ** ((plain[10] & 7) + 1)
    return plain[:at] + b"\x21\xff\x0bXMP DataXMP" + packet + trailer + plain[at:]


def id3(key: str, value: str, *, version: int = 3) -> bytes:
    """An ID3 tag with one frame, UTF-16 in 2.3 and UTF-8 in 2.4."""
    body = (
        b"\x01" + key.encode("utf-16") + b"\0\0" + value.encode("utf-16")
        if version == 3
        else b"\x03" + key.encode() + b"\0" + value.encode()
    )
    size = len(body)
    length = struct.pack(">I", size) if version == 3 else _synchsafe(size)
    frame = b"TXXX" + length + b"\0\0" + body
    return b"ID3" + bytes([version, 0, 0]) + _synchsafe(len(frame)) + frame


def _synchsafe(size: int) -> bytes:
    return bytes([size >> shift & 0x7F for shift in (21, 14, 7, 0)])


def film(form: str, codec: str, texts: Mapping[str, str], **options: str) -> bytes:
    """Three frames, as FFmpeg writes them."""
    out = io.BytesIO()
    with av.open(out, "w", format=form, options=options) as container:
        container.metadata.update(texts)
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"  # type: ignore[attr-defined]
        for level in range(3):
            frame = av.VideoFrame.from_ndarray(
                np.full((48, 64, 3), level * 60, np.uint8), format="rgb24"
            )
            container.mux(stream.encode(frame))  # type: ignore[attr-defined]
        container.mux(stream.encode())  # type: ignore[attr-defined]
    return out.getvalue()


def sound(form: str, codec: str, layout: str, texts: Mapping[str, str], **options: str) -> bytes:
    """A moment of silence, as FFmpeg writes it; `layout` is the codec's form of samples."""
    kinds = {"s16": np.int16, "s16p": np.int16, "fltp": np.float32, "flt": np.float32}
    out = io.BytesIO()
    with av.open(out, "w", format=form, options=options) as container:
        container.metadata.update(texts)
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 1152), kinds[layout]), format=layout, layout="mono"
        )
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux(stream.encode(frame))  # type: ignore[attr-defined]
        container.mux(stream.encode())  # type: ignore[attr-defined]
    return out.getvalue()


def ooxml(name: str, value: str) -> bytes:
    """A Word file with one custom property."""
    custom = (
        '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" '
        'xmlns:vt="http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes">'
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="2" name="{name}">'
        f"<vt:lpwstr>{value}</vt:lpwstr></property></Properties>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("docProps/custom.xml", custom)
    return out.getvalue()


def stealth(text: str) -> bytes:
    """Settings in the lowest bit of the alpha channel, packed, column by column (NovelAI's way)."""
    packed = zlib.compressobj(wbits=31)
    body = packed.compress(text.encode()) + packed.flush()
    message = b"stealth_pngcomp" + struct.pack(">I", len(body) * 8) + body
    bits = np.unpackbits(np.frombuffer(message, np.uint8))
    width = len(bits) // 64 + 8
    values = np.full((64, width, 4), 254, np.uint8)
    column = values[:, :, 3].T.ravel()
    column[: len(bits)] |= bits
    values[:, :, 3] = column.reshape(width, 64).T
    return saved(Image.fromarray(values), "PNG")


def contradicting() -> bytes:
    """Camera data, settings of a program that makes pictures, and a label that lacks fields."""
    tags = {0x010F: "Canon", 0x0110: "EOS R5", 0x829A: 0.01, 0x829D: 2.8, 0x8827: 100}
    plain = exif({**tags, 0x9286: b"ASCII\0\0\0" + A1111.encode()})
    segment = XMP_HEAD + aigc_xmp('{"Label":"1","ContentProducer":"001191110102MAD55U9H0F10002"}')
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]


XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"
# Every carrier of gb45438.json, and what makes a file with it.
CARRIERS: Mapping[str, Callable[[], bytes]] = {
    "jpeg xmp": lambda: jpeg(XMP_HEAD + aigc_xmp()),
    "jpeg exif": lambda: exif({0x9286: b"ASCII\0\0\0" + WRAPPED.encode()}),
    "png xmp": lambda: png({"XML:com.adobe.xmp": aigc_xmp().decode()}, kind="iTXt"),
    "png tEXt": lambda: png({"AIGC": BARE}),
    "png zTXt": lambda: png({"AIGC": WRAPPED}, kind="zTXt"),
    "webp xmp": lambda: webp_with(b"XMP ", aigc_xmp()),
    "tiff xmp": lambda: saved(picture(), "TIFF", tiffinfo={700: aigc_xmp()}),
    "gif xmp": lambda: gif_with_xmp(aigc_xmp()),
    "mp4 keys": lambda: film("mp4", "libx264", {"AIGC": BARE}, movflags="use_metadata_tags"),
    "mov keys": lambda: film("mov", "libx264", {"AIGC": BARE}, movflags="use_metadata_tags"),
    "mkv tag": lambda: film("matroska", "libx264", {"AIGC": BARE}),
    "webm tag": lambda: film("webm", "libvpx-vp9", {"AIGC": BARE}),
    "flv onMetaData": lambda: film("flv", "flv", {"AIGC": BARE}),
    "avi info": lambda: riff(
        b"AVI ", {b"LIST": b"INFO" + b"AIGC" + struct.pack("<I", len(BARE)) + BARE.encode()}
    ),
    "mp3 id3v2.3": lambda: id3("AIGC", BARE) + b"\xff\xfb\x90\0",
    "mp3 id3v2.4": lambda: id3("AIGC", BARE, version=4) + b"\xff\xfb\x90\0",
    "mp3 ffmpeg": lambda: sound("mp3", "libmp3lame", "fltp", {"AIGC": BARE}),
    "wav chunk": lambda: riff(b"WAVE", {b"fmt ": bytes(16), b"AIGC": BARE.encode()}),
    "wav info": lambda: riff(
        b"WAVE", {b"LIST": b"INFO" + b"AIGC" + struct.pack("<I", len(BARE)) + BARE.encode()}
    ),
    "flac": lambda: sound("flac", "flac", "s16", {"AIGC": BARE}),
    "ogg": lambda: sound("ogg", "libopus", "flt", {"AIGC": BARE}),
    "m4a": lambda: sound("ipod", "aac", "fltp", {"AIGC": BARE}, movflags="use_metadata_tags"),
    "pdf info": lambda: b"%PDF-1.7\n1 0 obj\n<< /AIGC (" + BARE.encode() + b") >>\nendobj\n",
    "docx property": lambda: ooxml("AIGC", BARE.replace('"', "&quot;")),
    "markdown": f"---\ntitle: x\nAIGC: '{BARE}'\n---\n# Text\n".encode,
    "markdown lines": (
        "---\nAIGC:\n"
        + "".join(f'    {key}: "{value}"\n' for key, value in AIGC.items())
        + "---\nText\n"
    ).encode,
}
