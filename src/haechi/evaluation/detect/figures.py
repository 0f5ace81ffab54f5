"""From outcomes to the figures of one system."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from haechi.evaluation.detect import statistics
from haechi.evaluation.detect.looks import Look
from haechi.evaluation.detect.manifest import Item, halves
from haechi.evaluation.detect.measuring import Outcome
from haechi.evaluation.detect.statistics import Figure, Flags, Numbers, figure
from haechi.forensics import Answer

RATES = (0.01, 0.05)
"""Of real pictures called fake; thresholds are placed at these."""

LEAST = 10
"""Pictures of a class below which a part is not told."""

PART_DRAWS = 300
_ACCUSED = frozenset({Answer.MADE.value, Answer.ALTERED.value})
_QUALITIES = ((1, 70, "JPEG under 70"), (70, 90, "JPEG 70 to 89"), (90, 101, "JPEG 90 and over"))
_SIZES = (
    (0, 512, "under 512 px"),
    (512, 1024, "512 to 1023 px"),
    (1024, 2048, "1024 to 2047 px"),
    (2048, 10**9, "2048 px and over"),
)

type Told = dict[str, Any]


def told(
    items: Sequence[Item],
    looks: Sequence[Look],
    outcomes: Sequence[Outcome],
    *,
    draws: int = statistics.DRAWS,
) -> Told:
    """Everything that a card says about one system; plain values, None for what cannot be said."""
    rows = [row for row, one in enumerate(outcomes) if one.score is not None]
    values, fake, sources = _chosen(items, outcomes, rows)
    first = np.array(halves(items), bool)[rows]
    places = {rate: statistics.threshold(values[first], fake[first], rate) for rate in RATES}
    parts = _Parts(items, outcomes, places[RATES[1]], min(draws, PART_DRAWS))
    made: Told = {
        "auc": _out(figure(values, fake, sources, draws=draws)),
        "answers": _answers(items, outcomes),
        "abstained": _abstained(items, outcomes),
        "at": [_at(values, fake, sources, first, rate, places[rate], draws) for rate in RATES],
        "calibration": [_bin(one) for one in statistics.bins(values, fake)],
        "curve": _curve(values, fake),
        "parts": {
            "generator": parts.by_generator(),
            "compression": parts.by_kind([_compression(one) for one in looks]),
            "size": parts.by_kind([_size(one) for one in looks]),
        },
    }
    for name in sorted({name for item in items for name in item.groups}):
        kinds = [item.groups.get(name, "") for item in items]
        made["parts"][f"group: {name}"] = parts.by_kind(kinds)
    return made


def threshold_of(told_before: Told) -> float:
    """The score that was the threshold of 5 %, for edited copies."""
    value = told_before["at"][1]["threshold"]
    return math.inf if value is None else float(value)


def after_edit(
    items: Sequence[Item], outcomes: Sequence[Outcome], least: float, *, draws: int = PART_DRAWS
) -> Told:
    """What is left after an edit: AUC, and rates at the threshold that was placed before it."""
    return _Parts(items, outcomes, least, draws).of(range(len(items)))


@dataclass(frozen=True, slots=True)
class _Parts:
    """Figures of some of the pictures; `least` is the score from which one is called fake."""

    items: Sequence[Item]
    outcomes: Sequence[Outcome]
    least: float
    draws: int

    def by_generator(self) -> Told:
        """The fakes of each generator, against all real pictures."""
        names = sorted({item.generator for item in self.items if item.generator})
        real = [row for row, item in enumerate(self.items) if not item.fake]
        return {name: self.of([*self._fakes(name), *real]) for name in names}

    def by_kind(self, kinds: Sequence[str]) -> Told:
        """The pictures of each kind; `kinds` names each picture's, or is empty for none."""
        names = sorted({one for one in kinds if one})
        return {
            name: self.of([row for row, one in enumerate(kinds) if one == name]) for name in names
        }

    def of(self, rows: Sequence[int]) -> Told:
        """The pictures `rows`."""
        scored = [row for row in rows if self.outcomes[row].score is not None]
        values, fake, sources = _chosen(self.items, self.outcomes, scored)
        counts = {"real": int((~fake).sum()), "fake": int(fake.sum())}
        accused = [
            self.outcomes[row].answer in _ACCUSED for row in rows if not self.items[row].fake
        ]
        made: Told = {**counts, "unscored": len(rows) - len(scored), "accused": sum(accused)}
        if min(counts.values()) < LEAST:
            return {**made, "auc": None, "caught": None, "rate": None}
        return {
            **made,
            "auc": _out(figure(values, fake, sources, draws=self.draws)),
            "caught": _number(statistics.share(values, fake, self.least)),
            "rate": _number(statistics.share(values, ~fake, self.least)),
        }

    def _fakes(self, generator: str) -> list[int]:
        return [row for row, item in enumerate(self.items) if item.generator == generator]


def _chosen(
    items: Sequence[Item], outcomes: Sequence[Outcome], rows: Sequence[int]
) -> tuple[Numbers, Flags, list[str]]:
    values = np.array([outcomes[row].score for row in rows], np.float64)
    fake = np.array([items[row].fake for row in rows], bool)
    return values, fake, [items[row].source for row in rows]


def _at(
    values: Numbers,
    fake: Flags,
    sources: Sequence[str],
    first: Flags,
    rate: float,
    least: float,
    draws: int,
) -> Told:
    """The share caught: on the whole curve, and at a threshold from sources that are not counted."""
    caught = figure(values, fake, sources, lambda v, f: statistics.caught(v, f, rate), draws=draws)
    later = ~first
    return {
        "rate": rate,
        "caught": _out(caught),
        "threshold": _number(least),
        "caught_on_others": _number(statistics.share(values, later & fake, least)),
        "rate_on_others": _number(statistics.share(values, later & ~fake, least)),
        "real_on_others": int((later & ~fake).sum()),
    }


def _answers(items: Sequence[Item], outcomes: Sequence[Outcome]) -> Told | None:
    """How often each word was said of real pictures and of fakes, and how many were accused."""
    if not any(one.answer for one in outcomes):
        return None
    words = [one.value for one in Answer]
    count = {
        kind: {word: _count(items, outcomes, word, fake=fake) for word in words}
        for kind, fake in (("real", False), ("fake", True))
    }
    real = sum(count["real"].values())
    accused = sum(count["real"][word] for word in _ACCUSED)
    return {
        **count,
        "accused": accused,
        "accused_rate": accused / real if real else None,
        "accused_at_most": statistics.highest_rate(accused, real),
    }


def _count(items: Sequence[Item], outcomes: Sequence[Outcome], word: str, *, fake: bool) -> int:
    pairs = zip(items, outcomes, strict=True)
    return sum(item.fake == fake and outcome.answer == word for item, outcome in pairs)


def _abstained(items: Sequence[Item], outcomes: Sequence[Outcome]) -> Told:
    """Shares without an answer, and why."""
    why: dict[str, int] = {}
    for one in outcomes:
        if one.abstained:
            reason = one.why or one.answer
            why[reason] = why.get(reason, 0) + 1
    shares = {}
    for kind, fake in (("real", False), ("fake", True)):
        chosen = [out for item, out in zip(items, outcomes, strict=True) if item.fake == fake]
        shares[kind] = sum(one.abstained for one in chosen) / len(chosen) if chosen else None
    return {**shares, "why": dict(sorted(why.items()))}


def _curve(values: Numbers, fake: Flags) -> list[list[float]]:
    """Rate of real pictures called fake, and share of fakes caught, at 41 rates."""
    if not fake.any() or fake.all():
        return []
    rates = [step / 40 for step in range(41)]
    return [[rate, round(statistics.caught(values, fake, rate), 4)] for rate in rates]


def _compression(look: Look) -> str:
    if look.quality is None:
        return look.kind
    return next(words for low, high, words in _QUALITIES if low <= look.quality < high)


def _size(look: Look) -> str:
    return next(words for low, high, words in _SIZES if low <= look.longest_px < high)


def _bin(one: statistics.Bin) -> Mapping[str, float | int | None]:
    return {
        "low": one.low, "high": one.high, "count": one.count,
        "mean": _number(one.mean), "fakes": _number(one.fakes),
    }  # fmt: skip


def _out(found: Figure) -> Told | None:
    if math.isnan(found.value):
        return None
    return {"value": _number(found.value), "low": _number(found.low), "high": _number(found.high)}


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
