"""How much likelier a value is among altered pictures than among camera photographs.

The ratios come from data/calibration.json, which says on which set and by which command they were
made. They are taken from counts in a few bins, made monotonous, and kept cautious: a bin counts
CAUTION camera photographs more than it has, so that what was never seen is not impossible.
"""

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from haechi.forensics.report import Signal, State

CAUTION = 3.0
"""Files of one photograph are not independent of each other: about so many are made of each."""

SPEAKS = 2.0
"""A ratio from which a signal is told as found."""

_SHARES = (0.5, 0.8, 0.9, 0.96, 0.99)


@dataclass(frozen=True, slots=True)
class Scale:
    """One signal's ratios: `ratios[i]` for values from `edges[i - 1]` to below `edges[i]`.

    Attributes:
        edges: Rising; one fewer than the others.
        camera: Camera photographs, and edited copies of them, in each bin.
        altered: Altered pictures in each bin.
        ratios: Likelihood ratios, never falling.
    """

    edges: tuple[float, ...]
    camera: tuple[int, ...]
    altered: tuple[int, ...]
    ratios: tuple[float, ...]

    def ratio(self, value: float) -> float:
        """The likelihood ratio of a value."""
        return self.ratios[int(np.searchsorted(self.edges, value, side="right"))]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A named set and what it says of each signal.

    Attributes:
        name: What a signal cites.
        about: Photographs, files, where they come from, the command that made it.
        scales: By id of signal.
        usual: By id of a signal that is not calibrated: what 99 of 100 camera files do not exceed.
    """

    name: str
    about: Mapping[str, str]
    scales: Mapping[str, Scale]
    usual: Mapping[str, float]


@functools.cache
def shipped() -> Calibration:
    """The set that comes with Haechi."""
    path = resources.files("haechi.forensics") / "data" / "calibration.json"
    return parsed(path.read_text("utf-8"))


def parsed(text: str) -> Calibration:
    """From the JSON of `written`."""
    told = json.loads(text)
    scales = {
        name: Scale(*(tuple(one[key]) for key in ("edges", "camera", "altered", "ratios")))
        for name, one in told["scales"].items()
    }
    return Calibration(told["name"], told["about"], scales, told["usual"])


def written(calibration: Calibration) -> str:
    """As JSON, for `parsed`."""
    scales = {
        name: {
            "edges": list(scale.edges),
            "camera": list(scale.camera),
            "altered": list(scale.altered),
            "ratios": list(scale.ratios),
        }
        for name, scale in calibration.scales.items()
    }
    told = {
        "name": calibration.name,
        "about": dict(calibration.about),
        "scales": scales,
        "usual": dict(calibration.usual),
    }
    return json.dumps(told, indent=1) + "\n"


def fitted(camera: Sequence[float], altered: Sequence[float], edges: Sequence[float] = ()) -> Scale:
    """The scale of a signal from its values in both classes; neither may be empty.

    Without `edges`, rising, they are quantiles of the camera's values.
    """
    if not edges:
        edges = sorted({round(float(np.quantile(camera, share)), 4) for share in _SHARES})
    counted = [
        np.bincount(np.searchsorted(edges, one, side="right"), minlength=len(edges) + 1)
        for one in (camera, altered)
    ]
    here, there = counted[1] / len(altered), (counted[0] + CAUTION) / (len(camera) + CAUTION)
    ratios = _rising(
        list(np.maximum(here, 0.5 / len(altered)) / there), list(counted[0] + counted[1])
    )
    return Scale(
        tuple(edges),
        tuple(int(one) for one in counted[0]),
        tuple(int(one) for one in counted[1]),
        tuple(round(one, 3) for one in ratios),
    )


def weighed(signals: Iterable[Signal], calibration: Calibration) -> tuple[Signal, ...]:
    """Signals that have a scale get their ratio; they speak from SPEAKS on."""
    return tuple(_weighed(one, calibration) for one in signals)


def _weighed(signal: Signal, calibration: Calibration) -> Signal:
    if signal.state is State.OFF or signal.value is None or signal.calibration is not None:
        return signal
    scale = calibration.scales.get(signal.id)
    if scale is not None:
        ratio = _of_parts(scale, signal.parts) if signal.parts else scale.ratio(signal.value)
        told = replace(signal, likelihood_ratio=ratio, calibration=calibration.name)
        return _told(told, speaks=ratio >= SPEAKS)
    usual = calibration.usual.get(signal.id)
    if usual is None:
        return signal
    limits = (*signal.limits, "limit.not_calibrated")
    return _told(replace(signal, limits=limits), speaks=signal.value > usual)


def _of_parts(scale: Scale, values: Sequence[float | None]) -> float:
    """The ratio of a picture of several parts, of which one was altered and nobody knows which: the mean.

    So a picture is not likelier altered for being large: among camera photographs the mean of the
    ratios is what the ratio of one part is on average. A part that was not examined speaks neither way.
    """
    return round(sum(1.0 if one is None else scale.ratio(one) for one in values) / len(values), 3)


def _told(signal: Signal, *, speaks: bool) -> Signal:
    base = signal.meaning.rpartition(".")[0]
    if speaks:
        return replace(signal, state=State.SPEAKS, meaning=f"{base}.speaks")
    return replace(signal, state=State.SILENT, meaning=f"{base}.silent", regions=(), heat=None)


def _rising(ratios: list[float], weights: list[int]) -> list[float]:
    """The nearest sequence that never falls, in the mean of logarithms (pool adjacent violators)."""
    pools: list[tuple[float, float, int]] = []
    for ratio, weight in zip(ratios, weights, strict=True):
        pools.append((float(np.log(ratio)), float(max(1, weight)), 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (low, one, many), (high, two, more) = pools[-2], pools[-1]
            joined = (low * one + high * two) / (one + two)
            pools[-2:] = [(joined, one + two, many + more)]
    return [float(np.exp(level)) for level, _, count in pools for _ in range(count)]
