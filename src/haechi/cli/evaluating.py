"""`haechi evaluate edits`: recall of the real search, edit by edit. docs/recall.md explains."""

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from haechi.cli.files import Fault, read, walk
from haechi.cli.hashing import fault
from haechi.cli.knowing import taken, warn_without_model
from haechi.cli.printing import MATCH, Printer, Record, grep_codes, say
from haechi.cli.progress import Progress
from haechi.cli.thresholds import policy
from haechi.cli.workshop import Workshop
from haechi.errors import FingerprintError, MediaError, TooFewPictures, UnknownEdit
from haechi.evaluation import chart, edited
from haechi.evaluation.edits import CROWDED, EDITS
from haechi.evaluation.recall import WAYS, Ground, Tally, summed
from haechi.fingerprint import ImageFingerprint

COLUMNS = ("edit", "pictures", *WAYS, "embeddings", "false", "pairs")
LEAST_PICTURES = 6
STRANGERS = 4
"""One picture in so many is never known: it is looked up as it is, and fills collages."""

_TILES = 4


@dataclass(frozen=True, slots=True)
class _Folder:
    """The pictures of a folder: known ones with their fingerprints as members, and strangers."""

    known: list[tuple[str, ImageFingerprint]]
    strangers: list[str]


@grep_codes
def evaluate_edits(asked: argparse.Namespace) -> int:
    """One record an edit, then those of all edits and of strangers. 0, or 2 with an error."""
    names = _named(asked.edits)
    thresholds = policy(asked.policy)
    with Workshop() as shop:
        warn_without_model(shop)
        folder = _folder(asked, shop)
        ground = Ground(((key, seen) for key, (_, seen) in enumerate(folder.known)), thresholds)
        printer = Printer(asked, COLUMNS, _row, _lines)
        if asked.form == "table":
            print("  ".join(f"{name:>{_width(name)}}" for name in COLUMNS))
        tallies: list[tuple[str, Tally]] = []
        steps = len(names) * len(folder.known) + len(folder.strangers)
        with Progress("evaluate", lambda: range(steps)) as bar:
            for name in names:
                tally = Tally()
                for key, seen in _edited(name, folder, asked.seed, shop):
                    bar.step()
                    ground.ask(seen, key, tally)
                bar.aside()
                printer.put(_record(name, tally))
                tallies.append((name, tally))
            strangers = Tally()
            for plain in shop.each(lambda path: _seen(path, shop), folder.strangers):
                bar.step()
                if plain is not None:
                    ground.ask(plain, None, strangers)
    every = summed([tally for _, tally in tallies])
    printer.put(_record("all edits", every) | {"lowest": _lowest(tallies)})
    printer.put(_record("unrelated", strangers) | {"certain_false": _certain(every, strangers)})
    if asked.chart is not None:
        rows = [(name, {way: tally.recall(way) for way in WAYS}) for name, tally in tallies]
        title = f"recall of {len(folder.known)} pictures, edit by edit"
        Path(asked.chart).write_text(chart.recall(rows, WAYS, title), encoding="utf-8")
    return MATCH


def _named(typed: str | None) -> list[str]:
    names = list(EDITS) if typed is None else typed.split(",")
    for name in names:
        if name not in EDITS:
            raise UnknownEdit(f"{name}; there are {', '.join(EDITS)}")
    return names


def _folder(asked: argparse.Namespace, shop: Workshop) -> _Folder:
    """Pictures in an order that depends on the seed and their names only."""
    paths = list(walk([asked.folder]))
    random.Random(asked.seed).shuffle(paths)  # noqa: S311 - an order, no secret
    if asked.pictures is not None:
        paths = paths[: asked.pictures * STRANGERS // (STRANGERS - 1) + 1]
    known: list[tuple[str, ImageFingerprint]] = []
    strangers: list[str] = []
    with Progress("known", lambda: paths) as bar:
        for path, seen in shop.each(lambda path: (path, _seen(path, shop, member=True)), paths):
            bar.step()
            if seen is None:
                continue
            if (len(known) + len(strangers)) % STRANGERS == 1:
                strangers.append(path)
            else:
                known.append((path, seen))
    if len(known) + len(strangers) < LEAST_PICTURES:
        raise TooFewPictures(f"at least {LEAST_PICTURES} pictures that can be opened are needed")
    return _Folder(known, strangers)


def _seen(path: str, shop: Workshop, *, member: bool = False) -> ImageFingerprint | None:
    file = read(path, shop.sandbox.limits, shop.stop)
    if isinstance(file, Fault) or file.data is None:
        return None
    found = taken(file, shop, member=member)
    if isinstance(found, Fault):
        say(f"{found.path}: {found.words} [{found.code}]")
        return None
    return found


def _edited(
    name: str, folder: _Folder, seed: int, shop: Workshop
) -> Iterator[tuple[int, ImageFingerprint]]:
    """The numbers of the known pictures, each with the fingerprint of its edited copy."""

    def make(key: int) -> tuple[int, ImageFingerprint | Fault]:
        others = []
        if name in CROWDED:
            drawn = random.Random(f"{seed} {key} {name}")  # noqa: S311 - an order, no secret
            count = min(_TILES, len(folder.strangers))
            others = [_bytes(path, shop) for path in drawn.sample(folder.strangers, count)]
        path = folder.known[key][0]
        try:
            data = _bytes(path, shop)
            return key, shop.sandbox.run(edited.asked, data, name, others, seed + key)
        except (MediaError, FingerprintError) as error:
            return key, fault(path, error)

    for key, seen in shop.each(make, range(len(folder.known))):
        if isinstance(seen, Fault):
            say(f"{seen.path}: {seen.words} [{seen.code}]")
        else:
            yield key, seen


def _bytes(path: str, shop: Workshop) -> bytes:
    file = read(path, shop.sandbox.limits, shop.stop)
    return b"" if isinstance(file, Fault) or file.data is None else file.data


def _record(name: str, tally: Tally) -> Record:
    return {
        "edit": name,
        "pictures": tally.asked,
        "recall": {way: round(tally.recall(way), 4) for way in WAYS},
        "embeddings": round(tally.cost, 3),
        "pairs": tally.pairs,
        "false": tally.false,
    }


def _lowest(tallies: list[tuple[str, Tally]]) -> dict[str, object]:
    name, tally = min(tallies, key=lambda one: one[1].recall(WAYS[-1]))
    return {"edit": name, "recall": round(tally.recall(WAYS[-1]), 4)}


def _certain(*tallies: Tally) -> int:
    return sum(tally.certain_false for tally in tallies)


def _cells(record: Record) -> list[object]:
    recall = record["recall"]
    found = [recall[way] for way in WAYS] if isinstance(recall, dict) else []
    if record["edit"] == "unrelated":
        found = ["" for _ in WAYS]
    return [
        record["edit"], record["pictures"], *found,
        record["embeddings"], record["false"], record["pairs"],
    ]  # fmt: skip


def _row(record: Record) -> Iterator[list[object]]:
    yield _cells(record)


def _lines(record: Record) -> Iterator[list[object]]:
    cells = [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in _cells(record)]
    yield [f"{cell:>{_width(name)}}" for name, cell in zip(COLUMNS, cells, strict=True)]
    if "lowest" in record and isinstance(record["lowest"], dict):
        yield [f"lowest: {record['lowest']['edit']} at {record['lowest']['recall']:.3f}"]
    if "certain_false" in record:
        yield [f"false matches that a machine would have acted on: {record['certain_false']}"]


def _width(name: str) -> int:
    return 26 if name == "edit" else max(10, len(name))
