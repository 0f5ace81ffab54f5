"""The way from a picture to an id: search, align, read."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import aligning, code, reading, searching
from haechi.labels.watermark import pattern as patterns
from haechi.labels.watermark.aligning import Aligned, Fields
from haechi.labels.watermark.reading import Laid, Read
from haechi.labels.watermark.searching import Guess, Level

_GUESSES = 5
_GROWN = 6
_TRIES = 3
_STANDING = 1.2
_SURELY = 5.0

_CLOSER = 2
_PILOTS_SEEN = 5.0

MOST_READINGS = 2 + _TRIES + _CLOSER
"""So often, at most, one picture is read: each could by chance fit the check of 32 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was read under one map; `payload` is None if the check does not fit."""

    read: Read
    payload: int | None


def readings(rgb: NDArray[np.uint8], key: bytes) -> Iterator[Found]:
    """Likely maps, likeliest first, each read. At most MOST_READINGS; stop at the first id."""
    pattern = patterns.of(key)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    found = searching.levels(np.asarray(grey, np.uint8))
    seen: list[tuple[float, Laid]] = []
    for guess, aligned in _maps(found, pattern):
        laid = reading.lay(guess, aligned)
        read = reading.read(laid, pattern)
        seen.append((read.pilots, laid))
        yield Found(read, code.decode(read.soft, key))
    seen.sort(key=lambda each: -each[0])
    for pilots, laid in seen[:_CLOSER]:
        if pilots > _PILOTS_SEEN:
            again = laid.again()
            read = reading.read(reading.lay(again, aligning.closer(again, pattern)), pattern)
            yield Found(read, code.decode(read.soft, key))


def _maps(found: list[Level], pattern: patterns.Pattern) -> Iterator[tuple[Guess, Aligned]]:
    for guess in searching.untouched(found):
        yield guess, aligning.whole(aligning.fields([guess], pattern)[0], pattern)
    waiting: list[tuple[Guess, Aligned]] = []
    given = 0
    for seed in _seeds(found, pattern)[:_GROWN]:
        grown = aligning.grown(seed.field, pattern, seed.window, seed.shift)
        # What does not stand out of noise is not worth reading: most pictures bear no mark.
        if grown is None:
            continue
        if grown.standing > _SURELY and given < _TRIES:
            given += 1
            yield seed.guess, grown
        elif grown.standing > _STANDING:
            waiting.append((seed.guess, grown))
    waiting.sort(key=lambda each: -each[1].standing)
    yield from waiting[: _TRIES - given]


@dataclass(frozen=True, slots=True, eq=False)
class _Seed:
    """A window from which a map may grow."""

    height: float
    guess: Guess
    field: Fields
    window: int
    shift: tuple[int, int]


def _seeds(found: list[Level], pattern: patterns.Pattern) -> list[_Seed]:
    """The best of each guess, highest first; what the spectrum says also upside down."""
    usual = searching.usual(found)
    guesses = searching.guesses(found, pattern, _GUESSES)
    seeds: list[_Seed] = []
    for level in found:
        of = [guess for guess in (*usual, *guesses) if guess.level is level]
        both = {id(guess) for guess in guesses}
        for guess, field in zip(of, aligning.fields(of, pattern) if of else (), strict=True):
            sides = [field, aligning.turned(field, pattern)] if id(guess) in both else [field]
            for side in sides:
                window, shift, height = aligning.seed(side, pattern)
                seeds.append(_Seed(height, guess, side, window, shift))
    return sorted(seeds, key=lambda seed: -seed.height)
