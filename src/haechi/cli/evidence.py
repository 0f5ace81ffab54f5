"""`haechi evidence`: compare files with rows, hand evidence over, verify what was handed over."""

import argparse
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from haechi.cli.banks import inside
from haechi.cli.printing import ERROR, MATCH, NONE, Printer, Record, grep_codes
from haechi.cli.progress import Progress

if TYPE_CHECKING:
    from haechi.server.evidence.checking import Found

ACTOR = "operator"
COLUMNS = ("blob", "problem", "report", "exhibit", "since", "removed")
# What repair can mend; the others want a backup.
MENDED = ("orphan", "unfinished")


@inside
def check(asked: argparse.Namespace) -> int:
    """One record a problem. 0 where there is none left, 1 otherwise."""
    from django.utils import timezone

    from haechi.server.evidence import checking
    from haechi.server.evidence.storage import storage

    now, store = timezone.now(), storage()
    before = now - timedelta(hours=max(0, asked.older))
    printer = Printer(asked, COLUMNS, _row, _line)
    counts: Counter[str] = Counter()
    found = checking.check(store, digests=not asked.quick, opened=asked.open, actor=ACTOR, now=now)
    shown = Progress("checked", lambda: range(checking.total()), unit="files")
    try:
        with shown:
            for one in found:
                counts["looked at"] += 1
                shown.step()
                # A file that was stored a moment ago may belong to a form that is still open.
                if one.problem and not _young(one, before):
                    removed = asked.repair and checking.remove(
                        store, one, before=before, actor=ACTOR, now=now
                    )
                    counts["removed" if removed else one.problem] += 1
                    shown.aside()
                    printer.put(_record(one, removed=removed))
    except KeyboardInterrupt:
        _sum_up(asked, counts, "Interrupted. ")
        raise
    _sum_up(asked, counts, "")
    left = counts.total() - counts["looked at"] - counts["removed"]
    return NONE if left else MATCH


def export(asked: argparse.Namespace) -> int:
    """Write a package for one recipient."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.cli.keeping import report_of
    from haechi.server.evidence import package

    report = report_of(asked.case)
    folder = package.write(
        report,
        Path(asked.to),
        recipient=asked.recipient,
        why=asked.why,
        authority=asked.authority,
        actor=ACTOR,
        now=timezone.now(),
    )
    print(f"{folder}: {report.exhibits.count()} files for {asked.recipient}. The export is logged.")
    return 0


def transferred(asked: argparse.Namespace) -> int:
    """Log that a package was handed over. 1 where nothing was exported that could have been."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.cli.keeping import report_of
    from haechi.server.evidence import custody

    report = report_of(asked.case)
    handed = custody.transferred(
        report.exhibits.all(),
        to=asked.to,
        why=asked.why,
        authority=asked.authority,
        actor=ACTOR,
        now=timezone.now(),
    )
    if not handed:
        print(f"Nothing of report {report.short} was exported. Nothing is logged.")
        return 1
    print(
        f"{len(handed)} files of report {report.short} went to {asked.to}. The hand-over is logged."
    )
    return 0


@grep_codes
def verify(asked: argparse.Namespace) -> int:
    """Check a package; needs no installation. 0 as it was made, 1 with what is wrong."""
    from haechi.formats import custody

    faults = list(custody.faults(Path(asked.folder)))
    for fault in faults:
        print(fault)
    if not faults:
        print("The package is as it was made. Compare key.txt with what the sender publishes.")
    return NONE if faults else MATCH


def _young(found: "Found", before: object) -> bool:
    return found.problem in MENDED and found.since is not None and not found.since < before  # type: ignore[operator]  # both are datetimes


def _record(found: "Found", *, removed: bool) -> Record:
    exhibit = found.exhibit
    return {
        "blob": found.blob,
        "problem": found.problem,
        "report": exhibit.report.short if exhibit else None,
        "exhibit": exhibit.number if exhibit else None,
        "since": found.since.isoformat() if found.since else None,
        "removed": removed,
    }


def _row(record: Record) -> list[list[object]]:
    return [["" if record[name] is None else record[name] for name in COLUMNS]]


def _line(record: Record) -> list[list[object]]:
    whose = f"report {record['report']}, file {record['exhibit']}" if record["report"] else ""
    done = "removed" if record["removed"] else ""
    return [[record["blob"], f"{record['problem']:10}", whose or record["since"] or "", done]]


def _sum_up(asked: argparse.Namespace, counts: Counter[str], begin: str) -> None:
    if asked.form != "table":
        return
    problems = ", ".join(
        f"{count} {name}" for name, count in sorted(counts.items()) if name != "looked at"
    )
    print(f"{begin}Looked at {counts['looked at']}. {problems or 'Nothing is wrong'}.")


__all__ = ["ERROR", "check", "export", "transferred", "verify"]
