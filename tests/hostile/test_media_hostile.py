"""Files made to break decoders break nothing: one of our errors, in time, or a picture.

The corpus is made here from seeds. HAECHI_HOSTILE_FILES raises the number of files (20,000 is the
release check: about a minute on two cores); without it a few hundred run.
"""

import io
import os
import random
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from haechi.errors import MediaError
from haechi.media import Kind, Limits, Picture, Sandbox, decode, sniff

FILES = int(os.environ.get("HAECHI_HOSTILE_FILES", "400"))
BATCH = 50
TIGHT = Limits(pixels=4_000_000, seconds=5.0, jobs=500)


def seeds() -> list[bytes]:
    """Small good files of every kind and mode that is opened."""
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
    return [_saved(image, form, options) for image, form, options in made]


def _saved(image: Image.Image, form: str, options: dict[str, object]) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


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


def corpus(start: int, count: int) -> Iterator[bytes]:
    """Files number start to start + count; each depends on its number alone."""
    good = seeds()
    for number in range(start, start + count):
        chance = random.Random(number)  # noqa: S311 - repeatable, not secret
        data = mutated(good[number % len(good)], chance)
        if chance.random() < 0.05:
            data += chance.choice(good)
        yield bytes(data)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(2, TIGHT) as made:
        yield made


def outcome(sandbox: Sandbox, data: bytes) -> str:
    """The code of the error, or "picture". Anything else is raised."""
    try:
        picture: Picture = sandbox.run(decode, data, limits=TIGHT)
    except MediaError as error:
        return error.code
    assert picture.rgb.dtype == np.uint8
    assert picture.rgb.shape == (picture.height, picture.width, 3)
    assert picture.rgb.size <= TIGHT.pixels * 3
    return "picture"


@pytest.mark.parametrize("start", range(0, FILES, BATCH))
def test_mutated_files_give_a_picture_or_our_error(sandbox: Sandbox, start: int) -> None:
    """No crash and no hang either: those would be bugs in a decoder that somebody must look at."""
    files = list(corpus(start, min(BATCH, FILES - start)))
    with ThreadPoolExecutor(2) as threads:
        outcomes = Counter(threads.map(lambda data: outcome(sandbox, data), files))
    assert sum(outcomes.values()) == len(files)
    assert not outcomes.keys() & {"media.crashed", "media.timeout"}, outcomes


def test_mutated_files_in_this_process_too() -> None:
    """`decode` by itself raises nothing but MediaError and lets no warning out."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcomes: Counter[str] = Counter()
        for data in corpus(1_000_000, 200):
            try:
                decode(data, limits=TIGHT)
                outcomes["picture"] += 1
            except MediaError as error:
                outcomes[error.code] += 1
    assert outcomes["picture"] > 20
    assert outcomes["media.broken"] > 50


def test_the_seeds_themselves_are_good() -> None:
    """If the seeds did not open, the corpus would test nothing."""
    kinds = {decode(data).kind for data in seeds()}
    assert kinds == {kind for kind in Kind if not kind.is_video} - {Kind.HEIC}


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + b"\xff\xff\xff\xff" * 2 + b"\x08\x02\0\0\0",
        b"GIF89a\xff\xff\xff\xff\x80\0\0" + b"\0" * 6 + b",\0\0\0\0\xff\xff\xff\xff\0\x08\x01\0;",
        b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\xff\xff\xff\xff" + bytes(40),
        b"RIFF\x1e\0\0\0WEBPVP8L\x0a\0\0\0/" + b"\xff\xff\xff\xff" + bytes(40),
        b"BM"
        + bytes(8)
        + b"\x36\0\0\0\x28\0\0\0"
        + b"\xff\xff\xff\x7f" * 2
        + b"\x01\0\x18\0"
        + bytes(40),
    ],
    ids=["png", "gif", "webp", "webp lossless", "bmp"],
)
def test_bombs_cost_no_memory(data: bytes) -> None:
    """A gigabyte would be needed for the pixels; the process may not have it."""
    with Sandbox(1, Limits(memory_bytes=700 << 20)) as small, pytest.raises(MediaError) as raised:
        small.run(decode, data)
    assert raised.value.code in {"media.too_many_pixels", "media.broken"}


def test_good_files_pass_while_bad_ones_are_thrown_out(sandbox: Sandbox) -> None:
    """Many threads, good and bad files mixed: every good file gets its own picture."""
    good = seeds()
    bad = list(corpus(2_000_000, 40))
    shown: list[Kind] = []
    lock = threading.Lock()

    def show(data: bytes) -> None:
        picture = sandbox.run(decode, data)
        assert picture.kind is sniff(data)
        with lock:
            shown.append(picture.kind)

    with ThreadPoolExecutor(6) as threads:
        wanted = [threads.submit(show, data) for data in good]
        others = [threads.submit(outcome, sandbox, data) for data in bad]
    for future in (*wanted, *others):
        future.result()
    assert len(shown) == len(good)
