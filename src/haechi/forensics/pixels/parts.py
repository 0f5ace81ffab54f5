"""Large pictures in parts of about a megapixel each, at full size, for the traces are in single pixels."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haechi.forensics.report import Region

WHOLE_PIXELS = 1_500_000
"""Up to here a picture is one part, as those are that the signals are calibrated on."""

MOST = 16
"""Parts that are examined; of about a megapixel each."""

_SIDE = 1024
_BLOCK = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of the picture as it lies in the file, in pixels, on the grid of JPEG's blocks."""

    top: int
    left: int
    height: int
    width: int

    def of(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Its pixels."""
        rows = slice(self.top, self.top + self.height)
        return np.ascontiguousarray(rgb[rows, self.left : self.left + self.width])

    def region(self, height: int, width: int) -> Region:
        """In fractions of a picture of this size."""
        return Region(
            self.left / width, self.top / height, self.width / width, self.height / height
        )

    def meets(self, region: Region, height: int, width: int) -> bool:
        """True if `region`, in fractions of a picture of this size, reaches into it."""
        return (
            self.left < (region.x + region.width) * width
            and region.x * width < self.left + self.width
            and self.top < (region.y + region.height) * height
            and region.y * height < self.top + self.height
        )


def parts(height: int, width: int, first: Sequence[Region] = ()) -> list[Part]:
    """All parts, those that `first` reaches into before others, then from the middle outward."""
    if height * width <= WHOLE_PIXELS:
        return [Part(0, 0, height, width)]
    found = [
        Part(top, left, high, wide) for top, high in _spans(height) for left, wide in _spans(width)
    ]

    def rank(part: Part) -> tuple[int, float, int, int]:
        down = part.top + part.height / 2 - height / 2
        across = part.left + part.width / 2 - width / 2
        order = [n for n, region in enumerate(first) if part.meets(region, height, width)]
        return min(order, default=len(first)), math.hypot(down, across), part.top, part.left

    return sorted(found, key=rank)


def _spans(length: int) -> list[tuple[int, int]]:
    """(start, length) of nearly equal stretches, each beginning with a block."""
    many = math.ceil(length / _SIDE)
    edges = [length * one // many // _BLOCK * _BLOCK for one in range(many)] + [length]
    return [(start, end - start) for start, end in itertools.pairwise(edges)]
