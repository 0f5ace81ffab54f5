"""`haechi evidence`: compare files with rows, verify what was handed over."""

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


@grep_codes
def verify(asked: argparse.Namespace) -> int:
    """Check a package; needs no installation. 0 as it was made, 1 with what is wrong."""
    from haechi.formats import custody

    faults = list(custody.faults(Path(asked.folder)))
    for fault in faults:
        print(fault)
    if not faults:
        print("The package is as it was made. Compare log/key.txt with what the sender publishes.")
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


__all__ = ["ERROR", "check", "verify"]
