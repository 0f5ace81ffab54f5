"""How the story is told: one calm line a step, a table where there are numbers."""

import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from haechi.errors import HaechiError

WIDTH = 84
LONGEST = 600


class NotAsTold(HaechiError):
    """Something in the story happened otherwise; says what was expected and what was seen."""

    code = "demo.not_as_told"

    def __init__(self, what: str, *, expected: object, seen: object) -> None:
        super().__init__(f"{what}: expected {expected!r}, saw {seen!r}")
        self.what, self.expected, self.seen = what, expected, seen


def expect(what: str, *, expected: object, seen: object) -> None:
    """A real assertion of the story. Raises NotAsTold unless the two are equal."""
    if expected != seen:
        raise NotAsTold(what, expected=expected, seen=seen)


def expect_in(what: str, part: str, whole: str) -> None:
    """Raises NotAsTold unless `part` stands in `whole`."""
    if part not in whole:
        raise NotAsTold(what, expected=f"... {part} ...", seen=" ".join(whole.split())[:400])


class Teller:
    """Writes to `out`. Times are wall-clock seconds."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the telling began."""
        return time.monotonic() - self._began

    def line(self, text: str = "") -> None:
        """One line, at once."""
        self._out.write(f"{text}\n")
        self._out.flush()

    @contextmanager
    def timed(self, text: str) -> Iterator[None]:
        """Do something, then say what it was and how long it took."""
        start = time.monotonic()
        yield
        self.line(f"{_padded(text, WIDTH - 8)}{time.monotonic() - start:6.1f} s")

    @contextmanager
    def step(self, number: int, text: str) -> Iterator[list[str]]:
        """A numbered step. What is put into the list is told under it, indented."""
        notes: list[str] = []
        with self.timed(f"{number}. {text}"):
            yield notes
        for note in notes:
            self.line(f"   {note}")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as they must be; wide characters count twice."""
        widths = [max(map(_width, column)) for column in zip(head, *rows, strict=True)]
        for row in (head, ["-" * width for width in widths], *rows):
            cells = (_padded(cell, width) for cell, width in zip(row, widths, strict=True))
            self.line(f"   {'  '.join(cells)}".rstrip())

    def fault(self, fault: NotAsTold, logs: Path) -> None:
        """What was expected, what was seen, and where to look."""
        self.line(f"NOT AS TOLD: {fault.what}")
        self.line(f"   expected  {str(fault.expected)[:LONGEST]}")
        self.line(f"   seen      {str(fault.seen)[:LONGEST]}")
        self.line(f"   logs      {logs}")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - _width(text))
