"""The inaudible mark: put into sounds, read from what people make of them."""

import functools

import numpy as np
import pytest
from benchmarks import sounds
from numpy.typing import NDArray

from haechi.errors import PayloadRefused, TooShortToMark
from haechi.labels.watermark import sound
from haechi.labels.watermark.sound import detecting, loudness

type Samples = NDArray[np.float32]

KEY = b"a key that nobody uses elsewhere"
ID = 0x5EED_C0FF_EE02
RATE = 16_000


@functools.cache
def plain() -> Samples:
    """Noise that swells, and a chord in it: 12 seconds in two channels."""
    random = np.random.default_rng(3)
    at = np.arange(12 * RATE) / RATE
    swell = 0.05 * (1.2 + np.sin(2 * np.pi * 0.9 * at)) * random.standard_normal(len(at))
    chord = sum(0.05 * np.sin(2 * np.pi * hertz * at) for hertz in (220, 277, 330, 1320))
    return np.stack([swell + chord, 0.5 * swell + chord], axis=1).astype(np.float32)


@functools.cache
def marked() -> Samples:
    return sound.embed_sound(plain(), RATE, ID, key=KEY)


def read(copy: Samples, rate: int = RATE) -> int | None:
    found = sound.detect_sound(copy, rate, key=KEY)
    return None if found is None else found.payload


def test_the_mark_is_far_below_the_sound_and_always_the_same() -> None:
    """What is added follows the sound: nothing is added to silence, nothing beyond the band."""
    added = marked() - plain()
    assert 10 * np.log10(np.mean(np.square(plain())) / np.mean(np.square(added))) > 18
    assert marked().shape == plain().shape
    assert marked().dtype == np.float32
    assert np.array_equal(sound.embed_sound(plain(), RATE, ID, key=KEY), marked())
    silence = np.zeros((7 * RATE, 1), np.float32)
    assert not sound.embed_sound(silence, RATE, ID, key=KEY).any()
    waves = np.abs(np.fft.rfft(added[:, 0]))
    hertz = np.fft.rfftfreq(len(added), 1 / RATE)
    assert np.square(waves[(hertz < 150) | (hertz > 5_300)]).sum() < 0.01 * np.square(waves).sum()


def test_in_pieces_or_at_once_it_is_the_same() -> None:
    marker = sound.embedder(RATE, 2, ID, key=KEY)
    assert not np.isnan(sound.embed_sound(plain() * np.nan, RATE, ID, key=KEY)).any()
    pieces = [marker.put(plain()[begin : begin + 999]) for begin in range(0, len(plain()), 999)]
    assert np.array_equal(np.concatenate([*pieces, marker.end()]), marked())


EDITS = {
    "untouched": lambda one: one,
    "one_channel": lambda one: one[:, 1:],
    "quieter": lambda one: one / 9,
    "eight_bits": lambda one: np.rint(one.mean(axis=1, keepdims=True) * 127) / 127,
    "noise": lambda one: sounds.noisy(one, 30),
    "cut": lambda one: one[2 * RATE + 371 : 10 * RATE],
    "joined": lambda one: np.concatenate([plain()[: 4 * RATE], one, plain()[: 3 * RATE]]),
}


@pytest.mark.parametrize("name", EDITS)
def test_it_survives(name: str) -> None:
    assert read(np.asarray(EDITS[name](marked()), np.float32)) == ID


@pytest.mark.slow
@pytest.mark.parametrize(("encoder", "kbit"), [("libmp3lame", 64), ("aac", 64), ("libopus", 24)])
def test_it_survives_codecs(encoder: str, kbit: int) -> None:
    once = sounds.resampled(marked(), sounds.RATE, told=RATE)
    copy = sounds.recoded(once, encoder, kbit, mono=True)
    assert read(sounds.resampled(copy, RATE)) == ID


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_a_copy_that_plays_faster_says_how_much(factor: float) -> None:
    at = np.arange(int(len(marked()) / factor)) * factor
    copy = np.interp(at, np.arange(len(marked())), marked()[:, 0]).astype(np.float32)[:, None]
    found = sound.detect_sound(copy, RATE, key=KEY)
    assert found is not None
    assert found.payload == ID
    assert found.speed == pytest.approx(factor, abs=0.001)


def test_at_any_rate_it_is_the_same_mark() -> None:
    """Marked at 44.1 kHz, read at 16."""
    large = sounds.resampled(plain()[:, :1], 44_100, told=RATE)
    made = sound.embed_sound(large, 44_100, ID, key=KEY)
    assert read(made, 44_100) == ID
    assert read(sounds.resampled(made, RATE, told=44_100)) == ID


@pytest.mark.slow
def test_no_other_key_and_no_other_sound_gives_an_id() -> None:
    """A reading that fits by chance is one in 2**32; how often one is tried is counted."""
    assert sound.detect_sound(marked(), RATE, key=b"another") is None
    below = loudness.energies(plain()[:, 0], RATE)
    assert 1 < sum(1 for _ in detecting.readings(below, KEY)) <= detecting.MOST_READINGS
    found = sound.detect_sound(marked(), RATE, key=KEY)
    assert found is not None
    assert found.false_alarm == detecting.MOST_READINGS / 2**32
    assert found.false_alarm < 1e-6
    assert found.agreement > 0.8


@pytest.mark.parametrize("length", [0, 1, 700, 5 * RATE])
@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf])
def test_odd_sounds_are_read_without_harm(length: int, value: float) -> None:
    assert read(np.full((length, 1), value, np.float32)) is None


def test_what_cannot_be_marked_is_refused() -> None:
    with pytest.raises(TooShortToMark):
        sound.embed_sound(plain()[: 5 * RATE], RATE, ID, key=KEY)
    for payload in (-1, 1 << 48):
        with pytest.raises(PayloadRefused):
            sound.embed_sound(plain(), RATE, payload, key=KEY)
