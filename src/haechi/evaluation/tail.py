"""The tail of likeness among unrelated pictures: how seldom is how alike?

Peaks over a threshold (Pickands 1975, Davison and Smith 1990): what exceeds a high quantile of
the measured values is fitted by a generalised Pareto distribution with shape 0, the exponential,
whose one parameter is the mean excess. A shape is fitted too, by probability-weighted moments
(Hosking and Wallis 1987), and shown: above 0 the tail is heavier than what is extrapolated.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.errors import TooFewPictures

LEAST = 50
"""Values in the tail; fewer say nothing."""

_SIGMAS = 1.645


@dataclass(frozen=True, slots=True)
class Tail:
    """A fitted tail.

    Attributes:
        pairs: How many values were measured.
        start: Where the tail begins; `part` of the values exceed it.
        part: 0..1.
        scale: Mean excess over `start`: the tail falls e-fold for each.
        scale_high: Upper end of the one-sided 95 % interval of `scale`.
        shape: Of a generalised Pareto; 0 is exponential, under 0 ends, over 0 is heavier.
        highest: Of all measured values.
    """

    pairs: int
    start: float
    part: float
    scale: float
    scale_high: float
    shape: float
    highest: float

    @property
    def decade(self) -> float:
        """For how much more likeness the rate falls tenfold, at `scale_high`."""
        return self.scale_high * math.log(10)

    def rate(self, value: float) -> float:
        """The share of unrelated pairs at `value` or above, at `scale_high`; for value > start."""
        return self.part * math.exp(-(value - self.start) / self.scale_high)

    def value(self, rate: float) -> float:
        """The value that only `rate` of unrelated pairs reach, at `scale_high`."""
        return self.start + self.scale_high * math.log(self.part / rate)

    def extrapolated_decades(self, rate: float) -> float:
        """Powers of ten between `rate` and the rarest that was measured; 0 if it was measured."""
        return max(0.0, -math.log10(rate * self.pairs))


def fit(values: NDArray[np.floating], part: float = 1e-3) -> Tail:
    """The tail of `values` (n,), larger is more alike: its top `part`, but at least LEAST values.

    Raises TooFewPictures for fewer than ten times LEAST values.
    """
    count = len(values)
    if count < 10 * LEAST:
        msg = f"{count} pairs are too few for a tail; 32 pictures make 496, 100 make 4,950"
        raise TooFewPictures(msg)
    most = max(LEAST, round(count * part))
    ordered = np.sort(np.asarray(values, np.float64))
    start = float(ordered[-most - 1])
    excess = ordered[-most:] - start
    mean = max(float(excess.mean()), 1e-9)
    return Tail(
        pairs=count,
        start=start,
        part=most / count,
        scale=mean,
        scale_high=mean * (1 + _SIGMAS / math.sqrt(most)),
        shape=_shape(excess),
        highest=float(ordered[-1]),
    )


def _shape(excess: NDArray[np.float64]) -> float:
    """Of a generalised Pareto, by probability-weighted moments; `excess` rising."""
    count = len(excess)
    above = (count - 1 - np.arange(count)) / (count - 1)
    first, second = float(excess.mean()), float((excess * above).mean())
    return 2 - first / (first - 2 * second) if first != 2 * second else 0.0
