"""Hash lists as python-threatexchange writes them: signal_type,signal_str,collab,category,tags.

The form of `threatexchange dataset -P --csv` (python-threatexchange 1.2, cli/dataset_cmd.py): CSV
with a header, the category the name of a SignalOpinionCategory, the tags with spaces between.
Beside its signal types `pdq` and `video_md5` we write and read `sha256`.

A cell that a spreadsheet would run (it begins with = + - @, a tab or a return; OWASP, CSV
injection) is written with an apostrophe before it, which reading takes away.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

COLUMNS = ("signal_type", "signal_str", "collab", "category", "tags")
LINE_LIMIT = 8_192
CELL_LIMITS = {"collab": 80, "tags": 2_000}

_FORMS = {
    "pdq": re.compile("[0-9a-f]{64}"),
    "video_md5": re.compile("[0-9a-f]{32}"),
    "sha256": re.compile("[0-9a-f]{64}"),
}
_RUNS = ("=", "+", "-", "@", "\t", "\r")


class Category(StrEnum):
    """What whoever wrote the list thinks of a hash: SignalOpinionCategory."""

    POSITIVE = "POSITIVE_CLASS"
    SEED = "INVESTIGATION_SEED"
    NEGATIVE = "NEGATIVE_CLASS"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line. `line`: its number, from 1 with the header; 0 for one that is being written."""

    signal_type: str
    signal: bytes
    collab: str
    category: Category
    tags: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that says nothing we can keep, and why."""

    line: int
    why: str


def read(lines: Iterable[str]) -> Iterator[Listed | Malformed]:
    """Every line after the header, in order; a wrong header is the one answer.

    Memory does not depend on the length. Lines longer than LINE_LIMIT characters are malformed,
    and so is a quoted cell that does not end on its line.
    """
    numbered = enumerate(lines, start=1)
    first = next(numbered, (1, ""))[1]
    header = _cells(first.removeprefix("\ufeff"))
    if header is None or tuple(cell.strip() for cell in header) != COLUMNS:
        yield Malformed(1, f"the header is not {','.join(COLUMNS)}")
        return
    for number, line in numbered:
        if line.strip("\r\n "):
            yield _line(number, line)


def lines_of(source: IO[str]) -> Iterator[str]:
    """The lines of a file, each cut a little beyond LINE_LIMIT: a file may be one endless line."""
    while text := source.readline(LINE_LIMIT + 2):
        yield text
        while not text.endswith("\n") and text:
            text = source.readline(LINE_LIMIT)


def header() -> str:
    """The first line."""
    return _written(COLUMNS)


def line(listed: Listed) -> str:
    """One line, with its end."""
    cells = (
        listed.signal_type,
        listed.signal.hex(),
        listed.collab,
        listed.category.value,
        " ".join(listed.tags),
    )
    return _written([safe(cell) for cell in cells])


def safe(cell: str) -> str:
    """`cell` as no spreadsheet runs it."""
    return f"'{cell}" if cell.startswith((*_RUNS, "'")) else cell


def plain(cell: str) -> str:
    """What `safe` was given."""
    return cell[1:] if cell.startswith("'") and cell[1:2] in (*_RUNS, "'") else cell


def _line(number: int, text: str) -> Listed | Malformed:
    if len(text) > LINE_LIMIT:
        return Malformed(number, f"longer than {LINE_LIMIT} characters")
    cells = _cells(text)
    if cells is None:
        return Malformed(number, "no CSV")
    if len(cells) != len(COLUMNS):
        return Malformed(number, f"{len(cells)} cells in place of {len(COLUMNS)}")
    kind, signal, collab, category, tags = (plain(cell.strip()) for cell in cells)
    why = _wrong(kind, signal.lower(), {"collab": collab, "tags": tags}, category)
    if why:
        return Malformed(number, why)
    return Listed(
        kind, bytes.fromhex(signal), collab, Category(category), tuple(tags.split()), number
    )


def _wrong(kind: str, signal: str, texts: dict[str, str], category: str) -> str:
    if kind not in _FORMS:
        return f"signal_type {kind[:40]!r} is not kept here; {', '.join(_FORMS)} are"
    if not _FORMS[kind].fullmatch(signal):
        return f"signal_str is no {kind}"
    if category not in list(Category):
        return f"category {category[:40]!r} is none of {', '.join(Category)}"
    for name, text in texts.items():
        if len(text) > CELL_LIMITS[name]:
            return f"{name} is longer than {CELL_LIMITS[name]} characters"
        if not text.isprintable():
            return f"{name} holds control characters"
    return ""


def _cells(text: str) -> list[str] | None:
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _written(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue()
