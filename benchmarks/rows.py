"""What a benchmark answers, and how two things are timed fairly."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypedDict


class Row(TypedDict):
    """One line of the table.

    name    such as index.hamming_1m
    ours    of Haechi, in `unit`
    peer    the same of the peer in the same run; None where there is none
    unit    what is counted; a time unless it ends in /s or is bytes
    ratio   above 1 means that ours is better; None without a peer
    bound   which peer it is, and what bounds our figure
    """

    name: str
    ours: float
    peer: float | None
    unit: str
    ratio: float | None
    bound: str


def row(
    name: str,
    ours: float,
    peer: float | None,
    unit: str,
    bound: str,
    *,
    more_is_better: bool = False,
) -> Row:
    """A row with its ratio."""
    ratio = None
    if peer:
        ratio = round(ours / peer if more_is_better else peer / ours, 2)
    shown = None if peer is None else _rounded(peer)
    return {
        "name": name,
        "ours": _rounded(ours),
        "peer": shown,
        "unit": unit,
        "ratio": ratio,
        "bound": bound,
    }


def in_turns(
    acts: Sequence[Callable[[int], object]], rounds: int, *, block: int = 1
) -> list[float]:
    """Median seconds of each act, called with 0, 1, 2, ...; `block` calls of each by turns.

    By turns, so that whatever else the machine does falls on all of them; in blocks where one act
    would empty the caches that the others work with. The first round is not counted.
    """
    times: list[list[float]] = [[] for _ in acts]
    for turn in range(rounds + 1):
        for act, taken in zip(acts, times, strict=True):
            for number in range(turn * block, (turn + 1) * block):
                begun = time.perf_counter()
                act(number)
                taken.append(time.perf_counter() - begun)
    return [statistics.median(taken[block:]) for taken in times]


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
