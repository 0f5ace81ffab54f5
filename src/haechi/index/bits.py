"""The Hamming index of a catalog: rows of hashes under the numbers 0, 1, 2, .."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haechi.index.columns import Array
from haechi.index.hamming import HammingIndex

Hashes = NDArray[np.uint64]
Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""(number of the asked hash, row, distance in bits) of pairs, (k,) each."""

_MANY = 2048
_MANY_PART = 16
"""From this many on, and this part of what is there, building anew is cheaper than adding singly."""


class Bits:
    """256-bit hashes; none is ever taken out. Searches run side by side, and while some are added."""

    def __init__(self, hashes: Hashes, index: HammingIndex | None = None) -> None:
        """Begin with uint64 (n, 4), and with the index of just these if there is one already."""
        self._index = HammingIndex() if index is None else index
        self._rows = 0
        if index is None:
            self.append(hashes)
        self._rows = len(hashes)

    @property
    def nbytes(self) -> int:
        """Memory of the index, shared with other processes or not."""
        return self._index.nbytes

    def append(self, hashes: Hashes) -> None:
        """Add uint64 (n, 4) under the next numbers."""
        numbers = np.arange(self._rows, self._rows + len(hashes), dtype=np.int64)
        if len(hashes) >= max(_MANY, self._rows // _MANY_PART):
            self._index.load(numbers, hashes)
        else:
            self._index.insert_many(numbers, hashes)
        self._rows += len(hashes)

    def search(self, hashes: Hashes, radius: int, enough: int | None = None) -> Found:
        """Every row within `radius` bits, 0..40, of one of uint64 (m, 4).

        A hash that has found `enough` stops soon after.
        """
        return self._index.search_many(hashes, radius, enough)


def parts(hashes: Hashes) -> tuple[dict[str, Any], dict[str, Array]]:
    """(meta, arrays) from which `opened` makes the index of `hashes` without building it."""
    index = HammingIndex()
    index.load(np.arange(len(hashes), dtype=np.int64), hashes)
    meta, arrays = index.parts()
    return meta, {name: array for name, array in arrays.items() if name != "hashes"}


def opened(meta: Mapping[str, Any], arrays: Mapping[str, Array], hashes: Hashes) -> HammingIndex:
    """The index of `hashes`. Raises KeyError, TypeError or ValueError if `parts` gave no such."""
    index = HammingIndex.of_parts(meta, {**arrays, "hashes": hashes})
    if not np.array_equal(arrays["keys"], np.arange(len(hashes))):
        raise ValueError("keys are not the numbers of the rows")
    return index
