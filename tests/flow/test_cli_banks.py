"""`haechi bank`: what it prints, what it changes, and its exit codes (docs/commands.md)."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haechi import cli
from haechi.cli import installation
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.matching.models import Bank, Member, Source

pytestmark = [pytest.mark.django_db(transaction=False), pytest.mark.timeout(120)]

PDQ = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
HEAD = "signal_type,signal_str,collab,category,tags\r\n"

type Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """One command in this process, whose Django is set up; its code, output and messages."""
    monkeypatch.setattr(installation, "enter", lambda *_: None)

    def once(*typed: object) -> tuple[int, str, str]:
        code = cli.main([str(one) for one in typed])
        out, err = capsys.readouterr()
        return code, out, err

    return once


def test_an_end_is_set_and_taken_back(run: Run, tmp_path: Path, cat: bytes) -> None:
    """Code 1 where nothing changes, 2 for a member that is not there or a date that is none."""
    file = tmp_path / "cat.jpg"
    file.write_bytes(cat)
    run("bank", "make", "ours", "--policy", "block")
    _, out, _ = run("bank", "add", "ours", file, "--confirmed", "--jsonl")
    number = records(out)[0]["member"]
    assert run("match", "--against", "bank:ours", file)[0] == 0
    code, out, _ = run("bank", "expire", number, "--at", "2020-01-01", "--note", "over", "--jsonl")
    assert (code, records(out)) == (0, [{"member": number, "changed": True}])
    assert run("match", "--against", "bank:ours", file)[0] == 2, "nothing in force is left"
    assert run("bank", "expire", number, "--at", "2020-01-01")[0] == 1
    assert Entry.objects.order_by("-position")[0].detail["reason"] == "over"
    assert run("bank", "expire", number, "--never")[0] == 0
    assert run("bank", "expire", number, "--never")[0] == 1
    assert run("match", "--against", "bank:ours", file)[0] == 0
    assert run("bank", "expire", number, "--at", "soon")[0] == 2
    assert run("bank", "expire", 999_999, "--never")[0] == 2


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_bank_from_nothing_to_matching_files(
    run: Run, tmp_path: Path, astronaut: bytes, cat: bytes
) -> None:
    known, broken = tmp_path / "a.jpg", tmp_path / "b.jpg"
    known.write_bytes(astronaut)
    broken.write_bytes(b"\xff\xd8\xff\xe0" + bytes(50))
    (tmp_path / "cat.jpg").write_bytes(cat)
    assert run("bank", "list")[0] == 1
    assert run("bank", "make", "ours", "--policy", "block")[0] == 0
    code, _, err = run("bank", "make", "ours")
    assert (code, "matching.bank_name_taken" in err) == (2, True)

    code, out, _ = run("bank", "add", "ours", known, broken, "--source", "=cmd()", "--jsonl")
    first, second = records(out)
    assert (code, first["known"], second["error"]) == (2, False, "media.broken")
    member = first["member"]
    code, out, _ = run("bank", "add", "ours", known, "--jsonl")
    assert (code, records(out)[0]) == (1, {"path": str(known), "member": member, "known": True})

    code, _, err = run("match", "--against", "bank:ours", known)
    assert (code, "no known picture" in err) == (2, True)
    assert run("bank", "confirm", member, "--note", "seen")[0] == 0
    assert run("bank", "confirm", member)[0] == 1
    code, out, _ = run("match", "--jsonl", "--against", "bank:ours", known, tmp_path / "cat.jpg")
    hit, miss = records(out)
    assert (code, hit["hits"][0]["path"], hit["verdict"]) == (
        0,
        f"bank:ours#{member}",
        "identical_file",
    )
    assert miss["hits"] == []
    assert run("match", "--against", "bank:nobody", known)[0] == 2

    code, out, _ = run("bank", "show", "ours", "--csv")
    row = next(csv.DictReader(io.StringIO(out)))
    assert (code, row["status"], row["source"], row["held"]) == (0, "confirmed", "'=cmd()", "")
    assert run("bank", "show", "ours", "--status", "held")[0] == 1
    _, out, _ = run("bank", "list", "--jsonl")
    assert records(out)[0] | {"thresholds": {}} == records(out)[0]
    assert (records(out)[0]["confirmed"], records(out)[0]["pending"]) == (1, 0)


def test_members_are_judged_by_number(run: Run) -> None:
    run("bank", "make", "ours")
    bank = Bank.objects.get()
    one = Member.objects.create(
        bank=bank,
        status="confirmed",
        source="ring",
        sha256=bytes(32),
        created_at="2026-11-22T00:00Z",
    ).pk
    for act, held, status in [
        ("dispute", "disputed", "confirmed"),
        ("hold", "staff", "confirmed"),
        ("release", "", "confirmed"),
        ("withdraw", "", "withdrawn"),
    ]:
        assert run("bank", act, one, "--note", "n")[0] == 0
        assert run("bank", act, one)[0] == 1, "a second time changes nothing"
        member = Member.objects.get()
        assert (member.held, member.status) == (held, status)
    code, out, _ = run("bank", "confirm", one, "99999999", "x", "--jsonl")
    assert code == 2
    assert [record.get("error") for record in records(out)] == [
        None,
        *["matching.member_unknown"] * 2,
    ]
    _, out, _ = run("bank", "feedback", "ours")
    assert list(csv.reader(io.StringIO(out)))[1] == [
        "sha256",
        "00" * 32,
        "ring",
        "POSITIVE_CLASS",
        "true_positive",
    ]
    assert run("bank", "feedback", "ours", "--source", "others")[0] == 1
    assert {entry.actor for entry in Entry.objects.filter(tag__startswith="opinion")} == {
        "operator"
    }


def test_settings_are_laid_over_and_taken_back(run: Run) -> None:
    run("bank", "make", "ours")
    reason = ("--reason", "tuning")
    assert (
        run(
            "bank",
            "set",
            "ours",
            "--threshold",
            "pdq_edited_bits=20",
            "--flood",
            "times=2.5",
            *reason,
        )[0]
        == 0
    )
    assert run("bank", "set", "ours", "--threshold", "sscd_similarity=0.7", *reason)[0] == 0
    bank = Bank.objects.get()
    assert bank.thresholds == {"pdq_edited_bits": 20, "sscd_similarity": 0.7}
    assert bank.flood == {"times": 2.5}
    run("bank", "set", "ours", "--threshold", "pdq_edited_bits=", "--trusted", "yes", *reason)
    bank.refresh_from_db()
    assert (bank.thresholds, bank.trusted) == ({"sscd_similarity": 0.7}, True)
    for wrong in ("pdq_edited_bits=99", "colour=1", "pdq_edited_bits", "pdq_edited_bits=x"):
        code, _, err = run("bank", "set", "ours", "--threshold", wrong, *reason)
        named = (
            "policy.refused" if wrong in ("pdq_edited_bits=99", "colour=1") else "format.invalid"
        )
        assert (code, named in err) == (2, True), wrong
    assert run("bank", "set", "ours", "--source", "ring", "--trusted", "yes", *reason)[0] == 0
    assert Source.objects.get().trusted
    assert run("bank", "set", "ours", "--source", "ring", "--policy", "block", *reason)[0] == 2
    assert run("bank", "set", "nobody", "--trusted", "no", *reason)[0] == 2
    assert run("bank", "disable", "ours", *reason)[0] == 0
    assert run("bank", "disable", "ours", *reason)[0] == 1
    assert run("bank", "enable", "ours", *reason)[0] == 0
    assert audit.verify() == Entry.objects.count()


def test_a_list_goes_in_whole_or_says_what_is_wrong(run: Run, tmp_path: Path) -> None:
    run("bank", "make", "ours")
    good = [f"pdq,{number:064x},ring,POSITIVE_CLASS,a b\r\n" for number in range(3)]
    harmless = f"pdq,{PDQ},ring,NEGATIVE_CLASS,\r\n"
    bad = "pdq,xyz,ring,POSITIVE_CLASS,\r\n"
    file = tmp_path / "list.csv"
    file.write_text(HEAD + "".join([*good, bad, harmless]), newline="")
    code, out, err = run("bank", "import", "ours", file)
    assert code == 2
    assert "line 5: signal_str is no pdq" in err
    assert "nothing was imported" in err
    assert not Member.objects.exists()
    code, out, _ = run("bank", "import", "ours", file, "--skip-malformed")
    assert (code, out) == (
        2,
        "3 added, 0 known already, 1 said to be harmless and left out, 1 malformed\n",
    )
    file.write_text(HEAD + "".join(good), newline="")
    code, out, _ = run("bank", "import", "ours", file)
    assert (code, out.startswith("0 added, 3 known already")) == (1, True)
    code, out, _ = run("bank", "export", "ours")
    assert code == 0
    assert out == HEAD + "".join(good).replace("POSITIVE_CLASS", "INVESTIGATION_SEED")
    file.write_text(out, newline="")
    run("bank", "make", "second")
    assert run("bank", "import", "second", file, "--collab", "elsewhere")[0] == 0
    assert set(Bank.objects.get(name="second").members.values_list("source", "status")) == {
        ("elsewhere", "pending")
    }
    file.write_text("")
    assert run("bank", "import", "ours", file)[0] == 2
    assert run("bank", "import", "ours", tmp_path / "absent")[0] == 2


def test_an_end_is_a_date_or_refused(run: Run, tmp_path: Path, cat: bytes) -> None:
    run("bank", "make", "ours")
    (tmp_path / "cat.jpg").write_bytes(cat)
    code, _, err = run("bank", "add", "ours", tmp_path / "cat.jpg", "--expires", "soon")
    assert (code, "format.invalid" in err) == (2, True)
    run("bank", "add", "ours", tmp_path / "cat.jpg", "--expires", "2020-01-01", "--confirmed")
    member = Member.objects.get()
    assert member.expires_at is not None
    assert (member.status, member.expires_at.year) == ("confirmed", 2020)
    code, _, err = run("match", "--against", "bank:ours", tmp_path / "cat.jpg")
    assert (code, "no known picture" in err) == (2, True), "it has expired"
