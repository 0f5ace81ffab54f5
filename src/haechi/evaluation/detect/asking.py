"""A manifest opened: its pictures looked at, its sources joined, ready to be asked about."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from haechi.errors import MediaError, TooFewPictures
from haechi.evaluation.detect import manifest
from haechi.evaluation.detect.looks import Look
from haechi.evaluation.detect.measuring import Outcome, System, edited, looked, measured
from haechi.evaluation.edits import CROWDED
from haechi.media import DEFAULT, Sandbox

LEAST = 2
"""Pictures of each class; with fewer there is nothing to tell apart."""

_OTHERS = 4
_SECONDS = 60.0
"""For one picture; nobody waits at a form here."""


class Asking:
    """The pictures of a manifest that can be opened, with what they look like as files.

    Attributes:
        items: Each with its source; sources that share a file are one.
        looks: Of each, in the same order.
        faults: A line for each file that cannot be opened, and about joined sources.
        sha256: Of the manifest.
    """

    def __init__(self, path: Path, sandbox: Sandbox | None = None) -> None:
        """Raises ManifestRefused, OSError, or TooFewPictures."""
        self._sandbox = sandbox or Sandbox(1, replace(DEFAULT, seconds=_SECONDS))
        read = manifest.read(path)
        self.sha256 = read.sha256
        self.faults: list[str] = []
        self.items: Sequence[manifest.Item] = read.items
        seen = list(looked(self._read, len(read.items), self._sandbox))
        for item, look in zip(read.items, seen, strict=True):
            if isinstance(look, str):
                self.faults.append(f"{item.path}: {look}")
        kept = [
            (item, look)
            for item, look in zip(read.items, seen, strict=True)
            if isinstance(look, Look)
        ]
        self.looks = [look for _, look in kept]
        self.items, shared = manifest.joined(
            [item for item, _ in kept], [look.sha256 for look in self.looks]
        )
        if shared:
            self.faults.append(
                f"{shared} files lie in more than one source; those sources are one now"
            )
        for fake in (True, False):
            if sum(one.fake == fake for one in self.items) < LEAST:
                raise TooFewPictures("fakes and real pictures that can be opened are both needed")

    def outcomes(self, systems: Sequence[System]) -> Iterator[Mapping[str, Outcome]]:
        """What each system says of each picture, in order."""
        return measured(self._read, range(len(self.items)), systems, self._sandbox)

    def sample(self, each: int) -> list[int]:
        """The rows of at most `each` pictures of either class, as many sources as can be."""
        chosen: list[int] = []
        for fake in (True, False):
            turns: dict[str, list[int]] = {}
            for row, item in enumerate(self.items):
                if item.fake == fake:
                    turns.setdefault(item.source, []).append(row)
            deep = max((len(rows) for rows in turns.values()), default=0)
            order = [rows[n] for n in range(deep) for rows in turns.values() if n < len(rows)]
            chosen += order[:each]
        return sorted(chosen)

    def edited(
        self, name: str, rows: Sequence[int], systems: Sequence[System], seed: int
    ) -> Iterator[Mapping[str, Outcome]]:
        """What each system says of the pictures `rows` after the edit `name`."""

        def make(row: int) -> bytes:
            real = [
                one for one in range(len(self.items)) if not self.items[one].fake and one != row
            ]
            others = [self._read(one) for one in real[:_OTHERS]] if name in CROWDED else []
            return self._sandbox.run(edited, self._read(row), name, others, seed + row)

        for row in rows:
            try:
                data = make(row)
            except MediaError as error:
                yield {system.name: Outcome(None, why=error.code) for system in systems}
            else:
                yield {system.name: system.ask(data, self._sandbox) for system in systems}

    def close(self) -> None:
        """End the process that opens pictures."""
        self._sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, row: int) -> bytes:
        path = self.items[row].path
        return path.read_bytes() if path.stat().st_size <= self._sandbox.limits.bytes else b""
