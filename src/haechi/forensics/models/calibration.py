"""How much a score says *here*: a likelihood ratio, from pictures whose origin is known.

A detector's own "0.97" is no probability: the same model reaches an AUC of 0.94 on one kind of
forgery and 0.40 on another (docs/models.md). Only a calibration on the operator's own pictures lets
a score into the answer, and it promises no more than those pictures bear: a ratio is never above a
third of the number of sources that were real, because "none of n" excludes only rates above 3/n
(the rule of three, Hanley and Lippman-Hand 1983).
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from haechi.errors import CalibrationRefused, ModelRefused
from haechi.formats import strict_json

FORMAT = "haechi-calibration/1"
LEAST_SOURCES = 5
LEAST_PICTURES = 30
"""Of real pictures, and of made or altered ones: fewer say nothing."""

_FOLDS = 5
_RIDGE = 1.0
_NEAR = 1e-6

type _Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """From a score to a likelihood ratio: exp(slope * (logit(score) - middle) + offset), bounded.

    Attributes:
        name: Of the set; shown wherever the ratio is.
        behaviour: Card.behaviour of the model that it holds for.
        highest: No ratio above it; `lowest`, none below.
        auc: Of the scores, and `auc_low`, the lower end of its 95 % interval over sources.
        misleading: Part of real pictures from sources left out that get a ratio over 2.
        real: How many real pictures, from `real_sources`; likewise `fake`.
        doubts: Why the set may be easier than the world, as found by haechi.evaluation.
    """

    name: str
    behaviour: str
    slope: float
    middle: float
    offset: float
    lowest: float
    highest: float
    auc: float
    auc_low: float
    misleading: float
    real: int
    real_sources: int
    fake: int
    fake_sources: int
    made_at: str
    doubts: tuple[str, ...] = ()

    def ratio(self, score: float) -> float:
        """How many times likelier this score is among made or altered pictures than among real."""
        power = self.slope * (float(_logit(np.array([score]))[0]) - self.middle) + self.offset
        return min(self.highest, max(self.lowest, math.exp(min(50.0, max(-50.0, power)))))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"format": FORMAT, **asdict(self), "doubts": list(self.doubts)}

    @classmethod
    def from_text(cls, text: bytes) -> Self:
        """What `to_json` gave, as a file. Raises ModelRefused."""
        try:
            told = strict_json.loads(text)
            if told.pop("format") != FORMAT:
                raise ModelRefused("the calibration has another format")
            told["doubts"] = tuple(told["doubts"])
            return cls(**told)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelRefused(f"the calibration cannot be read: {error}"[:300]) from error


def calibrate(
    scores: Sequence[float],
    fake: Sequence[bool],
    sources: Sequence[str],
    *,
    name: str,
    behaviour: str,
    made_at: str,
    doubts: Sequence[str] = (),
) -> Calibration:
    """A calibration from scores 0..1 of pictures, which are real or not, each from a source.

    Raises CalibrationRefused for too few pictures or sources, for a model that tells nothing apart
    here, and for one that has it the wrong way round.
    """
    values, labels, names = _logit(np.array(scores)), np.array(fake, bool), np.array(sources)
    counts = _counted(labels, names)
    held = _left_out(values, labels, names)
    area = auc(values, labels)
    low, high = _interval(values, labels, names)
    if high < 0.5:
        raise CalibrationRefused(
            f"it has real and fake the wrong way round here (AUC {area:.2f}): check `fake` and `index`"
        )
    if low <= 0.5:
        raise CalibrationRefused(
            f"its AUC here is {area:.2f} ({low:.2f} to {high:.2f}): no better than chance"
        )
    slope, middle, offset = _fit(values, labels, names)
    if slope <= 0:
        raise CalibrationRefused("source by source, a higher score does not mean a fake here")
    real_sources, fake_sources = counts[1], counts[3]
    highest, lowest = max(1.0, real_sources / 3), min(1.0, 3 / fake_sources)
    ratios = np.exp(np.clip(held, -50, 50))
    return Calibration(
        name, behaviour, slope, middle, offset, lowest, highest,
        round(area, 4), round(low, 4), round(float((ratios[~labels] > 2).mean()), 4),
        *counts, made_at, tuple(doubts),
    )  # fmt: skip


def auc(values: _Numbers, labels: NDArray[np.bool_]) -> float:
    """The chance that a fake has the higher value than a real one; ties count half."""
    order = np.argsort(values, kind="stable")
    _, first, counts = np.unique(values[order], return_index=True, return_counts=True)
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    fakes, reals = int(labels.sum()), int((~labels).sum())
    if not fakes or not reals:
        return math.nan
    return float((ranks[labels].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def _counted(labels: NDArray[np.bool_], names: NDArray[np.str_]) -> tuple[int, int, int, int]:
    counts: list[int] = []
    for what, chosen in (("real", ~labels), ("made or altered", labels)):
        pictures, sources = int(chosen.sum()), len(set(names[chosen].tolist()))
        if pictures < LEAST_PICTURES or sources < LEAST_SOURCES:
            raise CalibrationRefused(
                f"{pictures} {what} pictures from {sources} sources with a score; at least "
                f"{LEAST_PICTURES} from {LEAST_SOURCES} are needed"
            )
        counts += [pictures, sources]
    return counts[0], counts[1], counts[2], counts[3]


def _logit(scores: _Numbers) -> _Numbers:
    bounded = np.clip(np.asarray(scores, np.float64), _NEAR, 1 - _NEAR)
    return np.asarray(np.log(bounded / (1 - bounded)), np.float64)


def _weights(labels: NDArray[np.bool_], names: NDArray[np.str_]) -> _Numbers:
    """Each source weighs the same within its class, and both classes weigh the same."""
    made = np.zeros(len(labels))
    for chosen in (labels, ~labels):
        found, back, counts = np.unique(names[chosen], return_inverse=True, return_counts=True)
        made[chosen] = chosen.sum() / (len(found) * counts[back])
        made[chosen] *= len(labels) / (2 * chosen.sum())
    return made


def _fit(
    values: _Numbers, labels: NDArray[np.bool_], names: NDArray[np.str_]
) -> tuple[float, float, float]:
    """Logistic regression with a small ridge, by Newton's method: slope, middle and offset."""
    middle, spread = float(np.median(values)), float(values.std()) or 1.0
    rows = np.stack([(values - middle) / spread, np.ones(len(values))], axis=1)
    weights, found = _weights(labels, names), np.zeros(2)
    for _ in range(50):
        guess = 1 / (1 + np.exp(-np.clip(rows @ found, -50, 50)))
        pull = rows.T @ (weights * (labels - guess)) - _RIDGE * found
        bend = (rows * (weights * guess * (1 - guess))[:, None]).T @ rows + _RIDGE * np.eye(2)
        step = np.linalg.solve(bend, pull)
        found = found + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return float(found[0]) / spread, middle, float(found[1])


def _left_out(values: _Numbers, labels: NDArray[np.bool_], names: NDArray[np.str_]) -> _Numbers:
    """The logarithm of each picture's ratio, by a fit that saw nothing of its source."""
    every = sorted(set(names.tolist()))
    folds = {name: number % _FOLDS for number, name in enumerate(every)}
    fold = np.array([folds[name] for name in names.tolist()])
    made = np.zeros(len(values))
    for number in range(_FOLDS):
        inside, outside = fold == number, fold != number
        if len(set(labels[outside].tolist())) < 2:
            continue
        slope, middle, offset = _fit(values[outside], labels[outside], names[outside])
        made[inside] = slope * (values[inside] - middle) + offset
    return made


def _interval(
    values: _Numbers, labels: NDArray[np.bool_], names: NDArray[np.str_]
) -> tuple[float, float]:
    """95 % interval of the AUC, by drawing sources anew 400 times, and not pictures."""
    random = np.random.default_rng(1)
    groups = [np.flatnonzero(names == name) for name in sorted(set(names.tolist()))]
    drawn = []
    for _ in range(400):
        rows = np.concatenate([groups[one] for one in random.integers(0, len(groups), len(groups))])
        value = auc(values[rows], labels[rows])
        if not math.isnan(value):
            drawn.append(value)
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist() if drawn else (0.0, 1.0)
    return float(low), float(high)
