"""How far two people who looked at the same case, each on their own, agree."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from haechi.server.cases.models import Opinion
from haechi.server.cases.reviews import FIRST, SECOND

Z_95 = 1.96

type Pair = tuple[str, str]


@dataclass(frozen=True)
class Agreement:
    """Over `pairs` cases.

    percent   that ended alike, 0 to 100; None without a case
    kappa     Cohen's: 1 always alike, 0 no more than by chance; None where chance alone explains all
    low, high bounds of its 95 % interval (large-sample; wide where there are few cases)
    """

    pairs: int
    percent: float | None = None
    kappa: float | None = None
    low: float | None = None
    high: float | None = None


def of_pairs(pairs: Sequence[Pair]) -> Agreement:
    """Percent and kappa of pairs of verdicts."""
    number = len(pairs)
    if not number:
        return Agreement(0)
    alike = sum(first == second for first, second in pairs) / number
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    chance = sum(firsts[verdict] * seconds[verdict] for verdict in firsts) / number**2
    if chance == 1:
        return Agreement(number, 100 * alike)
    kappa = (alike - chance) / (1 - chance)
    # The usual standard error of kappa: https://doi.org/10.1177/001316446002000104, eq. 7.
    error = sqrt(alike * (1 - alike) / (number * (1 - chance) ** 2))
    return Agreement(
        number, 100 * alike, kappa, max(-1.0, kappa - Z_95 * error), min(1.0, kappa + Z_95 * error)
    )


def looked_at() -> list[tuple[Opinion, Opinion]]:
    """First and blind second opinions of every case that was looked at twice."""
    opinions = Opinion.objects.filter(place__in=(FIRST, SECOND)).select_related("review")
    first: dict[int, Opinion] = {}
    both = []
    for opinion in opinions.order_by("review", "place"):
        if opinion.place == FIRST:
            first[opinion.review_id] = opinion
        elif opinion.review_id in first and opinion.review.settled_at is not None:
            both.append((first[opinion.review_id], opinion))
    return both
