"""From a value to the rows that have it: row numbers in the order of their values.

Four bytes a row, and no Python object: the values stay in the table they belong to. What was added
lately is in a dictionary, until that holds a 64th of all; then both are merged.
"""

from bisect import bisect_left
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint32]
ValuesOf = Callable[[Rows], NDArray[np.uint64]]
ValueOf = Callable[[np.uint32], int]

_LEAST_RECENT = 4096
_RECENT_PART = 64


class Lookup:
    """Rows by a value of 64 bits; several rows may have one value. One writer, many readers.

    Rows are never taken out: the caller knows which of those found still count.
    """

    def __init__(self, values_of: ValuesOf, value_of: ValueOf, order: Rows) -> None:
        """How to read the values of rows and of one row, and rows sorted by value, kept as given."""
        self._values_of = values_of
        self._value_of = value_of
        # Published together: a reader must not see a merged order without the rows merged in.
        self._state: tuple[Rows, dict[int, list[int]]] = (order, {})

    @property
    def nbytes(self) -> int:
        """Memory of the order; what is recent is not counted."""
        return self._state[0].nbytes

    def add(self, values: NDArray[np.uint64], rows: Rows) -> None:
        """`rows` have `values`; their table has them already."""
        order, recent = self._state
        if len(recent) + len(values) > max(_LEAST_RECENT, len(order) // _RECENT_PART):
            late = np.array([row for known in recent.values() for row in known], dtype=np.uint32)
            every = np.concatenate([order, late, rows])
            self._state = (sorted_rows(self._values_of, every), {})
            return
        for value, row in zip(values.tolist(), rows.tolist(), strict=True):
            recent.setdefault(value, []).append(row)

    def find(self, value: int) -> list[int]:
        """Every row that has `value`."""
        order, recent = self._state
        found = list(recent.get(value, ()))
        at = bisect_left(order, value, key=self._value_of)
        while at < len(order) and self._value_of(order[at]) == value:
            found.append(int(order[at]))
            at += 1
        return found

    def find_many(self, values: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Every row that has one of `values`, in no order."""
        order, recent = self._state
        rows = [row for value in values.tolist() for row in recent.get(value, ())]
        if not len(order) or values.min() > self._values_of(order[-1:])[0]:
            return np.array(rows, dtype=np.int64)  # new numbers, as whoever loads a table has them
        kept = self._values_of(order)
        starts = np.searchsorted(kept, values, "left")
        ends = np.searchsorted(kept, values, "right")
        spans = [order[starts[at] : ends[at]] for at in np.flatnonzero(starts < ends)]
        return np.concatenate([np.array(rows, dtype=np.int64), *spans]).astype(np.int64)


def sorted_rows(values_of: ValuesOf, rows: Rows) -> Rows:
    """`rows` in the order of their values."""
    return rows[np.argsort(values_of(rows), kind="stable")]
