"""What tells the classes apart that is not the question. Said before any figure.

On one set, features that reached an AUC of 0.66 with sources kept apart reached 0.99 in a random
split, and told two sets of *real* photographs apart at 0.99: they had learnt the set. So format,
size and compression are asked first whether they alone know the answer; and a detector, whether it
separates real pictures from real pictures.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from haechi.evaluation.detect.looks import Look
from haechi.evaluation.detect.manifest import Item
from haechi.evaluation.detect.statistics import Figure, figure

SUSPECT = 0.6
"""A fact about files whose interval lies above this AUC separates the classes by itself."""

LEAST = 10
"""Pictures of each side; fewer are not compared."""

_DRAWS = 300
_FACTS: Mapping[str, str] = {
    "longest_px": "the size of the pictures",
    "aspect": "the shape of the pictures",
    "bits_per_pixel": "the compression (bytes for each pixel)",
    "quality": "the JPEG quality",
}


@dataclass(frozen=True, slots=True)
class Confound:
    """One thing that separates what it should not.

    Attributes:
        code: "format", "longest_px", "source", "two_real_sets" ...
        words: A sentence for the head of the card.
        strength: AUC of that thing alone, 0.5..1, where it has one.
    """

    code: str
    words: str
    strength: float | None = None


def of_files(items: Sequence[Item], looks: Sequence[Look]) -> list[Confound]:
    """Format, size, shape, compression and source, between real and fake."""
    fake = np.array([one.fake for one in items], bool)
    sources = [one.source for one in items]
    return [*_facts(looks, fake, sources), *_formats(looks, fake), *_sources(items)]


def of_real_sets(
    items: Sequence[Item], looks: Sequence[Look], scores: Mapping[str, Sequence[float | None]]
) -> list[Confound]:
    """Facts, and systems by name, that tell two collections of real pictures apart."""
    found = []
    kept = [row for row, one in enumerate(items) if not one.fake and one.collection]
    names = sorted({items[row].collection for row in kept})
    for first, second in itertools.combinations(names, 2):
        rows = [row for row in kept if items[row].collection in {first, second}]
        other = np.array([items[row].collection == second for row in rows], bool)
        sources = [items[row].source for row in rows]
        for fact in _facts([looks[row] for row in rows], other, sources):
            words = f"two sets of real pictures, {first} and {second}, differ: {fact.words}"
            found.append(Confound("two_real_sets", words, fact.strength))
        for system, values in scores.items():
            strength = _apart([values[row] for row in rows], other, sources)
            if strength is not None:
                words = (
                    f"{system} tells two sets of real pictures apart, {first} and {second} "
                    f"(AUC {strength:.2f}): it may know sets, and not fakes"
                )
                found.append(Confound("two_real_sets", words, strength))
    return found


def _facts(
    looks: Sequence[Look],
    fake: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]",
    sources: Sequence[str],
) -> list[Confound]:
    found = []
    for name, words in _FACTS.items():
        strength = _apart([getattr(one, name) for one in looks], fake, sources)
        if strength is not None:
            found.append(
                Confound(name, f"{words} alone separates them (AUC {strength:.2f})", strength)
            )
    return found


def _apart(
    values: Sequence[float | None],
    fake: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]",
    sources: Sequence[str],
) -> float | None:
    """The AUC, whichever way round, if even the near end of its interval is above SUSPECT."""
    rows = [row for row, value in enumerate(values) if value is not None]
    numbers = np.array([values[row] for row in rows], np.float64)
    chosen = fake[rows]
    if min(int(chosen.sum()), int((~chosen).sum())) < LEAST:
        return None
    found = figure(numbers, chosen, [sources[row] for row in rows], draws=_DRAWS)
    if found.value < 0.5:
        found = Figure(1 - found.value, 1 - found.high, 1 - found.low)
    near = found.value if math.isnan(found.low) else found.low
    return found.value if near > SUSPECT else None


def _formats(
    looks: Sequence[Look], fake: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"
) -> list[Confound]:
    """Formats whose shares differ by a fifth and more between the classes."""
    found = []
    for kind in sorted({one.kind for one in looks}):
        has = np.array([one.kind == kind for one in looks], bool)
        if not fake.any() or fake.all():
            continue
        among_fakes, among_real = float(has[fake].mean()), float(has[~fake].mean())
        if abs(among_fakes - among_real) >= 0.2:
            words = (
                f"{kind} files are {among_fakes:.0%} of the fakes and {among_real:.0%} of the real"
            )
            found.append(Confound("format", words, 0.5 + abs(among_fakes - among_real) / 2))
    return found[:4]


def _sources(items: Sequence[Item]) -> list[Confound]:
    kinds: dict[str, set[bool]] = {}
    for one in items:
        kinds.setdefault(one.source, set()).add(one.fake)
    found = []
    if all(len(kind) == 1 for kind in kinds.values()):
        words = (
            "no source has both real pictures and fakes, so what is learnt about a source cannot be "
            "told from what is learnt about fakes"
        )
        found.append(Confound("source", words))
    for kind, what in ((True, "fakes"), (False, "real pictures")):
        count = sum(kind in one for one in kinds.values())
        if count < 5:
            words = f"the {what} come from {count} sources only: every interval here is too narrow"
            found.append(Confound("few_sources", words))
    return found
