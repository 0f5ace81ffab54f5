"""Figures with their uncertainty. What is drawn anew is sources, never single pictures."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.forensics.models import auc

DRAWS = 1000
BINS = 10

type Numbers = NDArray[np.float64]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and its 95 % interval; NaN where nothing can be said."""

    value: float
    low: float
    high: float


def figure(
    values: Numbers,
    fake: Flags,
    sources: Sequence[str],
    of: Callable[[Numbers, Flags], float] = auc,
    *,
    draws: int = DRAWS,
    seed: int = 1,
) -> Figure:
    """`of` of all pictures, and its interval over `draws` draws of as many sources, with return."""
    random = np.random.default_rng(seed)
    names = np.array(sources)
    groups = [np.flatnonzero(names == name) for name in sorted(set(sources))]
    found = []
    for _ in range(draws if groups else 0):
        drawn = random.integers(0, len(groups), len(groups))
        rows = np.concatenate([groups[one] for one in drawn])
        value = of(values[rows], fake[rows])
        if not math.isnan(value):
            found.append(value)
    whole = of(values, fake) if len(values) else math.nan
    if len(found) < draws / 2:
        return Figure(whole, math.nan, math.nan)
    low, high = np.quantile(found, [0.025, 0.975]).tolist()
    return Figure(whole, float(low), float(high))


def threshold(values: Numbers, fake: Flags, rate: float) -> float:
    """The score that at most `rate` of the real pictures reach; inf if no score does that."""
    real = np.sort(values[~fake])[::-1]
    allowed = math.floor(rate * len(real))
    if not len(real):
        return math.inf
    return float(np.nextafter(real[allowed], math.inf)) if allowed < len(real) else -math.inf


def caught(values: Numbers, fake: Flags, rate: float) -> float:
    """The share of fakes above the threshold of `rate` on the same pictures."""
    if not fake.any() or fake.all():
        return math.nan
    return float((values[fake] >= threshold(values, fake, rate)).mean())


def share(values: Numbers, chosen: Flags, least: float) -> float:
    """Of the chosen, how many reach `least`."""
    return float((values[chosen] >= least).mean()) if chosen.any() else math.nan


@dataclass(frozen=True, slots=True)
class Bin:
    """Scores between `low` and `high`: how many, their mean, and how many of them are fakes.

    Attributes:
        fakes: Share of fakes if both classes were equally frequent, or NaN in an empty bin.
    """

    low: float
    high: float
    count: int
    mean: float
    fakes: float


def bins(values: Numbers, fake: Flags) -> list[Bin]:
    """The calibration curve: for a score that is a probability, `fakes` is near `mean`."""
    fakes, real = max(1, int(fake.sum())), max(1, int((~fake).sum()))
    weights = np.where(fake, 0.5 / fakes, 0.5 / real)
    places = np.clip((values * BINS).astype(int), 0, BINS - 1)
    made = []
    for place in range(BINS):
        inside = places == place
        whole = float(weights[inside].sum())
        made.append(
            Bin(
                place / BINS,
                (place + 1) / BINS,
                int(inside.sum()),
                float(values[inside].mean()) if inside.any() else math.nan,
                float(weights[inside & fake].sum()) / whole if whole else math.nan,
            )
        )
    return made


def highest_rate(count: int, of: int) -> float:
    """Upper end of the one-sided 95 % interval of a rate (Wilson); 1.0 of nothing."""
    if not of:
        return 1.0
    z, part = 1.645, count / of
    middle = part + z * z / (2 * of)
    wide = z * math.sqrt(part * (1 - part) / of + z * z / (4 * of * of))
    return min(1.0, (middle + wide) / (1 + z * z / of))
