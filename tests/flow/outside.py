"""Others, for real: a mail server and a Haechi that take notices, in threads of the test."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Post:
    """A mail server. `say` gives its answer to a message; `mails` has what was taken."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.options: list[str] = []
        self.say: Callable[[Envelope], str] = lambda _mail: "250 2.0.0 queued as 7"
        self.at_rcpt: Callable[[], None] = lambda: None
        self.port = _free_port()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Every mailbox exists."""
        envelope.rcpt_tos.append(address)
        self.at_rcpt()
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """What `say` says."""
        answer = self.say(envelope)
        if answer.startswith("250"):
            self.mails.append(envelope)
        return answer


@contextmanager
def post_office() -> Iterator[Post]:
    """A mail server that runs until the end."""
    post = Post()
    controller = Controller(
        post, hostname="127.0.0.1", port=post.port, ready_timeout=60, data_size_limit=64 << 20
    )
    controller.start()
    try:
        yield post
    finally:
        controller.stop()


class Web:
    """A web server: `answers` by path, or `say`; `asked` has (path, headers, body)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: dict[str, Any] = {}
        self.status = 202


@contextmanager
def web_server() -> Iterator[Web]:
    """A web server that runs until the end."""
    web = Web("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            web.asked.append((self.path, dict(self.headers), body))
            self._answer(web.status, b"{}")

        def do_GET(self) -> None:
            web.asked.append((self.path, dict(self.headers), b""))
            known = self.path in web.answers
            self._answer(200 if known else 404, json.dumps(web.answers.get(self.path)).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Nothing on the screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
