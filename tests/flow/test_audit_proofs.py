"""Proofs from the log: for everybody, for the reporter, and when it was bent (B34)."""

import base64
import io
import socket
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, transaction
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import OUTSIDE_URL, playing, submit
from tests.flow.status import enter, text_of

from haechi import ledger
from haechi.errors import LedgerBroken
from haechi.formats import log_proofs
from haechi.server import flow
from haechi.server.audit import proofs, tree
from haechi.server.audit import services as audit
from haechi.server.audit.models import Checkpoint, Entry, Node
from haechi.server.config.grants import TOLD
from haechi.server.public import own_log
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes over 4, 16 and 64 entries instead of 256 and more, so that a short log has them all."""
    monkeypatch.setattr(tree, "STEP", 2)
    monkeypatch.setattr(tree, "WIDTH", 4)
    monkeypatch.setattr(tree, "LEVELS", (2, 4, 6, 8))


def write(count: int) -> None:
    """Add entries."""
    for number in range(count):
        with transaction.atomic():
            audit.record("test:act", subject="test:1", actor="test", at=NOON, detail={"n": number})


def sign() -> Checkpoint:
    return audit.checkpoint(audit.signing_key(), now=NOON)


def leaves() -> list[bytes]:
    return [bytes(hashed) for hashed in Entry.objects.values_list("hash", flat=True)]


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def damaged(act: Callable[[], object]) -> None:
    """Whoever owns the database can switch triggers off."""
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    tables = ("audit_entry", "audit_checkpoint", "audit_anchor")
    for table in tables:
        sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    act()
    for table in tables:
        sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.parametrize("sizes", [(3,), (16, 5), (30, 40, 9), (64, 1)])
def test_kept_hashes_give_the_roots_and_proofs_of_the_whole_tree(
    db: None, sizes: tuple[int, ...]
) -> None:
    for count in sizes:
        write(count)
        signed = sign()
    hashed = leaves()
    stored = tree.StoredTree(signed.size)
    assert bytes(signed.root) == ledger.root(hashed)
    for index in range(len(hashed)):
        proof = ledger.inclusion_proof(stored, index)
        assert proof == ledger.inclusion_proof(ledger.Leaves(hashed), index)
        expected = ledger.consistency_proof(ledger.Leaves(hashed), index)
        assert ledger.consistency_proof(stored, index) == expected
    assert audit.verify(audit.signing_key().public_key()) == len(hashed)
    assert Node.objects.count() == sum(len(hashed) >> level for level in (2, 4, 6, 8))


def test_what_was_bent_is_not_signed(db: None) -> None:
    """Neither a change before the last checkpoint, nor one since, nor an end that was cut off."""
    write(9)
    signed = sign()
    write(4)
    for statement, position in (
        ("UPDATE audit_entry SET hash = sha256('x') WHERE position = 9", signed.size),
        ("UPDATE audit_entry SET tag = 'x' WHERE position = 11", 11),
        ("DELETE FROM audit_entry WHERE position >= 8", 8),
    ):
        with pytest.raises(LedgerBroken) as broken, transaction.atomic():
            _sign_after(statement)
        assert broken.value.position == position
    assert sign().size == 13


def _sign_after(statement: str) -> None:
    damaged(lambda: sql(statement))
    sign()


def rewrite(position: int) -> None:
    """Change one entry and make all hashes after it fit."""
    rows = list(Entry.objects.all())
    rows[position - 1].actor = "nobody"
    previous = bytes(32)
    for one in rows:
        one.previous = previous
        previous = one.hash = ledger.entry_hash(previous, audit.payload(one))
        one.save()


def test_an_entry_written_anew_with_all_hashes_is_located_by_the_kept_hashes(db: None) -> None:
    """Even where the checkpoints are gone: to the few entries under one kept hash."""
    write(20)
    sign()
    damaged(lambda: (rewrite(10), Checkpoint.objects.all().delete()))
    with pytest.raises(LedgerBroken, match="entries 9 to 12") as broken:
        audit.verify()
    assert broken.value.position == 9


def test_a_false_kept_hash_is_found(db: None) -> None:
    write(20)
    sign()
    Node.objects.filter(level=4, number=0).update(hash=bytes(32))
    with pytest.raises(LedgerBroken, match="16 entries"):
        audit.verify()


def test_an_end_cut_off_with_its_checkpoints_is_told_by_a_note_kept_elsewhere(db: None) -> None:
    """Whoever has the database can take both; not the mail that somebody else got."""
    write(6)
    note = sign().note
    damaged(
        lambda: (
            Checkpoint.objects.all().delete(),
            sql("DELETE FROM audit_entry WHERE position > 4"),
        )
    )
    key = audit.signing_key().public_key()
    sql("DELETE FROM audit_node")
    assert audit.verify(key) == 4
    with pytest.raises(LedgerBroken) as broken:
        audit.verify(key, notes=[note])
    assert broken.value.position == 5


# --- for everybody --------------------------------------------------------------------------------


def test_anybody_sees_that_the_log_only_grew(public: Client) -> None:
    """Two checkpoints and the proof between them, with the key, from the public pages."""
    write(7)
    old = sign()
    write(30)
    new = sign()
    at = "/.well-known/haechi-log"
    assert public.get(at).content.decode() == new.note == public.get("/log").content.decode()
    assert public.get(f"{at}/7").content.decode() == old.note
    key = audit.signing_key().public_key()
    assert public.get(f"{at}/key").content.decode().strip() == ledger.verifier_key(
        audit.ORIGIN, key
    )
    text = public.get(f"{at}/7/37").content.decode()
    head, _, note = text.partition("\n\n")
    first, *path = head.split("\n")
    read = ledger.Checkpoint.verify(note, key)
    assert (first, read.size) == ("old 7", 37)
    hashes = [base64.b64decode(step) for step in path]
    ledger.verify_consistency(7, bytes(old.root), 37, read.root, hashes)
    for wrong in ("8", "37/7", "8/37", "7/8", str(10**30), f"7/{10**30}"):
        assert public.get(f"{at}/{wrong}").status_code == 404


def test_the_public_process_reads_no_entry_but_through_the_list(reviewer: User) -> None:
    """Not who works here, not who looked; not even by asking for it by name."""
    with transaction.atomic():
        audit.record("report:received", subject="test:1", actor="reporter", at=NOON)
        audit.record("exhibit:opened", subject="test:1", actor="staff:1", at=NOON)
    with playing("public"):
        assert [entry.tag for entry in proofs.told(["test:1"])] == ["report:received"]
        with pytest.raises(DatabaseError), transaction.atomic():
            list(Entry.objects.filter(subject="test:1"))


# --- for the reporter -----------------------------------------------------------------------------


def test_every_kind_of_entry_she_is_told_has_words() -> None:
    assert tuple(own_log.WORDS) == TOLD


def test_she_reads_what_the_log_says_and_a_stranger_checks_it(
    public: Client, astronaut: bytes, tmp_path: Path
) -> None:
    """B34: the file she saves is checked with openssl and Python alone, as its README says."""
    report, code = submit(astronaut, places=(OUTSIDE_URL,))
    enter(public, code)
    early = text_of(public.get("/status/log"))
    assert "It will be signed within the hour" in early
    assert public.get("/status/log/file").status_code == 302
    flow.open_case(report, now=NOON)
    sign()
    page = text_of(public.get("/status/log"))
    assert "Your report arrived" in page
    assert "Your report came before a person" in page
    assert "Signed." in page
    answer = public.get("/status/log/file")
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    recipe = commands(tmp_path / "README.md")
    done = bash(recipe, tmp_path)
    assert done.returncode == 0, done.stderr
    proved = len(list((tmp_path / "log").glob("*.tlog-proof")))
    assert proved == done.stdout.count("is in the log") == page.count("Signed.")
    assert proved >= 3

    one = next((tmp_path / "log").glob("*.tlog-proof")).with_suffix(".json")
    one.write_bytes(
        one.read_bytes().replace(b"report:", b"repost:").replace(b"reporter", b"repeater")
    )
    assert bash(recipe, tmp_path).returncode != 0


def test_a_checkpoint_by_another_key_is_told_by_the_recipe(public: Client, tmp_path: Path) -> None:
    """The signature is checked too, not the tree alone."""
    _, code = submit(places=(OUTSIDE_URL,))
    sign()
    enter(public, code)
    answer = public.get("/status/log/file")
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    forged = Ed25519PrivateKey.generate()
    (tmp_path / "log/key.pem").write_bytes(
        log_proofs.pem(ledger.verifier_key(audit.ORIGIN, forged.public_key()))
    )
    assert bash(commands(tmp_path / "README.md"), tmp_path).returncode != 0


def commands(path: Path) -> str:
    """What a reader would copy from the file into a terminal."""
    parts = path.read_text(encoding="utf-8").split("```")[1::2]
    assert all(part.startswith("sh\n") for part in parts)
    return "".join(part.removeprefix("sh\n") for part in parts)


def bash(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # the recipe is ours
        ["bash", "-e", "-c", script],  # noqa: S607
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


# --- in other hands -------------------------------------------------------------------------------


class _Keeps:
    """A mail server's memory."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        self.taken.append(envelope.original_content or b"")
        return "250 Ok"


@pytest.fixture
def second_party(settings: Settings) -> Iterator[_Keeps]:
    """A mail server of somebody else's, on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = _Keeps()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()  # type: ignore[no-untyped-call]  # untyped there
    settings.HAECHI = replace(
        django_settings.HAECHI,
        smtp_host="127.0.0.1",
        smtp_port=port,
        log_mail="notary@other.example",
    )
    yield kept
    controller.stop()  # type: ignore[no-untyped-call]  # untyped there


def test_a_checkpoint_goes_to_the_second_party_byte_for_byte(second_party: _Keeps) -> None:
    """B34: what the mail holds tells later that the end of the log was cut off."""
    write(3)
    flow.sign_checkpoint(0)
    flow.sign_checkpoint(0)
    jobs = ProcrastinateJob.objects.filter(task_name="anchor_checkpoint")
    for job in jobs:
        flow.anchor_checkpoint(**job.args)
        flow.anchor_checkpoint(**job.args)
    (taken,) = second_party.taken
    mail = message_from_bytes(taken, policy=policy.default)
    (attached,) = mail.iter_attachments()
    signed = Checkpoint.objects.get()
    assert mail["To"] == "notary@other.example"
    assert attached.get_content().decode() == signed.note
    damaged(lambda: sql("DELETE FROM audit_anchor; DELETE FROM audit_checkpoint"))
    damaged(lambda: sql("DELETE FROM audit_entry WHERE position = 3"))
    with pytest.raises(LedgerBroken) as broken:
        audit.verify(notes=[attached.get_content().decode()])
    assert broken.value.position == 3
