"""Rows of numbers that only grow: a shared, read-only beginning and a private rest.

Rows are added at the end and (`Table.change` apart) never changed, so a reader who notes how many there are (`now`) goes
on seeing exactly those, without a lock, while a writer adds more.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LEAST_ROWS = 64
_GROWTH = 1.5


class View:
    """The rows of a `Table` as they were at one moment. Immutable."""

    __slots__ = ("_base", "_base_rows", "_tail", "rows")

    def __init__(
        self, base: Mapping[str, Array], base_rows: int, tail: Mapping[str, Array], rows: int
    ) -> None:
        """`tail` may have room for more rows than belong to it."""
        self._base = base
        self._base_rows = base_rows
        self._tail = tail
        self.rows = rows

    def parts(self, name: str) -> Iterator[tuple[int, Array]]:
        """(number of the first row, rows) of a column: the shared and the private part."""
        if self._base_rows:
            yield 0, self._base[name]
        if self.rows > self._base_rows:
            yield self._base_rows, self._tail[name][: self.rows - self._base_rows]

    def whole(self, name: str) -> Array:
        """A column in one piece; copied if it lies in two."""
        parts = [part for _, part in self.parts(name)]
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else self._tail[name][:0]

    def take(self, name: str, rows: Array) -> Array:
        """The values of a column at `rows`, integers (n,)."""
        if not self._base_rows:
            return self._tail[name][rows]
        if self.rows == self._base_rows:
            return self._base[name][rows]
        column = self._tail[name]
        found = np.empty((len(rows), *column.shape[1:]), dtype=column.dtype)
        shared = rows < self._base_rows
        found[shared] = self._base[name][rows[shared]]
        found[~shared] = column[rows[~shared] - self._base_rows]
        return found

    def one(self, name: str, row: int) -> Any:  # noqa: ANN401 - a NumPy scalar or row
        """The value of a column at one row."""
        if row < self._base_rows:
            return self._base[name][row]
        return self._tail[name][row - self._base_rows]


class Table:
    """Named columns of equal length. One writer at a time; readers use `now`."""

    def __init__(self, base: Mapping[str, Array]) -> None:
        """`base` fixes names, dtypes and shapes; its arrays are kept as they are, not copied."""
        self._base = dict(base)
        self._base_rows = len(next(iter(base.values())))
        self._tail = {name: _room(array, 0) for name, array in base.items()}
        self._rows = self._base_rows

    def __len__(self) -> int:
        """Number of rows."""
        return self._rows

    @property
    def nbytes(self) -> int:
        """Memory of all columns, shared with other processes or not, and of the room to grow."""
        columns = [*self._base.values(), *self._tail.values()]
        return sum(array.nbytes for array in columns)

    def now(self) -> View:
        """What is there; rows that are added later are not in it."""
        return View(self._base, self._base_rows, self._tail, self._rows)

    def one(self, name: str, row: int) -> Any:  # noqa: ANN401 - a NumPy scalar or row
        """The value of a column at one row."""
        if row < self._base_rows:
            return self._base[name][row]
        return self._tail[name][row - self._base_rows]

    def append(self, **columns: Array) -> int:
        """Add rows, every column by name and of one length; returns the number of the first."""
        first = self._rows
        count = len(next(iter(columns.values())))
        start = first - self._base_rows
        tail = self._with_room(start + count)
        for name, values in columns.items():
            tail[name][start : start + count] = values
        self._tail = tail
        self._rows = first + count
        return first

    def change(self, name: str, rows: Array, value: int) -> None:
        """Set a column at private rows, in place: readers see it too."""
        self._tail[name][rows - self._base_rows] = value

    def _with_room(self, rows: int) -> dict[str, Array]:
        """The tail, or a longer copy of it: readers may still hold the old one."""
        capacity = len(next(iter(self._tail.values())))
        if rows <= capacity:
            return self._tail
        capacity = max(rows, _LEAST_ROWS, int(capacity * _GROWTH))
        grown = {}
        for name, array in self._tail.items():
            grown[name] = _room(array, capacity)
            grown[name][: len(array)] = array
        return grown


def _room(like: Array, rows: int) -> Array:
    return np.empty((rows, *like.shape[1:]), dtype=like.dtype)


def empty(**columns: tuple[str, int]) -> dict[str, Array]:
    """No rows: name=(dtype, values a row); 0 values a row make a plain column."""
    return {
        name: np.empty((0, width) if width else (0,), dtype=dtype)
        for name, (dtype, width) in columns.items()
    }
