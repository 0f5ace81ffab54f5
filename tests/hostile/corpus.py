"""Sound files of every kind that is opened, and what is done to them to break decoders.

Everything is made here from numbers: a file of the corpus depends on its number alone.
"""

import io
import random
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from PIL import Image
from tests.unit.videos_made import CONTAINERS, encoded, heic, pan


@cache
def pictures() -> tuple[bytes, ...]:
    """Small good still pictures and animations of every kind and mode that is opened, HEIC beside."""
    y, x = np.mgrid[0:24, 0:32]
    rgb = np.dstack([x * 8, y * 10, (x * y) % 256]).astype(np.uint8)
    picture = Image.fromarray(rgb)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "words"
    frames = [picture.rotate(90 * k) for k in range(1, 3)]
    made: list[tuple[Image.Image, str, dict[str, object]]] = [
        (picture, "JPEG", {"exif": exif}),
        (picture, "JPEG", {"progressive": True}),
        (picture.convert("CMYK"), "JPEG", {}),
        (picture.convert("L"), "JPEG", {}),
        (picture, "PNG", {}),
        (picture.convert("P"), "PNG", {"transparency": 3}),
        (picture.convert("RGBA"), "PNG", {"exif": exif}),
        (Image.fromarray((x * 2000).astype(np.uint16)), "PNG", {}),
        (picture, "WEBP", {}),
        (picture, "WEBP", {"lossless": True}),
        (picture, "WEBP", {"save_all": True, "append_images": frames}),
        (picture, "AVIF", {}),
        (picture.convert("P"), "GIF", {"save_all": True, "append_images": frames}),
        (picture, "BMP", {}),
        (picture.convert("1"), "BMP", {}),
        (picture, "TIFF", {}),
        (picture, "TIFF", {"compression": "tiff_lzw"}),
        (picture, "TIFF", {"compression": "tiff_adobe_deflate"}),
        (picture, "TIFF", {"compression": "jpeg"}),
        (picture.convert("CMYK"), "TIFF", {}),
    ]
    return tuple(_saved(image, form, options) for image, form, options in made)


def _saved(image: Image.Image, form: str, options: dict[str, object]) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


@cache
def videos() -> tuple[bytes, ...]:
    """A short film in every container, several codecs, and a HEIC."""
    short = list(pan(count=12, side=64))  # x265 corrupts memory at 48
    return (
        *(encoded(short, form) for form in CONTAINERS),
        encoded(short, "mp4", codec="libx265", **{"x265-params": "log-level=none"}),
        encoded(short, "mp4", codec="mpeg4"),
        encoded(short, "mkv", codec="mjpeg", pix_fmt="yuvj420p"),
        encoded(short, "mkv", codec="ffv1"),
        encoded(short, "ts", codec="mpeg2video"),
        encoded(short, "webm", codec="libvpx"),
        encoded(short[:3], "mp4", movflags="frag_keyframe+empty_moov"),
        encoded(short, "mov", rotation=90),
        heic(np.ascontiguousarray(short[0])),
        heic(np.ascontiguousarray(short[0]), turns=1),
    )


def flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 12)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def set_extremes(data: bytearray, chance: random.Random) -> None:
    """Lengths, sizes and offsets become the numbers that overflow."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(1, min(len(data), 400)))
        value = chance.choice(
            [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0"]
        )
        data[at : at + len(value)] = value


def cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def drop_middle(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, 64)]


def repeat_part(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    part = bytes(data[start : start + chance.randint(1, 200)])
    data[start:start] = part * chance.randint(1, 40)


def overwrite(data: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(data))
    length = min(chance.randint(1, 64), len(data) - start)
    data[start : start + length] = chance.randbytes(length)


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    flip_bits,
    set_extremes,
    cut,
    drop_middle,
    repeat_part,
    overwrite,
]


def mutated(good: bytes, chance: random.Random) -> bytearray:
    """One to three harms to a file that was sound."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 3)):
        if data:
            chance.choice(MUTATIONS)(data, chance)
    return data


@cache
def everything() -> tuple[bytes, ...]:
    """Every seed: still, animated, HEIC, AVIF, and films of all containers."""
    return (*pictures(), *videos())


def harmed(number: int, good: Sequence[bytes]) -> bytes:
    """File `number` of the corpus made from `good`, which takes turns."""
    chance = random.Random(number)  # noqa: S311 - repeatable, not secret
    data = mutated(good[number % len(good)], chance)
    if chance.random() < 0.05:
        data += chance.choice(good)
    return bytes(data)
