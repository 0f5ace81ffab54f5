"""`haechi evaluate detect`: how well made and altered pictures are told. docs/evaluate-detect.md explains."""

import argparse
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from haechi.cli.installation import home
from haechi.cli.printing import MATCH, NONE, grep_codes, say
from haechi.cli.progress import Progress
from haechi.errors import UnknownEdit
from haechi.evaluation import detect
from haechi.evaluation.detect import card as cards
from haechi.evaluation.detect import figures, page
from haechi.evaluation.edits import EDITS
from haechi.forensics.models import OnnxDetector, Registry

type Told = dict[str, Any]


@grep_codes
def evaluate_detect(asked: argparse.Namespace) -> int:
    """The card: confounds first, then figures. 0, 1 if the release gate is not passed, or 2."""
    edits = _edits(asked.edits)
    last = None if asked.against is None else cards.read(Path(asked.against).read_bytes())
    with ExitStack() as stack:
        systems = _systems(asked, stack)
        asking = stack.enter_context(detect.Asking(Path(asked.manifest)))
        for fault in asking.faults:
            say(fault)
        outcomes = _outcomes(asking, systems)
        scores = {name: [one.score for one in every] for name, every in outcomes.items()}
        confounds = detect.of_files(asking.items, asking.looks)
        confounds += detect.of_real_sets(asking.items, asking.looks, scores)
        told = {
            name: figures.told(asking.items, asking.looks, every, draws=asked.draws)
            for name, every in outcomes.items()
        }
        changed = _after(asking, systems, told, edits, asked)
    made = cards.card(
        manifest_sha256=asking.sha256,
        made_at=datetime.now(UTC).date().isoformat(),  # noqa: TID251 - the edge
        counts=_counts(asking.items, asking.faults),
        confounds=confounds,
        systems=told,
        edits=changed,
        settings={"seed": asked.seed, "draws": asked.draws, "each": asked.each, "edits": edits},
    )
    reasons = cards.gate(made, last)
    _write(asked, made, reasons)
    _print(asked, made, reasons)
    return NONE if reasons else MATCH


def _edits(typed: str | None) -> list[str]:
    names = [] if typed is None else list(EDITS) if typed == "all" else typed.split(",")
    for name in names:
        if name not in EDITS:
            raise UnknownEdit(f"{name}; there are all, {', '.join(EDITS)}")
    return names


def _systems(asked: argparse.Namespace, stack: ExitStack) -> list[detect.System]:
    """The fused answer with every calibrated model, and the models that were named, one by one."""
    registry = Registry.of_home(home())
    entries = registry.entries()
    named = asked.models.split(",") if asked.models else []
    if named == ["all"]:
        named = [entry.id for entry in entries]
    fused = asked.fused
    wanted = dict.fromkeys(
        [*named, *(entry.id for entry in entries if fused and entry.calibration is not None)]
    )
    opened: dict[str, OnnxDetector] = {
        name: stack.enter_context(registry.open(name)) for name in wanted
    }
    systems: list[detect.System] = [detect.Fused(list(opened.values()))] if fused else []
    return [*systems, *(detect.Single(opened[name]) for name in named)]


def _outcomes(
    asking: detect.Asking, systems: Sequence[detect.System]
) -> dict[str, list[detect.Outcome]]:
    found: dict[str, list[detect.Outcome]] = {system.name: [] for system in systems}
    with Progress("evaluate", lambda: asking.items) as bar:
        for outcome in asking.outcomes(systems):
            for name, one in outcome.items():
                found[name].append(one)
            bar.step()
    return found


def _after(
    asking: detect.Asking,
    systems: Sequence[detect.System],
    told: Mapping[str, Told],
    edits: Sequence[str],
    asked: argparse.Namespace,
) -> dict[str, dict[str, Told]]:
    rows = asking.sample(asked.each)
    items = [asking.items[row] for row in rows]
    found: dict[str, dict[str, Told]] = {}
    with Progress("edits", lambda: range(len(edits) * len(rows))) as bar:
        for edit in edits:
            outcomes: dict[str, list[detect.Outcome]] = {system.name: [] for system in systems}
            for outcome in asking.edited(edit, rows, systems, asked.seed):
                for name, one in outcome.items():
                    outcomes[name].append(one)
                bar.step()
            found[edit] = {
                name: figures.after_edit(items, every, figures.threshold_of(told[name]))
                for name, every in outcomes.items()
            }
    return found


def _counts(items: Sequence[detect.Item], faults: Sequence[str]) -> dict[str, int]:
    return {
        "real": sum(not one.fake for one in items),
        "fake": sum(one.fake for one in items),
        "sources": len({one.source for one in items}),
        "left out": len(faults),
    }


def _write(asked: argparse.Namespace, made: Told, reasons: Sequence[str]) -> None:
    if asked.json is not None:
        Path(asked.json).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    if asked.card is not None:
        Path(asked.card).write_text(page.html(made, reasons), encoding="utf-8")


def _print(asked: argparse.Namespace, made: Told, reasons: Sequence[str]) -> None:
    if asked.form == "jsonl":
        print(json.dumps({**made, "gate": list(reasons)}))
        return
    for one in made["confounds"]:
        print(f"CONFOUND  {one['words']}")
    print(", ".join(f"{name}: {count}" for name, count in made["counts"].items()))
    for name, told in made["systems"].items():
        print(f"{name}: AUC {page.interval(told['auc'])}")
        for at in told["at"]:
            print(f"  caught at {at['rate']:.0%} false alarms: {page.interval(at['caught'])}")
        print(f"  says nothing: {_shares(told['abstained'])}")
        if told["answers"]:
            answers = told["answers"]
            real = sum(answers["real"].values())
            print(f"  real pictures accused: {answers['accused']} of {real}", end="")
            print(f" (under {answers['accused_at_most']:.1%} with 95 % certainty)")
        for part, kinds in told["parts"].items():
            for kind, one in kinds.items():
                print(
                    f"  {part} {kind}: {one['real']} real, {one['fake']} fake, AUC {page.interval(one['auc'])}"
                )
    for edit, by in made["edits"].items():
        line = "; ".join(f"{name} {page.interval(one['auc'])}" for name, one in by.items())
        print(f"after {edit}: {line}")
    for reason in reasons:
        print(f"GATE  {reason}")


def _shares(told: Told) -> str:
    return ", ".join(f"{page.percent(told[kind])} of {kind}" for kind in ("real", "fake"))
