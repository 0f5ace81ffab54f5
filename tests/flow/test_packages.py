"""Packages of evidence: two people, one receiver, and a stranger who checks (B23, B35)."""

import hashlib
import json
import os
import subprocess
import tracemalloc
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, submit
from tests.flow.status import text_of

from haechi import cli, seal
from haechi.cli import installation
from haechi.errors import BasisNeeded, GrantNeeded, OwnRequest, ReasonRequired, ReceiverRefused
from haechi.formats import custody
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import grants, packages
from haechi.server.cases.models import Case, Ground, Package, Purpose, Verdict
from haechi.server.flow import packaging, summary
from haechi.server.matching.models import Hosted, Platform
from haechi.server.notices.models import Notice, Reply, ReplyKind
from haechi.server.notices.rechecks.models import Recheck
from haechi.server.reports import erasing
from haechi.server.reports.models import Age, ErasureReason, Report
from haechi.server.staff.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]

REPLY = "From: abuse@outside.example\r\n\r\n삭제했습니다.\r\n".encode()
PAGE = b"WARC/1.1 a page that somebody kept"
WANTED = packages.Purpose("Seoul Police, Cyber Unit", "They investigate.", "2026-형제-77")


@pytest.fixture(autouse=True)
def _home(settings: Settings, tmp_path: Path) -> None:
    settings.HAECHI = replace(django_settings.HAECHI, home=tmp_path / "home")


@pytest.fixture
def _one_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The summary in one language: three take seconds to set."""
    monkeypatch.setattr(summary, "LANGUAGES", {"en": "en"})


@pytest.fixture
def case(astronaut: bytes, board: Platform, reviewer: User) -> Case:
    """A case about one picture, decided for removal, with a notice and an order to a platform."""
    host(board, astronaut)
    report, _ = submit(astronaut, places=(BOARD_URL, OUTSIDE_URL))
    flow.examine(report, last_try=True)
    found = Case.objects.get(report=report)
    grants.open_content(found, reviewer, Purpose.REVIEW, now=NOON)
    return found


def decided(case: Case, reviewer: User) -> None:
    with transaction.atomic():
        audit.record(
            "exhibit:lifted",
            subject=case.report.exhibits.get(),
            actor=reviewer.name_in_log,
            at=NOON,
        )
    flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="합성된 사진입니다. 同一张图片。",
        remove=list(Hosted.objects.all()),
        actor=reviewer,
        now=NOON,
    )


class Receiver:
    """A police unit with an age key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.identity = seal.new_identity()
        self.recipient = seal.recipient_of(self.identity)
        self.key = folder / "key.txt"
        self.key.write_text(f"{self.identity}\n", encoding="ascii")

    def run(self, script: str, package: Path) -> subprocess.CompletedProcess[str]:
        """Commands as a stranger types them: no Haechi on the path."""
        return subprocess.run(  # noqa: S603  # from verify.md
            ["bash", "-e", "-c", script],  # noqa: S607
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "KEY": str(self.key), "PACKAGE": str(package)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def police(tmp_path: Path) -> Receiver:
    return Receiver(tmp_path / "police")


def steps(recipe: str) -> list[str]:
    """The commands of a recipe, block by block."""
    parts = recipe.split("```")[1::2]
    assert all(part.startswith("sh\n") for part in parts)
    return [part.removeprefix("sh\n") for part in parts]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "enter", lambda *_: None)


def test_a_stranger_checks_a_package_with_published_tools_alone(
    case: Case, reviewer: User, police: Receiver, run: None, tmp_path: Path, astronaut: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """B35: the operator's command makes it; verify.md's own commands, run as they stand, check it."""
    decided(case, reviewer)
    page_kept(case)
    Reply.objects.create(
        notice=Notice.objects.get(),
        kind=ReplyKind.ANSWER,
        received_at=NOON,
        sealed=seal.seal(REPLY, case.report.recipient),
        digest=bytes(32),
        matched="address",
    )
    out = tmp_path / "case.zip.age"
    typed = [
        "package", str(case.pk), "--to", police.recipient, "--out", str(out),
        "--receiver", WANTED.receiver, "--why", WANTED.reason, "--authority", WANTED.authority,
    ]  # fmt: skip
    assert cli.main(typed) == 0
    made = Package.objects.get()
    assert made.digest in capsys.readouterr().out
    assert cli.main(["package", "received", str(made.pk), "--receipt", "Inspector Kim"]) == 0
    assert packages.receipt_of(Package.objects.get()) == "Inspector Kim"
    assert cli.main(typed) == cli.OUTSIDE, "a file that is there is not overwritten"

    opening, *rest = steps(custody.how_to_verify(originals=True, stamped=False))
    opened = police.run(opening, out)
    assert opened.returncode == 0, opened.stderr
    folder = police.folder / "package"
    assert steps((folder / "verify.md").read_text(encoding="utf-8")) == [opening, *rest]
    checked = police.run("\n".join(["cd package", *rest]), out)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert (police.folder / "opened/originals/1").read_bytes() == astronaut
    assert list(custody.faults(folder)) == []
    _holds_all(folder, case)
    [place] = [row for row in read(folder, "locations.json") if row["looked_at"]]
    [look] = place["looked_at"]
    assert seal.open_sealed((folder / look["capture"]).read_bytes(), police.identity) == PAGE
    assert look["capture_sha256"] == hashlib.sha256(PAGE).hexdigest()

    for name in ("exhibits/1.age", "custody.json", "log/checkpoint.txt", "SHA256SUMS"):
        path = folder / name
        kept = path.read_bytes()
        path.write_bytes(kept[:-9] + bytes([kept[-9] ^ 1]) + kept[-8:])
        assert police.run("\n".join(["cd package", *rest[:1]]), out).returncode != 0, name
        assert list(custody.faults(folder)), name
        path.write_bytes(kept)
    (folder / "smuggled.txt").write_text("in")
    assert police.run("\n".join(["cd package", *rest[:1]]), out).returncode != 0


def page_kept(case: Case) -> None:
    """Somebody looked at the place outside and kept the page."""
    location = case.report.locations.get(number=2)
    Recheck.objects.create(
        location=location,
        at=NOON,
        seen="there",
        basis="page",
        status=200,
        sealed=seal.seal(b"{}", case.report.recipient),
        warc_sealed=seal.seal(PAGE, case.report.recipient),
        warc_sha256=hashlib.sha256(PAGE).digest(),
    )


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    """One of the lists of a package."""
    found: list[dict[str, Any]] = json.loads((folder / name).read_bytes())
    return found


def _holds_all(folder: Path, case: Case) -> None:
    """Every part that the receiver was promised."""
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"summary.ko.pdf", "summary.zh-Hans.pdf", "summary.en.pdf", "working/1.jpg"} <= names
    read = {
        name: json.loads((folder / name).read_bytes()) for name in names if name.endswith("s.json")
    }
    [exhibit] = json.loads((folder / "custody.json").read_bytes())
    assert [act["act"] for act in exhibit["handled"]] == [
        "exhibit:opened",
        "exhibit:lifted",
        "exhibit:exported",
    ]
    assert exhibit["handled"][-1]["reason"] == f"package {Package.objects.get().pk}"
    assert [row["address"] for row in read["locations.json"]] == [BOARD_URL, OUTSIDE_URL]
    assert read["decisions.json"][0]["reason"].startswith("합성된")
    assert len(list(folder.glob("notices/*.eml"))) == 2
    [asked] = read["notices.json"]
    assert [one["outcome"] for one in asked["items"]] == [""]
    assert [one["kind"] for one in asked["replies"]] == ["answer"]
    assert next(folder.glob("notices/*.reply-1.eml")).read_bytes() == REPLY
    assert read["platforms.json"][0]["platform"] == "board"
    assert read["fingerprints.json"][0]["pdq"]
    jpeg = (folder / "working/1.jpg").read_bytes()
    assert jpeg.startswith(b"\xff\xd8")
    assert b"Exif" not in jpeg
    logged = {json.loads(path.read_bytes())["tag"] for path in folder.glob("log/*.json")}
    assert {"report:received", "exhibit:sealed", "case:decided", "package:asked"} <= logged
    told = (folder / "manifest.json").read_text(encoding="utf-8")
    assert WANTED.authority in told


@pytest.mark.usefixtures("_one_paper")
def test_two_people_at_the_desk_and_the_worker_make_one(
    case: Case,
    desk: Client,
    reviewer: User,
    second_reviewer: User,
    police: Receiver,
    tmp_path: Path,
) -> None:
    """B23: one asks, another agrees, the receiver's answer ends it; each step is in the log."""
    desk.force_login(reviewer)
    at = f"/case/{case.pk}/packages"
    grants.open_content(case, reviewer, Purpose.REVIEW, now=_now())
    typed = {
        "receiver": WANTED.receiver, "keys_of_receiver": police.recipient,
        "authority": WANTED.authority, "reason": WANTED.reason,
    }  # fmt: skip
    wrong = desk.post(at, {**typed, "keys_of_receiver": "ssh-ed25519 AAAA"})
    assert wrong.status_code == 422
    assert "package.receiver" in text_of(wrong)
    assert WANTED.authority in text_of(wrong), "what was typed is still there"
    assert desk.post(at, typed).status_code == 302
    package = Package.objects.get()
    assert WANTED.reason in text_of(desk.get(at))
    assert WANTED.reason.encode() not in bytes(package.sealed)
    assert desk.post(f"/package/{package.pk}/agree").status_code == 403

    desk.force_login(second_reviewer)
    assert desk.get(at).status_code == 403, "it is sealed to whoever said why"
    grants.open_content(case, second_reviewer, Purpose.HELP, now=_now())
    assert f'href="{at}"' in text_of(desk.get("/grants"))
    assert desk.post(f"/package/{package.pk}/agree").status_code == 302
    assert desk.get(f"/package/{package.pk}").status_code == 404
    flow.make_package(package.pk)
    flow.make_package(package.pk)
    answer = desk.get(f"/package/{package.pk}")
    out = tmp_path / "taken.age"
    out.write_bytes(b"".join(answer))
    opened = police.run(steps(custody.how_to_verify(originals=True, stamped=False))[0], out)
    assert opened.returncode == 0, opened.stderr
    package.refresh_from_db()
    assert package.digest in text_of(desk.get(at))
    assert package.percent == 99

    empty = desk.post(f"/package/{package.pk}/received", {"receipt": " "})
    assert empty.status_code == 422
    arrived = {"receipt": "Inspector Kim, by phone"}
    assert desk.post(f"/package/{package.pk}/received", arrived).status_code == 302
    assert desk.get(f"/package/{package.pk}").status_code == 404
    assert not list(packaging.folder().iterdir()), "the copy here is gone"
    assert arrived["receipt"] in text_of(desk.get(at))
    tags = Entry.objects.filter(tag__startswith="package:").values_list("tag", "actor")
    assert list(tags) == [
        ("package:asked", reviewer.name_in_log),
        ("package:agreed", second_reviewer.name_in_log),
        ("package:made", "worker"),
        ("package:taken", second_reviewer.name_in_log),
        ("package:received", second_reviewer.name_in_log),
    ]
    entry = Entry.objects.get(tag="package:made")
    assert entry.detail["sha256"] == package.digest
    assert entry.detail["to"] == [police.recipient]
    assert Entry.objects.filter(tag="exhibit:transferred").count() == 1


def _now() -> datetime:
    return timezone.now()


def test_an_exhibit_whose_receipt_says_another_thing_does_not_go_out(
    case: Case, police: Receiver, run: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """B34: the row was changed, the log was not; nothing is written."""
    case.report.exhibits.update(cipher_sha256=bytes(32))
    out = tmp_path / "case.zip.age"
    typed = [
        "package", str(case.pk), "--to", police.recipient, "--out", str(out),
        "--receiver", "Police", "--why", "They ask.", "--authority", "77",
    ]  # fmt: skip
    assert cli.main(typed) == cli.OUTSIDE
    assert "ledger.broken" in capsys.readouterr().err
    assert not out.exists()
    assert cli.main(["package", "received", str(Package.objects.get().pk), "--receipt", "x"]) == 1


def test_what_is_missing_is_asked_for(
    case: Case, reviewer: User, second_reviewer: User, police: Receiver
) -> None:
    """B23: no reason, no key, no law for a child, no right to the case: no request."""
    key = [police.recipient]
    with pytest.raises(GrantNeeded):
        packages.ask(case, WANTED, key, actor=second_reviewer, now=NOON)
    with pytest.raises(ReceiverRefused):
        packages.ask(case, WANTED, ["age1x"], actor=reviewer, now=NOON)
    with pytest.raises(ReasonRequired):
        packages.ask(case, packages.Purpose("Police", " ", "77"), key, actor=reviewer, now=NOON)
    Report.objects.update(age=Age.UNDER_18)
    Case.objects.update(minor=True)
    case.refresh_from_db()
    with pytest.raises(BasisNeeded):
        packages.ask(case, WANTED, key, actor=reviewer, now=NOON)
    assert not Package.objects.exists()
    named = packages.Purpose("Police", "They ask.", "77", "아청법 제38조")
    package = packages.ask(case, named, key, actor=reviewer, now=NOON)
    with pytest.raises(OwnRequest):
        flow.agree_to_package(package, actor=reviewer, now=NOON)
    assert packages.refuse(package, actor=second_reviewer, now=NOON)
    grants.open_content(case, second_reviewer, Purpose.HELP, now=NOON)
    assert not flow.agree_to_package(package, actor=second_reviewer, now=NOON)
    flow.make_package(package.pk)
    package.refresh_from_db()
    assert package.made_at is None, "refused, so nobody makes it"


@pytest.mark.usefixtures("_one_paper")
def test_erasing_the_report_takes_its_packages_along(
    case: Case, reviewer: User, second_reviewer: User, police: Receiver
) -> None:
    """B32: files and words go; that one went out, to which key, stays."""
    package = packages.ask(case, WANTED, [police.recipient], actor=reviewer, now=NOON)
    grants.open_content(case, second_reviewer, Purpose.HELP, now=NOON)
    flow.agree_to_package(package, actor=second_reviewer, now=NOON)
    flow.make_package(package.pk)
    assert list(packaging.folder().iterdir())
    erasing.destroy_keys(
        case.report, exhibits=1, actor="reporter", reason=ErasureReason.ASKED, now=NOON
    )
    flow.finish_erasure(str(case.report_id))
    package.refresh_from_db()
    assert not list(packaging.folder().iterdir())
    assert (package.sealed, package.receipt, package.file) == (b"", b"", "")
    assert package.recipients == police.recipient


def test_memory_does_not_grow_with_the_files() -> None:
    """A member of 200 MB passes through; what is held is a few pieces of it."""

    class Nowhere:
        size = 0

        def write(self, data: bytes, /) -> int:
            self.size += len(data)
            return len(data)

    piece = bytes(1 << 20)
    out = Nowhere()
    tracemalloc.start()
    with seal.StreamSealer(out, seal.recipient_of(seal.new_identity())) as sealer:
        package = custody.Package(sealer, at=NOON)
        with package.open("large") as entry:
            for _ in range(200):
                entry.write(piece)
        package.finish({}, Ed25519PrivateKey.generate())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert out.size > 200 << 20
    assert peak < 16 << 20
