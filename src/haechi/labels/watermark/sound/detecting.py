"""The way from a sound to an id: at its own speed first, then at others."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.labels.watermark import code
from haechi.labels.watermark.sound import loudness, searching
from haechi.labels.watermark.sound import pattern as patterns
from haechi.labels.watermark.sound.loudness import Map
from haechi.labels.watermark.sound.searching import Window

_FASTEST = 0.025
_COARSE = 0.0012
_FINE = 0.0004
_PLACES = 12
_PLACE_ROWS = 2 * patterns.SLOTS * loudness.HOPS
_SPEEDS = 3
_ALONE = 12
_LEAST_HEIGHT = 3.5

MOST_READINGS = (1 + _SPEEDS) * (2 * _ALONE + 1)
"""So often, at most, one sound is read: each could by chance fit the check of 32 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was read; `payload` is None if the check does not fit."""

    soft: NDArray[np.float32]
    payload: int | None
    speed: float


def readings(below: Map, key: bytes) -> Iterator[Found]:
    """Likely readings of a map of energies. At most MOST_READINGS; stop at the first id."""
    pattern = patterns.of(key)
    levels = loudness.bands(below, 1.0)
    expected = loudness.expectation(levels)
    yield from _read(expected.surprise(levels), 1.0, pattern, key)
    for speed in _speeds(below, expected, pattern):
        seen = expected.surprise(loudness.bands(below, speed))
        yield from _read(seen, speed, pattern, key)


def _read(seen: Map, speed: float, pattern: patterns.Pattern, key: bytes) -> Iterator[Found]:
    """The surest windows, each alone and together with all surer ones; last all that say anything."""
    every = sorted(searching.windows(seen, pattern), key=lambda each: -each.height)
    total = np.zeros(code.CODED_BITS, np.float32)
    for number, window in enumerate(every):
        if number and window.height < _LEAST_HEIGHT:
            break
        soft = _soft(window, pattern)
        total += soft
        if number < _ALONE:
            yield Found(soft, code.decode(soft, key), speed)
            if number:
                yield Found(total, code.decode(total, key), speed)
    if len(every) > _ALONE:
        yield Found(total, code.decode(total, key), speed)


def _soft(window: Window, pattern: patterns.Pattern) -> NDArray[np.float32]:
    soft = pattern.soft(window.cells())
    return soft * (max(window.height, 1.0) / (float(np.sqrt(np.mean(np.square(soft)))) + 1e-9))


def _speeds(
    below: Map, expected: loudness.Expectation, pattern: patterns.Pattern
) -> Iterator[float]:
    """The speeds at which pilots stand out most, in some parts of the sound, each made exact."""
    parts = _parts(below)
    steps = round(_FASTEST / _COARSE)
    heights = {}
    for step in range(-steps, steps + 1):
        if step:
            speed = 1 + step * _COARSE
            heights[speed] = _height(parts, speed, expected, pattern)
    best: list[float] = []
    for speed in sorted(heights, key=lambda each: -heights[each]):
        if all(abs(speed - other) > 1.5 * _COARSE for other in best):
            best.append(speed)
        if len(best) == _SPEEDS:
            break
    for speed in best:
        near = [speed + step * _FINE for step in (-2, -1, 0, 1, 2)]
        yield max(near, key=lambda each: _height(parts, each, expected, pattern))


def _parts(below: Map) -> list[Map]:
    """At most twelve windows, spread evenly."""
    count = max(1, len(below) // _PLACE_ROWS)
    if count == 1:
        return [below]
    chosen = np.unique(np.linspace(0, count - 1, min(count, _PLACES)).round().astype(int))
    return [below[number * _PLACE_ROWS : (number + 1) * _PLACE_ROWS] for number in chosen]


def _height(
    parts: list[Map], speed: float, expected: loudness.Expectation, pattern: patterns.Pattern
) -> float:
    """How far pilots stand out at a speed: what is far above chance in any part counts."""
    total = 0.0
    for part in parts:
        seen = expected.surprise(loudness.bands(part, speed))
        total += sum(each.height**3 for each in searching.windows(seen, pattern))
    return total
