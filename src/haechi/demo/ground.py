"""What must be so before anything is started; otherwise one line that says what to do."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haechi.demo.ports import HOST, Ports
from haechi.errors import HaechiError

# Database 60 MB, blobs and logs a few more, and room for the database's write-ahead log.
NEEDED_BYTES = 500_000_000
MARK = "demo.lock"


class GroundUnfit(HaechiError):
    """The demo cannot start here; the text says what to do."""

    code = "demo.ground"


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """Hold `home` for this process. Raises GroundUnfit when it cannot be written or is held."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        mark = (home / MARK).open("a+")
    except OSError as error:
        raise GroundUnfit(
            f"cannot write to {home} ({error.strerror}); choose another folder with --home"
        ) from error
    with mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            mark.seek(0)
            raise GroundUnfit(
                f"a demo runs in {home} already (process {mark.read().strip() or '?'}); "
                "stop it with Ctrl-C, or choose another folder with --home and ports with --ports"
            ) from error
        mark.truncate(0)
        mark.write(str(os.getpid()))
        mark.flush()
        yield


def check(home: Path, ports: Ports) -> None:
    """Raises GroundUnfit for a taken port, too little disk, or a home that was not made by a demo."""
    free = shutil.disk_usage(home).free
    if free < NEEDED_BYTES:
        raise GroundUnfit(
            f"{home} has {free / 1e6:.0f} MB free and the demo needs {NEEDED_BYTES / 1e6:.0f} MB; "
            "make room, or choose another folder with --home"
        )
    _check_files(home)
    for name, port in ports.named().items():
        _check_port(name, port)


def _check_files(home: Path) -> None:
    for path in (home, *(home / name for name in sorted(OURS))):
        if not path.exists():
            continue
        if path.name == "postgres":
            # It must be its owner's; for root the database has a user of its own.
            fit = os.geteuid() in (0, path.stat().st_uid)
        else:
            fit = os.access(path, os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0))
        if not fit:
            raise GroundUnfit(
                f"{path} belongs to another user or cannot be written; "
                "give it to this user, or choose another folder with --home"
            )


def _check_port(name: str, port: int) -> None:
    if not 1024 <= port <= 65535:
        raise GroundUnfit(f"port {port} for the {name} is out of range; choose --ports 8410 or so")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise GroundUnfit(
                f"port {port} for the {name} is taken; stop what uses it, "
                f"or choose other ports, for instance --ports {port // 100 * 100 + 210}"
            ) from error


def wipe(home: Path) -> None:
    """Stop the database of `home` and delete everything in it but the mark.

    Raises GroundUnfit where `home` holds something that no demo has put there.
    """
    if any(home.iterdir()) and not (home / MARK).exists():
        raise GroundUnfit(f"{home} is not a demo's folder; nothing was deleted")
    strange = {path.name for path in home.iterdir()} - OURS
    if strange:
        raise GroundUnfit(
            f"{home} holds {', '.join(sorted(strange)[:3])}, which no demo has made; "
            "nothing was deleted"
        )
    # Loaded here: most starts wipe nothing.
    from haechi.demo.processes import database  # noqa: PLC0415

    database("stop", home)
    for path in home.iterdir():
        if path.name == MARK:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


OURS = frozenset(
    {
        MARK,
        "haechi.env",
        "vault.age-identity",
        "signing.pem",
        "desk.secret",
        "database",
        "postgres",
        "postgres.lock",
        "run",
        "blobs",
        "logs",
        "mail",
        "board",
        "demo.json",
    }
)
