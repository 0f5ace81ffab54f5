"""Labelled pictures: what each is, and above all where it comes from.

A CSV with a header. `path` (from the folder of the CSV), `label` (real or camera; made, made_by_ai,
altered or fake) and `source` are needed. A source is whatever makes pictures alike for reasons that
have nothing to do with the question: a camera, a person, a web site, one run of one generator, a
picture and all that was made of it. `generator`, `set` (of real pictures: which collection) and
columns that begin with `group_` are optional and become breakdowns.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from haechi.errors import ManifestRefused

REAL = frozenset({"real", "camera"})
FAKE = frozenset({"made", "made_by_ai", "altered", "fake"})
LARGEST_BYTES = 64 * 1024 * 1024
LONGEST = 512
"""Characters of a cell."""

GROUP = "group_"


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled picture.

    Attributes:
        path: Of the file.
        fake: Made or altered.
        source: What it shares with others; splits and intervals go by it.
        generator: Of a fake, or empty.
        collection: The set a real picture is from, or empty.
        groups: Of people or things, by the name of the column without its beginning.
    """

    path: Path
    fake: bool
    source: str
    generator: str
    collection: str
    groups: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The list as it was read; `sha256` is of the file, so that two cards know the same list."""

    items: tuple[Item, ...]
    sha256: str


def read(path: Path) -> Manifest:
    """The manifest at `path`. Raises ManifestRefused, or OSError."""
    if path.stat().st_size > LARGEST_BYTES:
        raise ManifestRefused(f"{path.name} is longer than {LARGEST_BYTES} bytes")
    content = path.read_bytes()
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ManifestRefused(f"{path.name} is no CSV: {error}") from error
    if not rows:
        raise ManifestRefused(f"{path.name} names no picture")
    missing = {"path", "label", "source"} - {str(name) for name in rows[0]}
    if missing:
        raise ManifestRefused(f"{path.name} has no column {', '.join(sorted(missing))}")
    items = tuple(_item(row, path, number) for number, row in enumerate(rows, 2))
    return Manifest(items, hashlib.sha256(content).hexdigest())


def joined(items: Sequence[Item], digests: Sequence[str]) -> tuple[list[Item], int]:
    """`items` with sources that share a file made one, and how many files were in two sources.

    Raises ManifestRefused for a file that is called real in one place and fake in another.
    """
    first: dict[str, Item] = {}
    root = {one.source: one.source for one in items}
    shared = 0
    for item, digest in zip(items, digests, strict=True):
        before = first.setdefault(digest, item)
        if before.fake != item.fake:
            raise ManifestRefused(f"{before.path} and {item.path} are one file with two labels")
        one, two = _root(root, before.source), _root(root, item.source)
        if before.source != item.source:
            shared += 1
        root[max(one, two)] = min(one, two)
    return [replace(item, source=_root(root, item.source)) for item in items], shared


def halves(items: Sequence[Item]) -> list[bool]:
    """For each picture whether it is in the first half: sources in turn, so that none is in both.

    Sources are ordered by a digest of their name and dealt out class by class, so that both
    halves have both classes wherever there are two sources of each.
    """
    kinds: dict[str, set[bool]] = {}
    for item in items:
        kinds.setdefault(item.source, set()).add(item.fake)
    order = sorted(kinds, key=lambda name: hashlib.sha256(name.encode()).digest())
    first: set[str] = set()
    for kind in ({True}, {False}, {True, False}):
        first.update([name for name in order if kinds[name] == kind][::2])
    return [item.source in first for item in items]


def _root(root: Mapping[str, str], name: str) -> str:
    while root[name] != name:
        name = root[name]
    return name


def _item(row: Mapping[str | None, str | None], path: Path, line: int) -> Item:
    cells = {str(name): (value or "").strip() for name, value in row.items() if name is not None}
    if None in row or any(len(value) > LONGEST for value in cells.values()):
        raise ManifestRefused(f"line {line} has too many cells, or one that is too long")
    if not all(value.isprintable() for value in cells.values()):
        raise ManifestRefused(f"line {line} has characters that are no text")
    label = cells["label"].lower()
    if label not in REAL | FAKE:
        raise ManifestRefused(f"line {line}: {label!r} is none of {', '.join(sorted(REAL | FAKE))}")
    if not cells["source"] or not cells["path"]:
        raise ManifestRefused(f"line {line} names no source or no path")
    return Item(
        path=path.parent / cells["path"],
        fake=label in FAKE,
        source=cells["source"],
        generator=cells.get("generator", "") if label in FAKE else "",
        collection=cells.get("set", "") if label in REAL else "",
        groups=dict(_groups(cells)),
    )


def _groups(cells: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name, value in cells.items():
        if name.startswith(GROUP) and value:
            yield name.removeprefix(GROUP), value
