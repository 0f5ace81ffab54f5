"""How many may talk to the mailbox at once."""

import smtplib
import socket
import time
from contextlib import ExitStack, suppress

import pytest
from tests.flow.test_mailbox import READY_S
from tests.flow.test_mailbox_tls import serving

from haechi.cli import mailbox


def test_one_session_too_many_is_told_to_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MOST_SESSIONS", 2)
    with serving(None) as (port, _), ExitStack() as others:
        first, _second = (
            others.enter_context(smtplib.SMTP("127.0.0.1", port, timeout=READY_S)) for _ in "ab"
        )
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            smtplib.SMTP("127.0.0.1", port, timeout=READY_S)
        assert refused.value.smtp_code == 421
        first.quit()
        until = time.monotonic() + READY_S
        while len(mailbox._Smtp.open_now) > 1:
            assert time.monotonic() < until
            time.sleep(0.01)
        with smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as later:
            assert later.noop()[0] == 250


def test_one_address_does_not_take_every_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MOST_OF_ONE", 1)
    with serving(None) as (port, _), smtplib.SMTP("127.0.0.1", port, timeout=READY_S):
        with pytest.raises(smtplib.SMTPConnectError):
            smtplib.SMTP("127.0.0.1", port, timeout=READY_S)
        with smtplib.SMTP("127.0.0.1", port, timeout=READY_S, source_address=("127.0.0.2", 0)):
            pass


def test_who_talks_without_listening_loses_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers fill every buffer on the way; closing politely would wait for them for ever."""
    monkeypatch.setattr(mailbox, "IDLE_S", 0.5)
    monkeypatch.setattr(mailbox, "LAST_WORDS_S", 0.1)
    with serving(None) as (port, _), socket.create_connection(("127.0.0.1", port)) as deaf:
        deaf.setblocking(False)  # noqa: FBT003
        until = time.monotonic() + READY_S
        quiet = time.monotonic()
        while time.monotonic() - quiet < 0.3 and time.monotonic() < until:
            with suppress(BlockingIOError, ConnectionError):
                deaf.send(b"HELP\r\n" * 4096)
                quiet = time.monotonic()
            time.sleep(0.001)
        while mailbox._Smtp.open_now:
            assert time.monotonic() < until
            time.sleep(0.01)
