"""The invisible mark: put into pictures, read from what people make of them."""

import functools
import re

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data as shipped

from haechi.errors import PayloadRefused, TooSmallToMark
from haechi.evaluation import edits
from haechi.evaluation.studio import recompressed, scaled
from haechi.labels import watermark
from haechi.labels.watermark import code, demodulating, detecting

Rgb = NDArray[np.uint8]

KEY = b"a key that nobody uses elsewhere"
ID = 0x5EED_C0FF_EE01


@functools.cache
def photo(side: int = 640) -> Rgb:
    """A megapixel would say no more and take longer."""
    return np.asarray(cv2.resize(shipped.astronaut(), (side, side), interpolation=cv2.INTER_CUBIC))


@functools.cache
def marked() -> Rgb:
    return watermark.embed(photo(), ID, key=KEY)


def psnr_db(one: Rgb, other: Rgb) -> float:
    return float(10 * np.log10(255**2 / np.mean(np.square(one.astype(float) - other))))


def test_the_mark_is_not_seen_and_always_the_same() -> None:
    assert 40 <= psnr_db(photo(), marked()) < 40.1  # All that may be spent is spent.
    assert np.array_equal(watermark.embed(photo(), ID, key=KEY), marked())
    assert marked().shape == photo().shape


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_stay_within_their_limits(level: int) -> None:
    """Clipping must not wrap around."""
    flat = np.full((300, 400, 3), level, np.uint8)
    assert psnr_db(flat, watermark.embed(flat, ID, key=KEY)) >= 40


def darker(rgb: Rgb) -> Rgb:
    return (rgb * 0.8).astype(np.uint8)


def brighter(rgb: Rgb) -> Rgb:
    return np.clip(rgb * 1.2, 0, 255).astype(np.uint8)


def messenger(rgb: Rgb) -> Rgb:
    return recompressed(scaled(recompressed(rgb, 70), 0.75), 60)


def messengers(rgb: Rgb) -> Rgb:
    """Three, each smaller than the last; the mark's finest wave is then three pixels long."""
    for factor, quality in ((0.8, 70), (0.85, 65), (0.85, 60)):
        rgb = recompressed(scaled(rgb, factor), quality)
    return rgb


def odd(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.resize(rgb, (501, 487), interpolation=cv2.INTER_AREA), np.uint8)


OURS = {
    "none": lambda rgb: rgb,
    "jpeg_50": lambda rgb: recompressed(rgb, 50),
    "jpeg_30": lambda rgb: recompressed(rgb, 30),
    "half": lambda rgb: scaled(rgb, 0.5),
    "odd": odd,
    "darker": darker,
    "brighter": brighter,
    "messenger": messenger,
    "messengers": messengers,
}
NAMED = (
    "photographed_screen",
    "crop_10",
    "crop_50",
    "mirror",
    "quarter_turn",
    "upside_down",
    "turn_5",
    "grey",
    "webp",
)


@pytest.mark.parametrize("name", [*OURS, *NAMED])
def test_the_id_is_read_after(name: str) -> None:
    copy = OURS[name](marked()) if name in OURS else edits.make(name, marked(), [photo()], 3)
    found = watermark.detect(copy, key=KEY)
    assert found is not None
    assert found.payload == ID
    assert found.false_alarm <= 1e-6
    assert found.agreement > 0.6


def test_what_a_bright_picture_loses_to_white_is_spent_elsewhere() -> None:
    bright = (photo() // 4 + 190).astype(np.uint8)
    bright[:200] = 254  # Here only half of the mark has room.
    twice = watermark.embed(bright, ID, key=KEY)
    assert 40 <= psnr_db(bright, twice) < 40.1
    found = watermark.detect(recompressed(brighter(twice), 60), key=KEY)
    assert found is not None
    assert found.payload == ID


def test_what_bears_no_mark_is_hardly_read() -> None:
    """That is what keeps the search in unmarked pictures cheap: maps that stand out are few."""
    assert len(list(detecting.readings(photo(), KEY))) <= 3


def test_a_wave_between_two_frequencies_is_seen_with_its_phase() -> None:
    """At the phases of the origin, though each window was transformed where it lies."""
    wave, phase = np.array([[0.1234, -0.0731], [-0.0911, 0.1377]]), np.array([0.7, -2.1])
    y, x = np.mgrid[:200, :300] + 0.5
    turns = 2 * np.pi * (x[..., None] * wave[:, 0] + y[..., None] * wave[:, 1]) + phase
    seen = demodulating.windows(np.cos(turns).sum(axis=-1).astype(np.float32)).waves(wave)
    assert np.abs(np.angle(seen * np.exp(-1j * phase))).max() < 0.15
    assert (np.abs(seen) > 0.75 * demodulating.WINDOW**2 / 2).all()


@pytest.mark.slow
def test_nothing_is_read_where_nothing_is() -> None:
    """Neither in the same picture without it, nor with another key, nor in noise."""
    noise = np.random.default_rng(4).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    for rgb, key in ((photo(), KEY), (marked(), b"another key"), (noise, KEY)):
        assert watermark.detect(rgb, key=key) is None


SHAPES = [(1, 1), (95, 400), (96, 96), (128, 400), (333, 97), (96, 20_000)]


def test_flat_pictures_are_read_without_a_word() -> None:
    for level in (0, 255):
        assert watermark.detect(np.full((200, 300, 3), level, np.uint8), key=KEY) is None


@pytest.mark.parametrize("shape", SHAPES)
def test_odd_shapes_are_read_without_a_word(shape: tuple[int, int]) -> None:
    busy = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert watermark.detect(busy, key=KEY) is None


def test_what_cannot_be_marked_is_refused() -> None:
    with pytest.raises(TooSmallToMark):
        watermark.embed(np.zeros((255, 900, 3), np.uint8), ID, key=KEY)
    for payload in (-1, 1 << watermark.BITS):
        with pytest.raises(PayloadRefused):
            watermark.embed(photo(), payload, key=KEY)


def test_an_id_is_written_in_one_way_and_understood_without_its_zeros() -> None:
    """Twelve digits; two spellings of one id would be taken for two ids."""
    assert [watermark.spelled(one) for one in (0, 0xBEEF, ID)] == [
        "000000000000",
        "00000000beef",
        f"{ID:012x}",
    ]
    for text in ("beef", "BEEF", "00000000beef"):
        assert watermark.payload_of(text) == 0xBEEF
    for text in ("", "-1", "0xbeef", "be_ef", " beef", "0" * 13, "\uff11"):
        with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
            watermark.payload_of(text)


def test_the_ends_of_the_range_are_ids_too() -> None:
    for payload in (0, (1 << watermark.BITS) - 1):
        found = watermark.detect(watermark.embed(photo(512), payload, key=KEY), key=KEY)
        assert found is not None
        assert found.payload == payload


def test_a_picture_is_read_only_so_often() -> None:
    """The bound on false alarms counts readings."""
    count = sum(1 for _ in detecting.readings(photo(512), KEY))
    assert 1 <= count <= detecting.MOST_READINGS


def test_a_fifth_of_the_coded_bits_may_be_wrong() -> None:
    random = np.random.default_rng(2)
    sent = code.encode(ID, KEY)
    wrong = random.choice(len(sent), len(sent) // 5, replace=False)
    sent[wrong] *= -1
    assert code.decode(sent, KEY) == ID


def test_chance_does_not_make_an_id() -> None:
    random = np.random.default_rng(5)
    for _ in range(100):
        assert code.decode(random.normal(size=code.CODED_BITS).astype(np.float32), KEY) is None


@pytest.mark.slow
def test_frames_say_together_what_none_says_alone() -> None:
    """Each frame so spoilt that it alone is not read; the same id in all."""
    random = np.random.default_rng(8)
    frames = []
    for _ in range(12):
        spoilt = marked() + random.normal(0, 95, marked().shape)
        frames.append(np.clip(spoilt, 0, 255).astype(np.uint8))
    found = watermark.detect_frames(frames, key=KEY)
    assert found is not None
    assert found.payload == ID
    assert found.frames > 1  # The first alone was not enough.
