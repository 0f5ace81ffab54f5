"""`haechi evidence check`, `haechi hold`, `erase` and `retention`."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import submit

from haechi import cli
from haechi.cli import installation
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Case
from haechi.server.evidence import checking
from haechi.server.evidence.models import Exhibit
from haechi.server.evidence.storage import storage
from haechi.server.reports.models import Hold, Retention, Tombstone

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(240)]

type Run = Callable[..., tuple[int, str, str]]
LONG_AGO = 10 * 24 * 3600


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """One command in this process, whose Django is set up; its code, output and messages."""
    monkeypatch.setattr(installation, "enter", lambda *_: None)

    def once(*typed: object) -> tuple[int, str, str]:
        code = cli.main([str(one) for one in typed])
        out, err = capsys.readouterr()
        return code, out, err

    return once


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def path_of(exhibit: Exhibit, settings: Settings) -> Path:
    name = exhibit.blob
    return Path(settings.BLOBS) / name[:2] / name[2:4] / name


def orphan(settings: Settings, *, age_s: int) -> Path:
    """A file of no row, stored so long ago."""
    import os  # noqa: PLC0415

    with storage().new() as writer:
        writer.write(b"sealed")
        name = writer.commit()
    path = Path(settings.BLOBS) / name[:2] / name[2:4] / name
    then = timezone.now().timestamp() - age_s
    os.utime(path, (then, then))
    return path


def test_nothing_wrong_is_nothing_said(run: Run, cat: bytes) -> None:
    """B33."""
    submit(cat)

    assert run("evidence", "check", "--open", "--jsonl") == (0, "", "")
    assert run("evidence", "check")[1] == "Looked at 1. Nothing is wrong.\n"
    assert Entry.objects.filter(tag="exhibit:opened").count() == 1


def test_what_is_wrong_is_found_and_left_as_it_is(run: Run, cat: bytes, settings: Settings) -> None:
    """B33: orphans both ways, and files that were changed; a look changes nothing."""
    exhibits = [submit(cat)[0].exhibits.get() for _ in range(3)]
    path_of(exhibits[0], settings).unlink()
    changed = path_of(exhibits[1], settings)
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    left, young = orphan(settings, age_s=LONG_AGO), orphan(settings, age_s=0)
    before = Entry.objects.count()

    code, out, _ = run("evidence", "check", "--jsonl")

    found = {record["problem"]: record["blob"] for record in records(out)}
    assert code == 1
    assert found == {
        "missing": exhibits[0].blob,
        "altered": exhibits[1].blob,
        "orphan": left.name,
    }
    assert left.exists()
    assert young.exists()
    assert Entry.objects.count() == before
    assert run("evidence", "check", "--quick", "--csv")[1].count("\n") == 3


def test_repair_removes_old_orphans_and_says_so_in_the_log(
    run: Run, cat: bytes, settings: Settings
) -> None:
    """B33: only what belongs to nothing, and only what is old enough."""
    exhibit = submit(cat)[0].exhibits.get()
    left, young = orphan(settings, age_s=LONG_AGO), orphan(settings, age_s=0)
    unfinished = storage().new()
    unfinished.write(b"half")

    code, out, _ = run("evidence", "check", "--repair", "--jsonl")

    assert (code, [record["removed"] for record in records(out)]) == (0, [True])
    assert not left.exists()
    assert young.exists()
    assert path_of(exhibit, settings).exists()
    entry = Entry.objects.get(tag="blob:orphan_removed")
    assert (entry.subject, entry.actor) == (f"blob:{left.name}", "operator")
    assert audit.verify()
    code, _, _ = run("evidence", "check", "--repair", "--older", "0", "--jsonl")
    assert code == 0
    assert not young.exists()
    assert list(storage().unfinished()) == []
    unfinished.discard()


def test_an_orphan_that_gets_its_row_meanwhile_is_left(cat: bytes) -> None:
    exhibit = submit(cat)[0].exhibits.get()
    found = checking.Found(exhibit.blob, problem="orphan", since=NOON)

    done = checking.remove(
        storage(), found, before=NOON + timedelta(days=1), actor="operator", now=NOON
    )

    assert (done, storage().exists(exhibit.blob)) == (False, True)


def test_interrupted_it_says_how_far_it_came(
    run: Run, cat: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        submit(cat)
    real, seen = checking._digested, []

    def digested(store: Any, exhibit: Exhibit) -> str:
        if seen:
            raise KeyboardInterrupt
        seen.append(exhibit)
        return real(store, exhibit)

    monkeypatch.setattr(checking, "_digested", digested)

    code, out, _ = run("evidence", "check")

    assert (code, out) == (130, "Interrupted. Looked at 1. Nothing is wrong.\n")


def test_storage_that_is_away_is_no_evidence_that_is_missing(
    run: Run, cat: bytes, settings: Settings
) -> None:
    submit(cat)
    settings.BLOBS.rename(settings.BLOBS.with_name("away"))
    settings.BLOBS.write_text("not a folder")

    code, out, err = run("evidence", "check", "--jsonl")

    assert (code, out) == (2, "")
    assert "blob.unavailable" in err


def test_holds_and_erasure_at_the_command_line(run: Run, cat: bytes) -> None:
    """B32: refused while the hold is in force, with the stable code."""
    report, _code = submit(cat)
    flow.examine(report, last_try=True)
    case = Case.objects.get(report=report).pk

    code, out, _ = run(
        "hold", "place", case, "--why", "w", "--authority", "a", "--until", "2099-01-31"
    )
    hold = Hold.objects.get()
    assert (code, "2099-02-01 00:00 UTC" in out) == (0, True)
    assert run("hold", "list")[1].startswith(f"{hold.pk:>6}  report {report.short}")
    code, _, err = run("erase", report.short, "--reason", "asked")
    assert (code, "report.legal_hold" in err) == (3, True)
    assert run("hold", "release", hold.pk, "--why", "over")[0] == 0
    assert run("hold", "release", hold.pk, "--why", "over")[0] == 1
    assert run("erase", case, "--reason", "ordered")[0] == 0

    assert Tombstone.objects.get().reason == "ordered"
    assert run("erase", "12345678", "--reason", "asked")[0] == 3
    assert run("hold", "place", case, "--why", "w", "--authority", "a")[0] == 3


def test_periods_at_the_command_line(run: Run) -> None:
    assert "365 days" in run("retention", "list")[1]
    code, out, _ = run("retention", "set", "decided", "90", "--reason", "Ours.")
    assert (code, "90 days       Ours." in out) == (0, True)
    assert "until erased" in run("retention", "set", "decided", "never", "--reason", "Law.")[1]
    assert run("retention", "set", "decided", "soon", "--reason", "x")[0] == 3
    assert Retention.objects.get().days is None
