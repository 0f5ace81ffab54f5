"""What a face does over time that its surroundings do not: flicker, jitter, standing still.

Every measure is a ratio of the face to what is around it in the same frames, or a length in
distances between the eyes: exposure, compression and a shaking hand move both sides of a ratio.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.forensics.video.looks import Look, brightness

STEP_S = 0.25
"""Frames further apart say nothing about flicker: people blink and turn in that time."""

LEAST_LOOKS = 12
"""Fewer steps in a row give no figure."""

_FLOOR_LEVELS = 0.35
"""What compression alone moves a mean colour by; below it nothing is told apart."""

_STILL_LEVELS = 0.6
"""Of 255: less than what noise and compression change between two frames of one place."""

_MOVING_LEVELS = 1.5
_APART = 4.0
_LEAST_EYES = 1e-3


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one track, or a part of it. None where too little was seen.

    Attributes:
        flicker: How much more the face's brightness trembles than that of what surrounds it; 1 is alike.
        jitter: How much eyes, nose and mouth tremble, in distances between the eyes.
        frozen: Part of the time, 0..1, in which the face stands perfectly still while its
            surroundings move.
        held: Part of the time in which the surroundings stand perfectly still while the face moves.
    """

    flicker: float | None
    jitter: float | None
    frozen: float | None
    held: float | None


def measures(looks: Sequence[Look]) -> Measures:
    """All four, over looks in order of time."""
    return Measures(flicker(looks), jitter(looks), *_stillness(looks))


def flicker(looks: Sequence[Look]) -> float | None:
    """Ratio of the medians of |second difference| of brightness, face to surroundings."""
    rows = [
        (abs(_second(*map(_core, three))), abs(_second(*map(_ring, three))))
        for three in _threes(looks)
    ]
    if len(rows) < LEAST_LOOKS:
        return None
    core, ring = (float(value) for value in np.median(np.array(rows), axis=0))
    return (core + _FLOOR_LEVELS) / (ring + _FLOOR_LEVELS)


def jitter(looks: Sequence[Look]) -> float | None:
    """Median tremble of the landmarks about a straight movement, in distances between the eyes."""
    rows = []
    for three in _threes(looks):
        places = [_places(look) for look in three]
        if any(place is None for place in places):
            continue
        first, middle, last = (place for place in places if place is not None)
        # What all five do together is the head's movement, or the camera's.
        bent = first - 2 * middle + last
        bent = bent - bent.mean(axis=0)
        eyes = float(np.linalg.norm(middle[1] - middle[0]))
        if eyes > _LEAST_EYES:
            rows.append(float(np.linalg.norm(bent, axis=1).mean()) / eyes)
    return float(np.median(rows)) if len(rows) >= LEAST_LOOKS else None


def windows(looks: Sequence[Look], length_s: float) -> Iterator[tuple[float, Sequence[Look]]]:
    """The looks in pieces of `length_s`, each with the second at which it begins."""
    begun = 0
    for number, one in enumerate(looks):
        piece = math.floor(looks[begun].seconds / length_s)
        if math.floor(one.seconds / length_s) != piece:
            yield piece * length_s, looks[begun:number]
            begun = number
    if looks:
        yield math.floor(looks[begun].seconds / length_s) * length_s, looks[begun:]


def _stillness(looks: Sequence[Look]) -> tuple[float | None, float | None]:
    pairs = [
        (one.moved_core, one.moved_ring)
        for one in looks
        if one.moved_core is not None and one.moved_ring is not None
    ]
    if len(pairs) < LEAST_LOOKS:
        return None, None
    frozen = sum(_stands(core, ring) for core, ring in pairs)
    held = sum(_stands(ring, core) for core, ring in pairs)
    return frozen / len(pairs), held / len(pairs)


def _stands(one: float, other: float) -> bool:
    """True if the one place stands still while the other moves."""
    return one < _STILL_LEVELS and other > max(_MOVING_LEVELS, _APART * one)


def _threes(looks: Sequence[Look]) -> Iterator[tuple[Look, Look, Look]]:
    for first, middle, last in zip(looks, looks[1:], looks[2:], strict=False):
        near = max(middle.seconds - first.seconds, last.seconds - middle.seconds) <= STEP_S
        if near and last.seconds > middle.seconds > first.seconds:
            yield first, middle, last


def _second(first: float, middle: float, last: float) -> float:
    return first - 2 * middle + last


def _core(look: Look) -> float:
    return brightness(look.core)


def _ring(look: Look) -> float:
    return brightness(look.ring)


def _places(look: Look) -> NDArray[np.float64] | None:
    """(5, 2) landmarks in widths of the frame; None where there are none."""
    if look.face.landmarks is None or len(look.face.landmarks) < 5:
        return None
    return np.array(look.face.landmarks[:5], dtype=np.float64) * (1.0, look.tall)
