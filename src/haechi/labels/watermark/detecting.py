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

_GUESSES = 6
_GROWN = 4
_TRIES = 3

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
        cells = aligning.demodulated(guess, pattern)
        if cells.size:
            field = aligning.fields(guess, cells, pattern, upside=False)
            yield guess, aligning.whole(field, pattern)
    seeds: list[tuple[float, Guess, Fields, int, tuple[int, int]]] = []
    wanted: list[tuple[Guess, tuple[bool, ...]]]
    wanted = [(guess, (False,)) for guess in searching.usual(found)]
    wanted += [(guess, (False, True)) for guess in searching.guesses(found, pattern, _GUESSES)]
    for guess, sides in wanted:
        cells = aligning.demodulated(guess, pattern)
        for upside in sides if cells.size else ():
            field = aligning.fields(guess, cells, pattern, upside=upside)
            number, shift, height = aligning.seed(field, pattern)
            seeds.append((height, guess, field, number, shift))
    seeds.sort(key=lambda each: -each[0])
    grown = [
        (guess, aligning.grown(field, pattern, number, shift))
        for _, guess, field, number, shift in seeds[:_GROWN]
    ]
    grown.sort(key=lambda each: -each[1].standing)
    yield from grown[:_TRIES]
