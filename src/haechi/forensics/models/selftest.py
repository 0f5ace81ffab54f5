"""A model looks at pictures made by rule before it is trusted with any other."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from haechi.errors import ModelRefused
from haechi.forensics.models.card import Card

TOLERANCE = 0.02
"""Scores of one file may differ by so much between processors."""

_SIDE = 256


def _ramp() -> NDArray[np.uint8]:
    across = np.tile(np.arange(_SIDE, dtype=np.uint8), (_SIDE, 1))
    return np.stack([across, across.T, 255 - across], axis=2)


def _checks() -> NDArray[np.uint8]:
    rows, columns = np.indices((_SIDE, _SIDE)) // 8
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[:, :, None], 3, axis=2)


def _noise() -> NDArray[np.uint8]:
    """From a counter and not from NumPy's generator, so that it is the same for ever."""
    counter = np.arange(_SIDE * _SIDE * 3, dtype=np.uint64)
    mixed = (
        counter * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    ) >> np.uint64(33)
    mixed = (mixed ^ (mixed >> np.uint64(13))) * np.uint64(2654435761)
    return ((mixed >> np.uint64(7)) & np.uint64(255)).astype(np.uint8).reshape(_SIDE, _SIDE, 3)


PICTURES: Mapping[str, Callable[[], NDArray[np.uint8]]] = MappingProxyType(
    {
        "grey": lambda: np.full((_SIDE, _SIDE, 3), 128, np.uint8),
        "ramp": _ramp,
        "checks": _checks,
        "noise": _noise,
    }
)


def run(
    card: Card, score: Callable[[NDArray[np.uint8]], float], *, twice: bool = True
) -> dict[str, float]:
    """The scores of the card's probes, by picture; each is asked `twice`. Raises ModelRefused.

    Refused is what leaves the card's ranges, answers differently when asked again, or answers
    every picture alike: mostly an output that is not the one the card means.
    """
    found = {}
    for probe in card.probes:
        rgb = PICTURES[probe.picture]()
        found[probe.picture] = value = score(rgb)
        if not probe.low <= value <= probe.high:
            told = f"{value:.4f} for {probe.picture}, not {probe.low} to {probe.high}"
            raise ModelRefused(f"the self-test gave {told}")
        if twice and abs(score(rgb) - value) > TOLERANCE:
            raise ModelRefused(f"the self-test gave two answers for {probe.picture}")
    if len(found) > 1 and len({f"{value:.9f}" for value in found.values()}) == 1:
        raise ModelRefused("the self-test gave the same for all pictures: is it the right output?")
    return found


def compare(card: Card, found: Mapping[str, float], kept: Mapping[str, float]) -> None:
    """Raises ModelRefused where scores are not those that were kept when the model was added."""
    for name, value in kept.items():
        if abs(found.get(name, -1.0) - value) > TOLERANCE:
            told = f"{found.get(name)} for {name}, and {value} when it was added"
            raise ModelRefused(f"the self-test of {card.id} gives {told}")
