"""Files made to break decoders break nothing: one of our errors, in time, or a picture.

A few hundred files of the corpus run here; `make hostile` runs 20,000 of every kind (whole.py).
"""

import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.hostile.corpus import harmed, pictures

from haechi.errors import MediaError
from haechi.media import Kind, Limits, Picture, Sandbox, decode, sniff

FILES = 400
BATCH = 50
TIGHT = Limits(pixels=4_000_000, seconds=5.0, jobs=500)


def corpus(start: int, count: int) -> Iterator[bytes]:
    """Files number start to start + count; each depends on its number alone."""
    return (harmed(number, pictures()) for number in range(start, start + count))


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
    kinds = {decode(data).kind for data in pictures()}
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
    good = pictures()
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
