"""`haechi trace FILE`: the record, how far it goes, and never the account."""

import json
from pathlib import Path

import pytest
from tests.conftest import NOON

from haechi import cli, fingerprint
from haechi.cli import installation
from haechi.labels import watermark
from haechi.server.audit.models import Entry
from haechi.server.matching.models import Platform
from haechi.server.tracing import registry
from haechi.server.tracing.models import Generation, Inquiry
from haechi.server.tracing.registry import Look, Made

pytestmark = pytest.mark.django_db
ACCOUNT = "mina-4410@mail.example"


@pytest.fixture
def file(tmp_path: Path, board: Platform, cat: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file that a service wrote down."""
    monkeypatch.setattr(installation, "enter", lambda *_: None)
    made = Made(ACCOUNT, "painter 2", NOON)
    registry.record(board, made, Look.of(fingerprint.image(cat)), now=NOON)
    path = tmp_path / "cat.jpg"
    path.write_bytes(cat)
    return str(path)


def test_the_operator_learns_service_and_model_but_not_the_account(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """B17, B18: asked with a reason, in the log; the account takes the desk and two people."""
    assert cli.main(["trace", file, "--reason", "A court asks.", "--purpose", "law"]) == 0
    said = capsys.readouterr().out
    assert "made with board, model painter 2" in said
    assert "it is that very file" in said
    assert ACCOUNT not in said
    [entry] = Entry.objects.filter(tag="trace:asked")
    assert (entry.actor, entry.detail["purpose"]) == ("operator", "law")

    assert cli.main(["trace", file, "--reason", "Again.", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["inquiry"] == Inquiry.objects.latest("pk").pk
    [one] = told["records"]
    assert (one["service"], one["strength"], one["alike"]) == ("board", "strong", True)
    assert "account" not in one
    assert one["trace_id"] == watermark.spelled(Generation.objects.get().trace_id)


def test_without_a_record_or_a_reason_the_answer_is_no(
    file: str, astronaut: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.jpg"
    other.write_bytes(astronaut)
    assert cli.main(["trace", str(other), "--reason", "Why"]) == 1
    assert "does not mean that no machine made it" in capsys.readouterr().out
    assert cli.main(["trace", file, "--reason", " "]) == cli.OUTSIDE
    assert "case.reason_required" in capsys.readouterr().err
    assert cli.main(["trace", str(tmp_path / "none"), "--reason", "Why"]) == cli.OUTSIDE
