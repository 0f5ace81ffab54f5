"""How many may talk to the mailbox at once."""

import smtplib
import time
from contextlib import ExitStack

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
        while len(mailbox._Counted.open_now) > 1:
            assert time.monotonic() < until
            time.sleep(0.01)
        with smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as later:
            assert later.noop()[0] == 250
