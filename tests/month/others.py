"""Hosts with mail servers, and a platform: real sockets, and every temper that is met out there."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from uuid import UUID

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

# How often a host's server says "later", and a platform fails, out of a hundred.
LATER, FAILING = 15, 15


class Post:
    """A mail server for every host outside.

    taken   how often each message, told by its Message-ID, was accepted
    """

    def __init__(self, dice: Random) -> None:
        """`dice` decides whose turn it is to wait."""
        self._dice = dice
        self.taken: Counter[str] = Counter()
        self.refused = 0

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Accept it, or ask to come again."""
        if self._dice.randrange(100) < LATER:
            self.refused += 1
            return "451 4.3.0 later"
        content = envelope.content or b""
        assert isinstance(content, bytes)
        self.taken[str(message_from_bytes(content)["Message-ID"])] += 1
        return "250 2.0.0 taken"

    def by_notice(self) -> dict[str, int]:
        """Notice to how often a mail of it was accepted; mails that are no notice are left out."""
        found: dict[str, int] = {}
        for name, times in self.taken.items():
            number = name.strip("<>").partition("@")[0]
            if _is_number(number):
                found[number] = times
        return found

    @contextmanager
    def open(self) -> Iterator[int]:
        """Until the end it answers at a port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(self, hostname="127.0.0.1", port=port)
        controller.start()  # type: ignore[no-untyped-call]
        try:
            yield port
        finally:
            controller.stop()  # type: ignore[no-untyped-call]


class Board:
    """A platform that removes what it is told to, once; sometimes it fails, before or after it did.

    told   how often each idempotency key came; `acted` those it acted on
    """

    def __init__(self, dice: Random) -> None:
        """`dice` decides when it fails."""
        self._dice = dice
        self.told: Counter[str] = Counter()
        self.acted: set[str] = set()

    def answer(self, body: dict[str, object]) -> int:
        """The status for one webhook."""
        mood, key = self._dice.randrange(100), str(body["idempotency_key"])
        self.told[key] += 1
        if mood < FAILING // 2:
            return 503
        self.acted.add(key)
        return 504 if mood < FAILING else 200

    @contextmanager
    def open(self) -> Iterator[str]:
        """Until the end it answers at an address."""
        board = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                status = board.answer(json.loads(self.rfile.read(length)))
                said = json.dumps({"removed": True, "done": True}).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/haechi/webhook"
        finally:
            server.shutdown()
            server.server_close()


def _is_number(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
