"""`haechi models`: detectors that an operator brings. docs/models.md explains."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from haechi.cli.installation import home
from haechi.cli.printing import MATCH, NONE, Printer, Record, grep_codes, say
from haechi.cli.progress import Progress
from haechi.errors import CalibrationRefused
from haechi.evaluation import detect
from haechi.forensics.models import Calibration, Card, Entry, Registry, calibrate, published

COLUMNS = ("id", "question", "state", "calibration", "licence", "sha256")


@grep_codes
def list_models(asked: argparse.Namespace) -> int:
    """One record a model; with --cards, a record for each card that comes with Haechi. 0, or 1 for none."""
    printer = Printer(asked, COLUMNS, _row, _lines)
    if asked.cards:
        for card in published().values():
            printer.put(_record(Entry(card.id, card, None)))
        return MATCH
    entries = _registry().entries()
    for entry in entries:
        printer.put(_record(entry))
    if not entries and asked.form == "table":
        say(
            "there are no models; `haechi models list --cards` names the cards that come with Haechi"
        )
    return MATCH if entries else NONE


@grep_codes
def show_card(asked: argparse.Namespace) -> int:
    """The card of a model here, or one that comes with Haechi, as JSON."""
    import json

    here = {entry.id: entry.card for entry in _registry().entries() if entry.card is not None}
    card = here.get(asked.model) or _known(asked.model)
    print(json.dumps(card.to_json(), indent=1, ensure_ascii=False))
    return MATCH


@grep_codes
def add_model(asked: argparse.Namespace) -> int:
    """Take an ONNX file under a card, after its self-test."""
    path = Path(asked.card)
    card = Card.from_text(path.read_bytes()) if path.is_file() else _known(asked.card)
    kept = _registry().add(Path(asked.file), card, replace_it=asked.replace)
    print(f"{kept.id} is here, with the SHA-256 {kept.sha256}. It counts for nothing until")
    print(f"`haechi models calibrate {kept.id} MANIFEST` has been run on your own pictures.")
    if kept.licence.commercial is not True:
        print(f"Its licence: {kept.licence.name}. {kept.licence.note}".strip())
    return MATCH


@grep_codes
def remove_model(asked: argparse.Namespace) -> int:
    """Forget a model, its card and its calibration."""
    _registry().remove(asked.model)
    return MATCH


@grep_codes
def calibrate_model(asked: argparse.Namespace) -> int:
    """What a model's score says here. 0, or 2 with the reason why it cannot be said."""
    registry = _registry()
    with registry.open(asked.model) as detector, detect.Asking(Path(asked.manifest)) as asking:
        for fault in asking.faults:
            say(fault)
        with Progress("calibrate", lambda: asking.items) as bar:
            outcomes = []
            for outcome in asking.outcomes([detect.Single(detector)]):
                outcomes.append(outcome[detector.card.id])
                bar.step()
        scores = [one.score for one in outcomes]
        doubts = detect.of_files(asking.items, asking.looks)
        doubts += detect.of_real_sets(asking.items, asking.looks, {detector.card.id: scores})
        for doubt in doubts:
            say(f"doubt: {doubt.words}")
        grave = [doubt for doubt in doubts if doubt.code != "source"]
        if grave and not asked.despite_doubts:
            raise CalibrationRefused(
                "things that have nothing to do with the question separate these pictures; choose "
                "others, or say --despite-doubts: the doubts are kept with the calibration"
            )
        rows = [row for row, score in enumerate(scores) if score is not None]
        made = calibrate(
            [score for score in scores if score is not None],
            [asking.items[row].fake for row in rows],
            [asking.items[row].source for row in rows],
            name=asked.name or Path(asked.manifest).stem,
            behaviour=detector.card.behaviour,
            made_at=datetime.now(UTC).date().isoformat(),  # noqa: TID251 - the edge
            doubts=[one.words for one in doubts],
        )
    registry.calibrate(made, asked.model)
    _tell(made)
    return MATCH


def _tell(made: Calibration) -> None:
    print(f"{made.name}: {made.real} real pictures from {made.real_sources} sources, ", end="")
    print(f"{made.fake} made or altered from {made.fake_sources}")
    print(f"  AUC {made.auc:.3f}, at least {made.auc_low:.3f}")
    print(
        f"  likelihood ratios from {made.lowest:.2f} to {made.highest:.2f}: more sources, more range"
    )
    print(f"  {made.misleading:.1%} of real pictures from sources left out get a ratio over 2")


def _registry() -> Registry:
    return Registry.of_home(home())


def _known(name: str) -> Card:
    cards = published()
    if name not in cards:
        raise FileNotFoundError(f"{name} is no file, and no card of {', '.join(cards)}")
    return cards[name]


def _record(entry: Entry) -> Record:
    card, known = entry.card, entry.calibration
    if card is None:
        return {"id": entry.id, "state": "broken", "fault": entry.fault}
    here = (
        "a card" if card.sha256 is None else "calibrated" if known else "shown, counts for nothing"
    )
    return {
        "id": entry.id,
        "name": card.name,
        "question": card.question.value,
        "state": here,
        "calibration": None if known is None else known.to_json(),
        "licence": card.licence.name,
        "sha256": card.sha256,
    }


def _row(record: Record) -> Iterator[list[object]]:
    known = record.get("calibration")
    named = known["name"] if isinstance(known, dict) else None
    yield [named if name == "calibration" else record.get(name) for name in COLUMNS]


def _lines(record: Record) -> Iterator[list[object]]:
    yield [f"{record['id']}:", record.get("question", ""), f"({record['state']})"]
    if "fault" in record:
        yield ["  ", record["fault"]]
        return
    yield ["  ", record["name"]]
    yield ["  ", record["licence"]]
