"""STARTTLS of the mailbox: Python's own client, certificates made here, files that are renewed or wrong."""

import asyncio
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from tests.flow.certificates import trusting, write
from tests.flow.letters import mail
from tests.flow.test_mailbox import READY_S, TO, free_port

from haechi.cli import mailbox
from haechi.cli.mailbox_tls import (
    CERTIFICATE,
    KEY,
    REQUIRED,
    Tls,
    keep_fresh,
    lmtp_stays_here,
)
from haechi.errors import SettingRefused


@contextmanager
def serving(tls: Tls | None) -> Iterator[tuple[int, list[bytes]]]:
    """The mailbox on a thread, looking at its files all the time; its port, and what it kept."""
    kept: list[bytes] = []
    handler = mailbox.Handler(lambda raw: kept.append(raw) or "x", ("haechi.example",))  # type: ignore[func-returns-value]
    port, loops = free_port(), list[asyncio.AbstractEventLoop]()
    ready, told = threading.Event(), asyncio.Event()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        factory = partial(mailbox._protocol, handler, loop, tls, mailbox._Smtp)
        looking = tls and loop.create_task(keep_fresh(tls, every_s=0.01))
        async with await loop.create_server(factory, "127.0.0.1", port):
            loops.append(loop)
            ready.set()
            await told.wait()
        if looking:
            looking.cancel()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(READY_S)
    try:
        yield port, kept
    finally:
        loops[0].call_soon_threadsafe(told.set)
        thread.join()


def offered(port: int) -> bytes:
    """The certificate that a new connection is shown."""
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    with smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as server:
        server.starttls(context=blind)
        assert isinstance(server.sock, ssl.SSLSocket)
        return server.sock.getpeercert(binary_form=True) or b""


def on_disk(settings: dict[str, str]) -> bytes:
    return ssl.PEM_cert_to_DER_cert(Path(settings[CERTIFICATE]).read_text("ascii"))


def test_a_mail_comes_over_tls_and_in_clear_where_that_is_allowed(tmp_path: Path) -> None:
    """Offered once, not again inside; whoever has no TLS is not lost, unless it is required."""
    settings = write(tmp_path)
    with serving(Tls.read(settings)) as (port, kept):
        with smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as server:
            server.starttls(context=trusting(settings))
            server.ehlo()
            assert not server.has_extn("starttls")
            server.send_message(mail("over TLS"), "a@person.example", [TO])
        with smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as server:
            server.send_message(mail("in clear"), "a@person.example", [TO])
    assert [b"over TLS" in raw for raw in kept] == [True, False]


def test_without_a_certificate_none_is_offered() -> None:
    assert Tls.read({}) is None
    with serving(None) as (port, _), smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as server:
        server.ehlo()
        assert not server.has_extn("starttls")


def test_a_renewed_certificate_is_taken_up_without_a_restart(tmp_path: Path) -> None:
    """While only the key is new the old pair goes on; with both, new connections see the new one."""
    settings = write(tmp_path)
    first, before = Path(settings[CERTIFICATE]).read_bytes(), on_disk(settings)
    tls = Tls.read(settings)
    assert tls
    write(tmp_path, "two")
    after, second = on_disk(settings), Path(settings[CERTIFICATE]).read_bytes()
    Path(settings[CERTIFICATE]).write_bytes(first)
    with pytest.raises(SettingRefused, match=KEY):
        tls.renew()
    with serving(tls) as (port, _):
        assert offered(port) == before
        Path(settings[CERTIFICATE]).write_bytes(second)
        until = time.monotonic() + READY_S
        while offered(port) != after:
            assert time.monotonic() < until
            time.sleep(0.01)
    assert not tls.renew(), "nothing has changed since"


def test_a_handshake_that_fails_ends_one_session_and_names_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = write(tmp_path)
    with serving(Tls.read(settings)) as (port, kept):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=READY_S) as raw,
            suppress(OSError),
        ):
            raw.recv(1000)
            for line in (b"EHLO x\r\n", b"STARTTLS\r\n", b"this is no handshake\r\n"):
                raw.sendall(line)
                raw.recv(1000)
            raw.recv(1000)
        with smtplib.SMTP("127.0.0.1", port, timeout=READY_S) as server:
            server.docmd("a@person.example")
            server.starttls(context=trusting(settings))
            server.send_message(mail("after it"), "a@person.example", [TO])
    assert len(kept) == 1
    assert "127.0.0.1" not in caplog.text
    handler = mailbox.Handler(lambda _raw: "x", ())
    broke = OSError("a@person.example")
    assert asyncio.run(handler.handle_exception(broke)).startswith("451")
    assert "a mail session ended: OSError" in caplog.text
    assert "person" not in caplog.text


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("no certificate", CERTIFICATE),
        ("no key", KEY),
        ("a key alone", CERTIFICATE),
        ("words as certificate", CERTIFICATE),
        ("words as key", KEY),
        ("another key", KEY),
        ("a guarded key", KEY),
        ("required alone", CERTIFICATE),
        ("required is perhaps", REQUIRED),
    ],
)
def test_what_does_not_fit_is_refused_by_name_at_the_start(
    fault: str, name: str, tmp_path: Path
) -> None:
    settings = write(tmp_path)
    certificate, key = Path(settings[CERTIFICATE]), Path(settings[KEY])
    match fault:
        case "no certificate":
            certificate.unlink()
        case "no key":
            key.unlink()
        case "a key alone":
            del settings[CERTIFICATE]
        case "words as certificate":
            certificate.write_text("certificate", encoding="ascii")
        case "words as key":
            key.write_text("key", encoding="ascii")
        case "another key":
            before = certificate.read_bytes()
            write(tmp_path)
            certificate.write_bytes(before)
        case "a guarded key":
            write(tmp_path, guard=BestAvailableEncryption(b"a pass phrase"))
        case "required alone":
            settings = {REQUIRED: "1"}
        case _:
            settings[REQUIRED] = "perhaps"
    with pytest.raises(SettingRefused, match=f"^{name} "):
        Tls.read(settings)


def test_lmtp_leaves_no_machine_where_tls_is_required(tmp_path: Path) -> None:
    settings = write(tmp_path)
    wanted = Tls.read(settings | {REQUIRED: "1"})
    with pytest.raises(SettingRefused, match=REQUIRED):
        lmtp_stays_here(wanted, "0.0.0.0", 24)  # noqa: S104
    lmtp_stays_here(wanted, "127.0.0.1", 24)
    lmtp_stays_here(wanted, "0.0.0.0", 0)  # noqa: S104
    lmtp_stays_here(Tls.read(settings), "0.0.0.0", 24)  # noqa: S104
