"""`haechi mailbox`: notices by mail, over SMTP, LMTP, or from an IMAP mailbox.

It can do one thing: seal a mail to the vault and write it down with its job. The vault's identity is
not here, its database role may read nothing, and 250 is said only after the commit.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar, cast

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from haechi.cli import mailbox_imap
from haechi.cli.mailbox_tls import Tls, keep_fresh, lmtp_stays_here

MOST_BYTES = 25 * 1024 * 1024
MOST_RECIPIENTS = 100
MOST_SESSIONS = 64
MOST_OF_ONE = 16
TOO_MANY = b"421 4.3.2 too many sessions at once, try again later\r\n"
# Longer than asyncio gives a handshake: a session that ends within one is not noticed.
IDLE_S = 120.0
LAST_WORDS_S = 5.0
# Lines of a mail over 998 bytes break the standard and are sent all the same.
LONGEST_LINE = 64 * 1024
THREADS = 4

log = logging.getLogger(__name__)

type Keep = Callable[[bytes], str]
"""Takes a whole mail; returns its number once it is durably stored, or raises."""


def mailbox(asked: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; a mail under way is finished first."""
    from haechi.cli import installation
    from haechi.cli.serving import forget_keys

    forget_keys()
    installation.enter(surface="public", process="mail")
    from django.conf import settings

    polling = mailbox_imap.Account.read(dict(os.environ))
    if not (asked.port or asked.lmtp_port or asked.lmtp_socket or polling):
        print("haechi: there is nothing to listen on; see haechi mailbox --help", file=sys.stderr)
        return 2
    tls = Tls.read(dict(os.environ))
    lmtp_stays_here(tls, asked.host, asked.lmtp_port)
    domains = settings.HAECHI.mailbox_domains
    asyncio.run(_serve(asked, Handler(kept, domains), polling, tls))
    return 0


def kept(raw: bytes) -> str:
    """Seal and commit one mail, in this thread; its short number."""
    from django.db import close_old_connections
    from django.utils import timezone

    from haechi.server import flow
    from haechi.server.notices.incoming_models import Way

    close_old_connections()
    try:
        return flow.accept(raw, Way.MAIL, raw, now=timezone.now()).hex[:8]
    finally:
        close_old_connections()


class Handler:
    """What aiosmtpd asks for each recipient and each mail."""

    def __init__(self, keep: Keep, domains: tuple[str, ...]) -> None:
        self._keep = keep
        self._domains = domains
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Only our own domains: nothing is passed on."""
        if address.rpartition("@")[2].lower() not in self._domains:
            return "550 5.7.1 this is not a mailbox of ours"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """250 with the number when it is stored; 451, and the sender tries again, when not."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        loop = asyncio.get_running_loop()
        try:
            whole = trace(envelope) + raw
            number = await loop.run_in_executor(self._threads, self._keep, whole)
            said = f"250 2.0.0 kept as notice {number}"
        except Exception as error:  # noqa: BLE001  # whatever it is: its sender has to know
            # Not the trace, which may quote what was sent.
            log.error(  # noqa: TRY400
                "a mail could not be stored: %s", type(error).__name__
            )
            said = "451 4.3.0 cannot be stored now, try again"
        # LMTP has an answer for each recipient (RFC 2033).
        times = len(envelope.rcpt_tos) if isinstance(server, LMTP) else 1
        return "\r\n".join([said] * times)

    async def handle_exception(self, error: Exception) -> str:
        """What went wrong in a session, such as a handshake that failed, by kind and without its sender."""
        log.error("a mail session ended: %s", type(error).__name__)
        return "451 4.3.0 something went wrong, try again"


def trace(envelope: Envelope) -> bytes:
    """The lines that the last mail server writes on top (RFC 5321, 4.4): from whom, to which mailbox."""
    lines = [f"Return-Path: <{envelope.mail_from or ''}>"]
    lines += [f"Delivered-To: {each}" for each in envelope.rcpt_tos]
    plain = ("".join(c for c in line if c.isprintable()) for line in lines)
    return "".join(f"{line}\r\n" for line in plain).encode("utf-8", "replace")


class _Counted(SMTP):
    """No more than MOST_SESSIONS at once: each may hold MOST_BYTES. One too many is told to come later.

    SMTP and LMTP are counted apart, so that strangers leave room to the mail server beside us.
    """

    line_length_limit = LONGEST_LINE
    open_now: ClassVar[dict[SMTP, asyncio.WriteTransport]]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called again, for a session that is counted already, after STARTTLS."""
        writing = cast("asyncio.WriteTransport", transport)
        if self not in self.open_now:
            if self._full(_host(writing)):
                writing.write(TOO_MANY)
                writing.close()
                return
            # Below TLS too it is this one that ends a session.
            self.open_now[self] = writing
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.open_now.pop(self, None) is not None:
            super().connection_lost(error)

    def _full(self, host: str) -> bool:
        same = sum(_host(other) == host for other in self.open_now.values()) if host else 0
        return len(self.open_now) >= MOST_SESSIONS or same >= MOST_OF_ONE

    def _timeout_cb(self) -> None:
        """Who does not read either is not waited for: what was said to them is dropped."""
        super()._timeout_cb()  # type: ignore[no-untyped-call]
        if self in self.open_now:
            self.loop.call_later(LAST_WORDS_S, self.open_now[self].abort)


def _host(transport: asyncio.BaseTransport) -> str:
    """The address of who talks; empty on a socket of this machine."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


class _Smtp(_Counted):
    open_now = {}  # noqa: RUF012 - as annotated above


class _Lmtp(_Counted, LMTP):
    open_now = {}  # noqa: RUF012


async def _serve(
    asked: argparse.Namespace,
    handler: Handler,
    polling: mailbox_imap.Account | None,
    tls: Tls | None,
) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    factory = partial(_protocol, handler, loop, tls)
    servers = [await start for start in _listeners(asked, loop, factory)]
    stop = threading.Event()
    looking = tls and loop.create_task(keep_fresh(tls))
    poller = polling and loop.run_in_executor(None, mailbox_imap.poll, polling, kept, stop)
    print("haechi mailbox: ready", file=sys.stderr, flush=True)
    await told.wait()
    stop.set()
    if looking:
        looking.cancel()
    for server in servers:
        server.close()
    if poller:
        await poller


def _listeners(
    asked: argparse.Namespace,
    loop: asyncio.AbstractEventLoop,
    factory: Callable[[type[SMTP]], SMTP],
) -> list[Coroutine[Any, Any, asyncio.Server]]:
    smtp, lmtp = partial(factory, _Smtp), partial(factory, _Lmtp)
    listeners: list[Coroutine[Any, Any, asyncio.Server]] = []
    if asked.port:
        listeners.append(loop.create_server(smtp, asked.host, asked.port))
    if asked.lmtp_port:
        listeners.append(loop.create_server(lmtp, asked.host, asked.lmtp_port))
    if asked.lmtp_socket:
        listeners.append(loop.create_unix_server(lmtp, asked.lmtp_socket))
    return listeners


def _protocol(
    handler: Handler, loop: asyncio.AbstractEventLoop, tls: Tls | None, kind: type[SMTP]
) -> SMTP:
    offered = tls if kind is _Smtp else None
    return kind(
        handler,
        tls_context=offered.context if offered else None,
        require_starttls=bool(offered and offered.required),
        data_size_limit=MOST_BYTES,
        enable_SMTPUTF8=True,
        ident="haechi",
        timeout=IDLE_S,
        loop=loop,
    )
