"""`haechi calibrate`: thresholds from a folder of unrelated pictures. docs/recall.md explains."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from haechi.cli.files import Fault, read, walk
from haechi.cli.hashing import counted
from haechi.cli.knowing import taken, warn_without_model
from haechi.cli.printing import MATCH, Printer, Record, grep_codes, say
from haechi.cli.progress import Progress
from haechi.cli.workshop import Workshop
from haechi.errors import TooFewPictures
from haechi.evaluation import chart
from haechi.evaluation.calibrate import Calibration, calibrate
from haechi.evaluation.pairs import Looks, compare
from haechi.evaluation.quantised import Loss, both, loss
from haechi.evaluation.tail import Tail
from haechi.fingerprint import pdq
from haechi.index import policy_file

COLUMNS = (
    "measure", "pairs", "highest", "tail_from", "tail_pairs", "tenfold", "shape", "rate",
    "value_at_rate", "extrapolated_decades",
)  # fmt: skip
SUSPECTS = 20
"""So many pairs that look like copies are named; the rest are counted."""


@grep_codes
def calibrate_folder(asked: argparse.Namespace) -> int:
    """One record a measure, then the policy. 0, or 2 if it cannot be told."""
    with Workshop() as shop:
        warn_without_model(shop)
        paths, pictures = _pictures(asked, shop)
        if not pictures:
            raise TooFewPictures(f"{asked.folder}: no picture that can be opened")
        exact = _exact(paths, shop) if asked.float else None
    made = calibrate(compare(pictures), asked.rate)
    for row, column, why in made.suspects[:SUSPECTS]:
        say(f"left out as copies of one another: {paths[row]} and {paths[column]} ({why})")
    if len(made.suspects) > SUSPECTS:
        say(f"and {len(made.suspects) - SUSPECTS} more pairs")
    printer = Printer(asked, COLUMNS, _row, _lines)
    for name, tail in made.tails.items():
        printer.put(_record(name, tail, made.rate))
    printer.put(_verdict(made, exact))
    _write(asked, made)
    return MATCH


def _pictures(asked: argparse.Namespace, shop: Workshop) -> tuple[list[str], list[Looks]]:
    paths: list[str] = []
    pictures: list[Looks] = []
    with Progress("calibrate", counted([asked.folder])) as bar:
        for path, looks in shop.each(lambda path: (path, _looks(path, shop)), walk([asked.folder])):
            bar.step()
            if looks is not None:
                paths.append(path)
                pictures.append(looks)
    return paths, pictures


def _looks(path: str, shop: Workshop) -> Looks | None:
    file = read(path, shop.sandbox.limits, shop.stop)
    if isinstance(file, Fault):
        return None
    asked, known = taken(file, shop), taken(file, shop, member=True)
    return None if isinstance(asked, Fault) or isinstance(known, Fault) else Looks(asked, known)


def _exact(paths: list[str], shop: Workshop) -> Loss:
    """What is lost by keeping int8: every picture embedded once more as float32."""
    with Progress("float32", lambda: paths) as bar:
        rows = []
        for path in paths:
            file = read(path, shop.sandbox.limits, shop.stop)
            if not isinstance(file, Fault) and file.data is not None:
                rows.append(shop.sandbox.run(both, file.data))
            bar.step()
    return loss(rows)


def _record(name: str, tail: Tail, rate: float) -> Record:
    value, start, highest = tail.value(rate), tail.start, tail.highest
    if name == "pdq":
        value, start, highest = (pdq.BITS - bits for bits in (value, start, highest))
    return {
        "measure": name,
        "pairs": tail.pairs,
        "highest": round(highest, 4),
        "tail_from": round(start, 4),
        "tail_pairs": round(tail.part * tail.pairs),
        "tenfold": round(tail.decade, 4),
        "shape": round(tail.shape, 3),
        "rate": rate,
        "value_at_rate": round(value, 4),
        "extrapolated_decades": round(tail.extrapolated_decades(rate), 1),
    }


def _verdict(made: Calibration, exact: Loss | None) -> Record:
    return {
        "measure": "policy",
        "pictures": made.pictures,
        "left_out": len(made.suspects),
        "policy": asdict(made.policy),
        **({} if exact is None else {"int8": asdict(exact)}),
    }


def _row(record: Record) -> Iterator[list[object]]:
    if record["measure"] != "policy":
        yield [record[name] for name in COLUMNS]


def _lines(record: Record) -> Iterator[list[object]]:
    if record["measure"] == "policy":
        yield [f"{record['pictures']} pictures; {record['left_out']} pairs left out as copies"]
        told = record["policy"]
        if isinstance(told, dict):
            for name, value in told.items():
                yield [f"  {name:22}", value]
        if "int8" in record:
            yield [f"int8 for float32: {record['int8']}"]
        return
    closest = "closest" if record["measure"] == "pdq" else "highest"
    measured = f"{record['pairs']:,} pairs, {closest} {record['highest']}"
    fitted = f"tenfold rarer every {record['tenfold']}, shape {record['shape']}"
    yield [f"{record['measure']}", measured]
    yield [f"  from {record['tail_from']} on ({record['tail_pairs']} pairs) {fitted}"]
    yield [
        f"  {record['rate']:.0e} at {record['value_at_rate']}",
        f"(extrapolated by {record['extrapolated_decades']} powers of ten)",
    ]


def _write(asked: argparse.Namespace, made: Calibration) -> None:
    if asked.write is not None:
        told = {name: _record(name, tail, made.rate) for name, tail in made.tails.items()}
        content = policy_file.text(made.policy, {"pictures": made.pictures, **told})
        Path(asked.write).write_text(content, encoding="utf-8")
    if asked.chart is not None:
        name = "views" if "views" in made.tails else "pdq"
        title = f"unrelated pairs, {name}: measured (line) and fitted (dashes)"
        drawn = chart.tail(made.values[name], made.tails[name], made.rate, title)
        Path(asked.chart).write_text(drawn, encoding="utf-8")
