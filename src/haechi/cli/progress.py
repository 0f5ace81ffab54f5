"""A line on standard error that says how far long work is; silent unless somebody is looking."""

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Self, TextIO

EVERY_S = 0.2
_CLEAR = "\r\x1b[K"
_BAR = 24


class Progress:
    """Counts steps. `total` is worked out in the background, since folders take time to walk."""

    def __init__(
        self,
        label: str,
        items: Callable[[], Iterable[object]] | None,
        out: TextIO | None = None,
        *,
        unit: str = "files",
    ) -> None:
        """`items()` are as many as there will be steps, or `items` is None if nobody knows."""
        self._out = out or sys.stderr
        self._unit = unit
        self._label = label
        self._shown = self._out.isatty()
        self._total: int | None = None
        self._done = 0
        self._began_s = time.monotonic()
        self._drawn_s = 0.0
        if self._shown and items is not None:
            threading.Thread(target=self._count, args=(items,), daemon=True).start()

    def step(self) -> None:
        """One more is done."""
        self.reach(self._done + 1)

    def reach(self, done: int) -> None:
        """So many are done by now."""
        self._done = done
        now_s = time.monotonic()
        if self._shown and now_s - self._drawn_s >= EVERY_S:
            self._drawn_s = now_s
            width = shutil.get_terminal_size().columns - 1
            elapsed_s = now_s - self._began_s
            text = line(self._label, self._done, self._total, elapsed_s, self._unit)
            self._out.write(_CLEAR + text[:width])
            self._out.flush()

    def clear(self) -> None:
        """Take the line away, before another is printed."""
        if self._shown and self._drawn_s:
            self._drawn_s = 0.0
            self._out.write(_CLEAR)
            self._out.flush()

    def aside(self) -> None:
        """Make room for an answer, if answers go to the same terminal."""
        if sys.stdout.isatty():
            self.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def _count(self, items: Callable[[], Iterable[object]]) -> None:
        self._total = sum(1 for _ in items())


def line(label: str, done: int, total: int | None, elapsed_s: float, unit: str = "files") -> str:
    """What is shown: the bar and the time left only where the total is known."""
    rate = done / elapsed_s if elapsed_s > 0 else 0.0
    speed = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
    if not total:
        return f"{label}  {done:,} {unit}  {speed}"
    part = min(1.0, done / total)
    bar = "#" * round(part * _BAR)
    left = _clock((total - done) / rate) if rate and done < total else "0:00"
    return f"{label}  [{bar:.<{_BAR}}]  {done:,} of {total:,}  {speed}  {left} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
