"""Two Haechis, a hotline's and a platform's: two homes, two databases, their real processes (B20, B21).

A report at the hotline, a decision, a signed notice, a receipt, a case with an order's clocks at the
platform, removal on its board, the answer item by item; the platform's processes are killed in the
middle. Nothing is lost, nothing happens twice, and both logs verify.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from tests.flow.test_mailbox import free_port, wait_for

from haechi.formats import webhook

WAIT_S = 120
ROOT = Path(__file__).parents[2]
PLACES = [
    "https://board.example/post/0",
    "https://board.example/post/1",
    "https://board.example/no",
]


class House:
    """One home with its processes, and a program in which its people act."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HAECHI_")}
        self.environment = kept | {
            "HAECHI_HOME": str(home),
            "HAECHI_PUBLIC_URL": self.url,
            "HAECHI_ORGANISATION": home.name,
            "HAECHI_JURISDICTIONS": "KR,EU",
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.people: subprocess.Popen[bytes] | None = None

    def command(self, *typed: str) -> list[str]:
        """A command line of this house."""
        return [sys.executable, "-m", "haechi.cli", *typed, "--home", str(self.home)]

    def set_up(self) -> "subprocess.Popen[bytes]":
        """Keys, database, tables."""
        return subprocess.Popen(  # noqa: S603
            self.command("setup", "--jurisdictions", "KR,EU"),
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )

    def start(self, *names: str) -> None:
        """Start processes by name."""
        for name in names:
            more = ["--port", str(self.port)] if name == "public" else []
            self.running[name] = subprocess.Popen(  # noqa: S603
                self.command(name, *more), env=self.environment, start_new_session=True
            )
        if "public" in names:
            wait_for(self.port, self.running["public"])

    def kill(self) -> None:
        """SIGKILL for all of them."""
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running = {}

    def ask(self, do: str, **given: Any) -> Any:
        """Have somebody there do something."""
        if self.people is None:
            self.people = subprocess.Popen(  # noqa: S603
                [sys.executable, str(Path(__file__).with_name("house.py")), str(self.home)],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert self.people.stdout is not None
            assert self.people.stdout.readline()
        assert self.people.stdin is not None
        assert self.people.stdout is not None
        self.people.stdin.write(json.dumps({"do": do, **given}).encode() + b"\n")
        self.people.stdin.flush()
        line = self.people.stdout.readline()
        assert line, f"{do} failed at {self.home.name}"
        return json.loads(line)

    def until(self, do: str, holds: Callable[[Any], bool]) -> Any:
        """Ask again and again until it holds."""
        end = time.monotonic() + WAIT_S
        while True:
            answer = self.ask(do)
            if holds(answer):
                return answer
            assert time.monotonic() < end, f"{do} at {self.home.name}: {answer}"
            time.sleep(0.2)

    def end(self) -> None:
        """Stop everything, the database last."""
        self.kill()
        if self.people is not None and self.people.stdin and self.people.stdout:
            self.people.stdin.close()
            self.people.wait()
            self.people.stdout.close()
        subprocess.run(  # noqa: S603
            self.command("database", "stop"), env=self.environment, check=False
        )


@contextmanager
def a_board(secret: bytes) -> Iterator[tuple[str, list[str]]]:
    """A platform's own server: it removes what a signed webhook names, and says so."""
    removed: list[str] = []

    class Obeys(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # its name there
            """One webhook."""
            body = self.rfile.read(int(self.headers["content-length"]))
            webhook.verify(secret, dict(self.headers.items()), body, now=timezone.now())
            removed.append(json.loads(body)["content_id"])
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"removed": true}')

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Obeys) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/webhook", removed
        server.shutdown()


@pytest.fixture
def houses(tmp_path: Path) -> Iterator[tuple[House, House]]:
    """A hotline's and a platform's, set up, their people at work, knowing each other's keys."""
    hotline, platform = House(tmp_path / "hotline"), House(tmp_path / "platform")
    with ExitStack() as stack:
        for house in (hotline, platform):
            stack.callback(house.end)
        setting_up = [hotline.set_up(), platform.set_up()]
        assert [made.wait(timeout=300) for made in setting_up] == [0, 0]
        for house in (hotline, platform):
            house.ask("person")
        hotline.ask("directory", host="board.example", url=platform.url, key=platform.ask("key"))
        platform.ask(
            "knows", name="The hotline", url=hotline.url, key=hotline.ask("key"), event="order"
        )
        yield hotline, platform


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hotline_and_a_platform(houses: tuple[House, House]) -> None:
    hotline, platform = houses
    secret = secrets.token_bytes(32)
    with a_board(secret) as (address, removed):
        platform.ask("board", webhook=address, secret=secret.hex(), urls=PLACES[:2])
        hotline.start("public", "worker")
        platform.start("public")

        hotline.ask("report", places=PLACES)
        # Its clocks are the last that the worker writes of it.
        [case] = hotline.until("cases_open", lambda found: bool(found) and found[0]["clocks"])
        hotline.ask("decide", case=case["case"])
        # Taken in, sealed, and nobody there to read it: the platform dies and starts again.
        platform.until("came", bool)
        platform.kill()
        platform.start("public", "worker")
        [case] = platform.until("cases_open", lambda found: bool(found) and found[0]["found"] == 2)
        assert case["places"] == 3, "one notice, one case"
        assert "promise" in case["clocks"]
        hotline.until("sent_notices", lambda rows: rows and "receipt" in rows[0]["replies"])

        platform.ask("decide", case=case["case"])
        platform.until("came", lambda rows: all(outcome for _, outcome in rows[0]["items"]))
        [notice] = hotline.until(
            "sent_notices", lambda rows: rows and all(rows[0]["items"]) and rows[0]["items"]
        )
        assert sorted(notice["items"]) == ["not_found", "removed", "removed"]
        assert sorted(set(removed)) == ["post-0", "post-1"]
        [came] = platform.until("came", lambda rows: rows[0]["unsent"] == 0)
        assert came["answers"].count("receipt") == 1
        assert len(platform.ask("cases_open")) == 1
        assert len(hotline.ask("cases_open")) == 1
        assert hotline.ask("log_holds") > 5
        assert platform.ask("log_holds") > 5
