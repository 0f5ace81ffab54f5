"""The mailbox as a process: what it acknowledged is stored, whatever kills it; IMAP against a server."""

import imaplib
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from psycopg.errors import InsufficientPrivilege
from tests.conftest import NOON
from tests.flow.certificates import trusting, write
from tests.flow.conftest import playing
from tests.flow.letters import mail

from haechi.cli import mailbox, mailbox_imap
from haechi.cli.mailbox_tls import REQUIRED
from haechi.errors import SettingRefused
from haechi.server import flow
from haechi.server.notices.incoming import services as incoming
from haechi.server.notices.incoming_models import Incoming, Stage, Way

READY_S = 60
TO = "notices@haechi.example"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until somebody listens there."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        assert process.poll() is None, "it ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail("nobody listens")


@contextmanager
def running(*arguments: str, port: int, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """`haechi mailbox` with its own database role, on the database of this test."""
    found = connection.settings_dict
    env = os.environ | environment
    env["HAECHI_DATABASE_URL"] = f"postgresql://haechi_mail@/{found['NAME']}?host={found['HOST']}"
    command = [sys.executable, "-m", "haechi.cli", "mailbox", *arguments]
    process = subprocess.Popen(command, env=env, start_new_session=True)  # noqa: S603
    try:
        wait_for(port, process)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def stored(committed: None) -> Iterator[None]:
    """Rows that other processes see; gone afterwards."""
    yield
    Incoming.objects.all().delete()


@pytest.mark.slow
def test_a_killed_mailbox_loses_nothing_that_it_acknowledged(stored: None) -> None:
    """250 is said after the commit: killed in the middle, twice, with four senders (B21)."""
    said: list[str] = []
    port = free_port()
    for round_ in range(2):
        with running("--port", str(port), port=port) as process:
            senders = [
                threading.Thread(target=_send_many, args=(port, said, f"{round_}-{number}"))
                for number in range(4)
            ]
            for sender in senders:
                sender.start()
            until = time.monotonic() + READY_S
            while len(said) < 12 * (round_ + 1) and time.monotonic() < until:
                time.sleep(0.01)
            os.killpg(process.pid, signal.SIGKILL)
            for sender in senders:
                sender.join()
    assert len(said) >= 24
    rows = {incoming.raw_of(row).decode(): row for row in Incoming.objects.all()}
    kept = "\n".join(rows)
    missing = [name for name in said if f"<{name}>" not in kept]
    assert missing == []
    jobs = _jobs()
    assert {str(row.pk) for row in rows.values()} <= jobs, "each with its job"


def _send_many(port: int, said: list[str], name: str) -> None:
    """Send until the server dies; remember what it said 250 to."""
    for number in range(10_000):
        named = f"{name}-{number}@person.example"
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as server:
                server.send_message(
                    mail("https://photos.example/a", message_id=f"<{named}>"),
                    "a@person.example",
                    [TO],
                )
        except (OSError, smtplib.SMTPException):
            return
        said.append(named)


def _jobs() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT args->>'report_id' FROM procrastinate_jobs WHERE task_name = 'take_notice'"
        )
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.slow
def test_the_mailbox_speaks_smtp_and_lmtp_and_passes_nothing_on(stored: None) -> None:
    smtp, lmtp = free_port(), free_port()
    with running("--port", str(smtp), "--lmtp-port", str(lmtp), port=lmtp) as process:
        with smtplib.SMTP("127.0.0.1", smtp, timeout=READY_S) as server:
            server.ehlo()
            server.mail("a@person.example")
            assert server.rcpt("somebody@elsewhere.example")[0] == 550
            assert server.rcpt(TO)[0] == 250
            code, words = server.data(bytes(mail("https://photos.example/a")))
            assert code == 250
            again = server.sendmail(
                "a@person.example", [TO], bytes(mail("https://photos.example/a"))
            )
            assert again == {}
        with smtplib.LMTP("127.0.0.1", lmtp, timeout=READY_S) as server:
            # One answer for each recipient (RFC 2033); Python's own client reads only the first.
            server.ehlo()
            server.mail("a@person.example")
            assert [server.rcpt(to)[0] for to in (TO, f"x{TO}")] == [250, 250]
            assert server.data(bytes(mail("two")))[0] == 250
            assert server.getreply()[0] == 250
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=READY_S) == 0
    rows = list(Incoming.objects.all())
    assert len(rows) == 2, "the same mail twice is one notice"
    assert words.decode().split()[-1] in {row.short for row in rows}
    assert all(row.stage == Stage.RECEIVED for row in rows)
    assert incoming.raw_of(rows[0]).startswith(b"Return-Path: <a@person.example>\r\nDelivered-To: ")


@pytest.mark.slow
def test_the_process_takes_mail_over_tls_only_where_that_is_required(
    stored: None, tmp_path: Path
) -> None:
    port, settings = free_port(), write(tmp_path)
    with running("--port", str(port), port=port, **settings, **{REQUIRED: "1"}) as process:
        with smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as server:
            server.ehlo()
            assert server.mail("a@person.example")[0] == 530
            server.starttls(context=trusting(settings))
            server.send_message(mail("https://photos.example/a"), "a@person.example", [TO])
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=READY_S) == 0
    assert Incoming.objects.count() == 1


def test_a_mail_that_cannot_be_stored_is_to_be_sent_again() -> None:
    import asyncio  # noqa: PLC0415

    def away(_raw: bytes) -> str:
        raise OSError("the database is away")

    envelope: Any = SimpleNamespace(content=b"x", mail_from="", rcpt_tos=[TO])
    said = asyncio.run(mailbox.Handler(away, ()).handle_DATA(None, None, envelope))  # type: ignore[arg-type]
    assert said.startswith("451")
    assert mailbox.trace(envelope).startswith(b"Return-Path: <>\r\n")


@pytest.fixture
def imap(tmp_path: Path) -> Iterator[mailbox_imap.Account]:
    """A real IMAP server (pymap) with one mailbox."""
    port = free_port()
    command = [
        sys.executable,
        "-c",
        "import pymap.main; pymap.main.main()",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-tls",
    ]
    process = subprocess.Popen(  # noqa: S603
        [*command, "dict", "--demo-user", "notices", "--demo-password", "secret"],
        start_new_session=True,
    )
    try:
        wait_for(port, process)
        yield mailbox_imap.Account(
            "127.0.0.1", port, "notices", "secret", "INBOX", encrypted=False, done="", every_s=0.1
        )
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def box(account: mailbox_imap.Account) -> Iterator[imaplib.IMAP4]:
    """Another client of the same mailbox."""
    with imaplib.IMAP4(account.host, account.port, timeout=READY_S) as opened:
        opened.login(account.user, account.password)
        opened.select("INBOX")
        yield opened


def put(account: mailbox_imap.Account, *mails: bytes) -> None:
    """Mails arrive there."""
    with box(account) as opened:
        for raw in mails:
            assert opened.append("INBOX", "", imaplib.Time2Internaldate(NOON), raw)[0] == "OK"


def seen(account: mailbox_imap.Account) -> int:
    """How many are marked as seen."""
    with box(account) as opened:
        return len(opened.uid("SEARCH", "SEEN")[1][0].split())


@pytest.mark.slow
def test_a_mail_is_marked_only_once_it_is_stored(imap: mailbox_imap.Account) -> None:
    """Storing fails for the second: the first is marked, the others are fetched again."""
    put(imap, *(bytes(mail(f"number {number}")) for number in range(3)))
    kept: list[bytes] = []

    def failing(raw: bytes) -> str:
        if len(kept) == 1:
            raise OSError("the database is away")
        kept.append(raw)
        return "x"

    stop = threading.Event()
    with pytest.raises(OSError, match="away"):
        mailbox_imap.fetch(imap, failing, stop)
    assert seen(imap) == 1
    later: list[bytes] = []
    assert mailbox_imap.fetch(imap, lambda raw: later.append(raw) or "x", stop) == 2
    assert seen(imap) == 3
    assert [b"number" in raw for raw in kept + later] == [True] * 3
    assert mailbox_imap.fetch(imap, failing, stop) == 0


@pytest.mark.slow
def test_a_stored_mail_is_moved_where_that_is_asked(imap: mailbox_imap.Account) -> None:
    from dataclasses import replace  # noqa: PLC0415

    put(imap, bytes(mail("one")))
    with box(imap) as opened:
        assert opened.create("Done")[0] == "OK"
    moving = replace(imap, done="Done")
    assert mailbox_imap.fetch(moving, lambda _raw: "x", threading.Event()) == 1
    with box(imap) as opened:
        assert opened.uid("SEARCH", "UNDELETED")[1][0].split() == []
        assert opened.select("Done")[1] == [b"1"]


@pytest.mark.slow
def test_the_process_polls_an_imap_mailbox(
    stored: None, imap: mailbox_imap.Account, tmp_path: Path
) -> None:
    put(imap, bytes(mail("https://photos.example/a")))
    secret = tmp_path / "password"
    secret.write_text("secret\n", encoding="utf-8")
    port = free_port()
    settings = {
        "HAECHI_IMAP_URL": f"imap://notices@127.0.0.1:{imap.port}/INBOX",
        "HAECHI_IMAP_PASSWORD_FILE": str(secret),
    }
    with running("--port", str(port), port=port, **settings):
        until = time.monotonic() + READY_S
        while seen(imap) < 1 and time.monotonic() < until:
            time.sleep(0.05)
        assert seen(imap) == 1
    assert Incoming.objects.count() == 1


@pytest.mark.parametrize(
    "url", ["https://a@b.example/", "imap://a@mail.example/INBOX", "imaps://mail.example/INBOX"]
)
def test_a_mailbox_is_not_read_in_clear_over_a_network(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingRefused):
        mailbox_imap.Account.read({"HAECHI_IMAP_URL": url, "HAECHI_IMAP_PASSWORD_FILE": "x"})
    assert django_settings.HAECHI.mailbox_domains == ("haechi.example",)


@pytest.mark.django_db
def test_who_takes_the_mailbox_over_reads_nothing_that_came_before() -> None:
    """Its role adds rows and jobs; it reads, changes and deletes none (B27)."""
    with playing("mail"):
        number = flow.accept(b"one", Way.MAIL, b"one", now=NOON)
        assert flow.accept(b"one", Way.MAIL, b"one", now=NOON) == number
        for statement in (
            "SELECT count(*) FROM notices_incoming",
            "SELECT raw FROM notices_incoming",
            "SELECT name FROM notices_sender",
            "UPDATE notices_incoming SET stage = 'aside'",
            "DELETE FROM notices_incoming",
            "SELECT audit_record('a:b', 'c:1', '{}', 'worker', now())",
        ):
            raw = connection.connection
            with pytest.raises(InsufficientPrivilege), raw.transaction():
                raw.execute(statement)
    assert Incoming.objects.count() == 1
