"""The supervisor: starts every process in a group of its own, waits until each answers, stops all."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import httpx
import psycopg

from haechi.demo import household
from haechi.demo.household import Family
from haechi.demo.ports import HOST
from haechi.demo.telling import NotAsTold

READY_S = 60.0
GRACE_S = 10.0
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1
ANSWERS_AT = {"match": "/ready", "board": "/health", "public": "/", "desk": "/login"}


class Crew:
    """The processes of one demo. Nothing is restarted silently: check() says who died."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, family: Family) -> None:
        """Start everything and wait until each answers. Raises NotAsTold naming who does not."""
        (self._home / "logs").mkdir(exist_ok=True)
        (self._home / "board").mkdir(exist_ok=True)
        began = time.time()
        for name, (command, environment) in household.commands(family).items():
            self._launch(name, command, environment)
        self._wait(family, began)

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self._home / "logs" / f"{name}.log"

    def check(self) -> None:
        """Raises NotAsTold when a process has ended."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise NotAsTold(
                    f"the process {name}",
                    expected="running",
                    seen=f"ended with {process.returncode}; {_last_line(self.log(name))}",
                )

    def kill(self) -> int:
        """SIGKILL for every process but the mail sink, and for PostgreSQL; returns how many died.

        The sink stays: it is a host outside, not ours.
        """
        ours = {name: one for name, one in self._running.items() if name != "mail"}
        killed = 0
        for process in ours.values():
            killed += len(_group(process.pid))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in ours.values():
            process.wait()
        killed += _kill_postgres(self._home)
        self._running = {"mail": self._running["mail"]} if "mail" in self._running else {}
        return killed

    def start_database(self) -> None:
        """Start PostgreSQL again after kill(); it recovers from its write-ahead log."""
        database("start", self._home)

    def restart(self, family: Family) -> None:
        """Start again what kill() ended, with the same commands and data."""
        began = time.time()
        for name, (command, environment) in household.commands(family).items():
            if name not in self._running:
                self._launch(name, command, environment)
        self._wait(family, began)

    def stop(self) -> None:
        """Ask every process to end, end it after ten seconds, then stop the database."""
        running = [one for one in self._running.values() if one.poll() is None]
        for process in running:
            _signal(process, signal.SIGTERM)
        until = time.monotonic() + GRACE_S
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, until - time.monotonic()))
        for process in self._running.values():
            # The whole group: a decoder of a process that is gone must not stay behind.
            _signal(process, signal.SIGKILL)
            process.wait()
        self._running = {}
        database("stop", self._home)

    def _launch(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        """Start one process and remember it; Ctrl-C waits until both are done."""
        with self.log(name).open("ab") as log:
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
            try:
                self._running[name] = _spawn(command, environment, log, mask)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _wait(self, family: Family, began: float) -> None:
        waiting = set(self._running)
        until = time.monotonic() + READY_S
        while waiting:
            self.check()
            waiting = {name for name in waiting if not _answers(name, family, began)}
            if waiting and time.monotonic() > until:
                name = min(waiting)
                raise NotAsTold(
                    f"the process {name}",
                    expected=f"an answer within {READY_S:.0f} s",
                    seen=_last_line(self.log(name)),
                )
            time.sleep(0.1)


def database(act: str, home: Path) -> None:
    """Start or stop the embedded PostgreSQL, in a process that remembers nothing of earlier ones."""
    command = [sys.executable, "-m", "haechi.cli", "database", act, "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise NotAsTold(f"database {act}", expected=0, seen=done.stderr.strip()[-300:])


def _spawn(
    command: list[str], environment: dict[str, str], log: BinaryIO, mask: set[int | signal.Signals]
) -> subprocess.Popen[bytes]:
    parent = os.getpid()
    # Looked up here: between fork and exec nothing may be loaded.
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def in_the_child() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if prctl is not None:
            # Told to end when the demo itself is killed; servers then end their workers too.
            prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
            if os.getppid() != parent:
                os._exit(1)

    return subprocess.Popen(  # noqa: S603  # our own commands, no shell
        command,
        env=environment,
        cwd=household.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=in_the_child,  # noqa: PLW1509  # the demo has no threads
    )


def _answers(name: str, family: Family, began: float) -> bool:
    try:
        if name == "worker":
            return _worker_beats(family.database_url, began)
        if name == "mail":
            return _greets(family.ports.mail)
        url = family.url(name) + ANSWERS_AT[name]
        return httpx.get(url, timeout=5, trust_env=False).status_code < 500
    except (OSError, httpx.HTTPError, psycopg.Error):
        return False


def _worker_beats(database_url: str, began: float) -> bool:
    with psycopg.connect(database_url, connect_timeout=3) as connection:
        row = connection.execute(
            "SELECT 1 FROM procrastinate_workers WHERE last_heartbeat >= to_timestamp(%s)", [began]
        ).fetchone()
    return row is not None


def _greets(port: int) -> bool:
    import smtplib  # noqa: PLC0415  # only here

    with smtplib.SMTP(HOST, port, timeout=3) as server:
        return server.noop()[0] == 250


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _table() -> list[tuple[int, int, int]]:
    """Every living process: (its id, its parent's id, its group's id)."""
    if not Path("/proc/self/stat").exists():
        command = ["/bin/ps", "-A", "-o", "pid=,ppid=,pgid=,stat="]
        listed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        lines = [line.split() for line in listed.stdout.splitlines()]
        rows = [(pid, parent, group, state) for pid, parent, group, state in lines]
    else:
        rows = [row for folder in Path("/proc").glob("[0-9]*") if (row := _stat(folder))]
    return [
        (int(pid), int(parent), int(group)) for pid, parent, group, state in rows if state[0] != "Z"
    ]


def _stat(folder: Path) -> tuple[str, str, str, str] | None:
    try:
        text = (folder / "stat").read_text()
    except OSError:  # It has ended meanwhile.
        return None
    # The name stands in brackets and may itself hold some.
    state, parent, group, *_ = text.rpartition(")")[2].split()
    return folder.name, parent, group, state


def _group(group: int) -> list[int]:
    return [pid for pid, _, its in _table() if its == group]


def _kill_postgres(home: Path) -> int:
    mark = home / "postgres" / "postmaster.pid"
    postmaster = int(mark.read_text().splitlines()[0])
    family = [postmaster, *(pid for pid, parent, _ in _table() if parent == postmaster)]
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + GRACE_S
    while _has_entry(postmaster):
        if time.monotonic() > until:
            # Dead, but nobody collects it, as in containers without an init. PostgreSQL would
            # take it for alive and refuse to start.
            mark.unlink()
            break
        time.sleep(0.05)
    return len(family)


def _has_entry(pid: int) -> bool:
    """True while the system still lists `pid`, dead or alive."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing in its log"
