"""Thresholds from the tails of unrelated pictures, for a stated rate of false matches."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.errors import TooFewPictures
from haechi.evaluation.pairs import Likeness
from haechi.evaluation.tail import Tail, fit
from haechi.fingerprint import pdq
from haechi.index import DEFAULT, Policy

RATE = 1e-9
"""False matches a pair of unrelated pictures, unless another rate is asked for."""

CERTAIN_FACTOR = 1e-3
"""A machine acts alone where the rate is so much lower still."""

LEAST_PICTURES = 35
"""Fewer have not the 500 pairs that a tail needs."""

_ALIKE = 0.80


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What a folder of unrelated pictures says.

    Attributes:
        pictures: How many were compared.
        rate: The false matches a pair that the thresholds were made for.
        tails: By measure ("whole", "views", "pdq"); PDQ as 256 minus the distance. Without the
            model only "pdq".
        values: By measure, what each tail was fitted to.
        suspects: Pairs (query, member, why) that were left out: they look like one picture.
        policy: The thresholds.
    """

    pictures: int
    rate: float
    tails: dict[str, Tail]
    values: dict[str, NDArray[np.float64]]
    suspects: tuple[tuple[int, int, str], ...]
    policy: Policy


def calibrate(likeness: Likeness, rate: float = RATE) -> Calibration:
    """Fit the tails and place the thresholds at `rate`, rounded up to whole hundredths.

    Pairs that look like copies of one picture (PDQ at 31 bits or under, whole cosine at 0.80 or
    over) are left out and told: a folder that has copies says nothing of unrelated pictures.
    Raises TooFewPictures.
    """
    count = len(likeness.bits)
    if count < LEAST_PICTURES:
        msg = f"{count} pictures that can be opened; {LEAST_PICTURES} are needed, better 1,000"
        raise TooFewPictures(msg)
    same = (likeness.bits <= DEFAULT.pdq_edited_bits) | (likeness.whole >= _ALIKE)
    np.fill_diagonal(same, val=False)
    apart = ~(same | same.T) & ~np.eye(count, dtype=bool)
    upper = apart & np.triu(np.ones_like(apart), 1)
    values = {"pdq": pdq.BITS - likeness.bits[apart & (likeness.bits < pdq.BITS)].astype(float)}
    if not np.isnan(likeness.whole).any():
        values["whole"] = likeness.whole[upper].astype(float)
        values["views"] = likeness.views[apart].astype(float)
    tails = {name: fit(measured) for name, measured in values.items()}
    return Calibration(count, rate, tails, values, _suspects(likeness, same), _policy(tails, rate))


def _policy(tails: dict[str, Tail], rate: float) -> Policy:
    bits = min(DEFAULT.pdq_edited_bits, math.floor(pdq.BITS - tails["pdq"].value(rate)))
    bits = max(0, bits)
    if "whole" not in tails:
        return Policy(pdq_same_bits=min(DEFAULT.pdq_same_bits, bits), pdq_edited_bits=bits)
    views = tails["views"].value(rate)
    sure = max(DEFAULT.sscd_certain, views, tails["views"].value(rate * CERTAIN_FACTOR))
    return Policy(
        pdq_same_bits=min(DEFAULT.pdq_same_bits, bits),
        pdq_edited_bits=bits,
        sscd_similarity=_hundredths(tails["whole"].value(rate)),
        sscd_view_similarity=_hundredths(views),
        sscd_certain=_hundredths(sure),
    )


def _hundredths(value: float) -> float:
    return min(0.99, math.ceil(value * 100 - 1e-9) / 100)


def _suspects(likeness: Likeness, same: NDArray[np.bool_]) -> tuple[tuple[int, int, str], ...]:
    found: list[tuple[int, int, str]] = []
    for row, column in np.argwhere(np.triu(same | same.T, 1)).tolist():
        bits = min(int(likeness.bits[row, column]), int(likeness.bits[column, row]))
        found.append((row, column, f"{bits} bits, cosine {likeness.whole[row, column]:.2f}"))
    return tuple(found)


def rarest(values: Sequence[float] | NDArray[np.float64]) -> float:
    """The lowest rate that so many values can show at all: one in as many."""
    return 1 / max(1, len(values))
