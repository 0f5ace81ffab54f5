"""Small harmless videos and HEIC pictures, made where they are needed."""

import io
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data as shipped

Rgb = NDArray[np.uint8]

CONTAINERS = {
    "mp4": ("mp4", "libx264"),
    "mov": ("mov", "libx264"),
    "webm": ("webm", "libvpx-vp9"),
    "mkv": ("matroska", "libx264"),
    "avi": ("avi", "mpeg4"),
    "ts": ("mpegts", "libx264"),
}


def encoded(
    pictures: Iterable[Rgb],
    form: str = "mp4",
    *,
    codec: str | None = None,
    rate: int = 25,
    pts: Sequence[int] | None = None,
    pix_fmt: str = "yuv420p",
    rotation: int = 0,
    aspect: Fraction | None = None,
    **options: str,
) -> bytes:
    """A video file of uint8 (h, w, 3) pictures; `pts` in frames, else one after another."""
    out = io.BytesIO()
    container_name, usual = CONTAINERS[form]
    with av.open(out, "w", format=container_name) as container:
        stream = container.add_stream(codec or usual, rate=rate)
        stream.pix_fmt = pix_fmt
        quick = {"preset": "ultrafast"} if "x264" in stream.codec_context.name else {}
        quick |= {"deadline": "realtime", "cpu-used": "8"} if "vp" in (codec or usual) else {}
        stream.options = {**quick, **options}
        begun = False
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if not begun:
                stream.width, stream.height = frame.width, frame.height
                if aspect is not None:
                    stream.codec_context.sample_aspect_ratio = aspect
                if rotation:
                    stream.set_display_rotation(rotation)
                begun = True
            frame.pts = number if pts is None else pts[number]
            frame.time_base = Fraction(1, rate)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return out.getvalue()


def pan(start: int = 0, count: int = 50, side: int = 96, photo: str = "astronaut") -> Iterator[Rgb]:
    """A camera that moves over a photograph, `count` frames from the frame `start` on."""
    picture = getattr(shipped, photo)()
    height, width = picture.shape[:2]
    part = min(height, width) * 6 // 10
    for number in range(start, start + count):
        turn = number / 40
        left = int((width - part) * (0.5 + 0.5 * np.sin(turn)))
        top = int((height - part) * (0.5 + 0.5 * np.cos(0.7 * turn)))
        cut = picture[top : top + part, left : left + part]
        yield np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def clip_of(path: Path, start_s: float, length_s: float) -> Iterator[Rgb]:
    """The frames of a file from `start_s` on, as uint8 (h, w, 3)."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if start_s <= frame.time < start_s + length_s:
                yield frame.to_ndarray(format="rgb24")


def heic(rgb: Rgb, *, turns: int = 0) -> bytes:
    """A HEIC file of one picture, `turns` quarter turns anticlockwise in its `irot` (ISO 23008-12).

    No HEIC encoder is installed, so an HEVC key frame from a video is put into boxes by hand.
    """
    film = encoded([rgb], "mp4", codec="libx265", **{"x265-params": "log-level=none:keyint=1"})
    with av.open(io.BytesIO(film)) as container:
        stream = container.streams.video[0]
        config = bytes(stream.codec_context.extradata or b"")
        sample = next(bytes(packet) for packet in container.demux(stream) if packet.size)
    height, width = rgb.shape[:2]
    properties = [
        _box(b"hvcC", config),
        _box(b"ispe", bytes(4) + width.to_bytes(4, "big") + height.to_bytes(4, "big")),
        *([_box(b"irot", bytes([turns]))] if turns else []),
    ]
    links = bytes([len(properties)]) + bytes(
        0x80 | number for number in range(1, len(properties) + 1)
    )
    described = _box(b"ipco", b"".join(properties)) + _box(
        b"ipma", bytes(4) + b"\0\0\0\1" + b"\0\1" + links
    )
    entry = _box(b"infe", b"\2\0\0\0" + b"\0\1\0\0" + b"hvc1" + b"picture\0")

    def meta(offset: int) -> bytes:
        place = b"\0\1" + b"\0\0" + b"\0\1" + offset.to_bytes(4, "big")
        return _box(
            b"meta",
            bytes(4)
            + _box(b"hdlr", bytes(8) + b"pict" + bytes(13))
            + _box(b"pitm", bytes(4) + b"\0\1")
            + _box(b"iloc", bytes(4) + b"\x44\0" + b"\0\1" + place + len(sample).to_bytes(4, "big"))
            + _box(b"iinf", bytes(4) + b"\0\1" + entry)
            + _box(b"iprp", described),
        )

    head = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", sample)


def _box(name: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + name + content
