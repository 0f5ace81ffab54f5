"""`haechi public`, `desk`, `match-service`: one Granian process each, on the given address."""

import argparse
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haechi.cli.sockets import HeldSockets

# A request has its thread while its body comes in, and a telephone with one bar takes minutes for a
# photograph: with a thread a core, a handful of those would keep everybody out. At the desk each may
# have a connection to the database, of which PostgreSQL gives 100 by default to all processes together;
# on the public site they borrow one (config/database.py).
# Each open queue keeps one too, to be told of changes; those have no such connection (docs/adr/0007).
THREADS = {"public": 256, "desk": 8 + 48}

MOST_WORKERS = 64
HEADERS_MS = 10_000
"""For the lines before a body; honest clients send them in one packet."""
HEADERS_BYTES = 65_536
"""Ours are under 1,000 bytes; a token and a few cookies of a proxy fit."""
CONNECTIONS = 16_384
"""Open ones of one process, idle ones too, of some 20 kB each; the next ones wait."""
DRAIN_S = 70
"""The longest that a request may take (settings read_s and answer_s), and a little more."""


def public(asked: argparse.Namespace) -> int:
    """Serve the public site. The vault identity is taken out of its environment."""
    forget_keys()
    return _django("public", asked)


def forget_keys() -> None:
    """Take what only desk and worker may know out of this process's environment."""
    for name in (
        "HAECHI_VAULT_IDENTITY_FILE",
        "HAECHI_VAULT_IDENTITY_COMMAND",
        "HAECHI_VAULT_PASSPHRASE_FILE",
        "HAECHI_SIGNING_KEY_FILE",
        "HAECHI_DESK_SECRET_FILE",
    ):
        os.environ.pop(name, None)


def desk(asked: argparse.Namespace) -> int:
    """Serve the desk."""
    return _django("desk", asked)


def match(asked: argparse.Namespace) -> int:
    """Serve the match service; it holds no key to any report."""
    from haechi.cli import installation

    installation.read_keys(vault=False)
    installation.find_database("match")
    _check_port(asked.host, asked.port)
    os.environ.setdefault(
        "HAECHI_MATCH_SNAPSHOT", str(installation.home() / "match" / "banks.snapshot")
    )
    _check_settings()
    if asked.workers > 1:
        os.environ["HAECHI_MATCH_SEVERAL"] = "1"
        # One a core in all: more would wait for a core, and each takes 180 MB.
        each = max(1, (os.cpu_count() or 1) // asked.workers)
        os.environ.setdefault("HAECHI_MATCH_DECODERS", str(each))
    _allow_connections()
    server = _match_server(asked)
    server.on_reload(lambda: _tell("replacing each process once its successor answers"))
    server.serve()
    _tell("stopped; what was under way has been answered")
    return 0


def _check_settings() -> None:
    """Refuse here, once and in words, what each process would refuse and be started again for."""
    from haechi.match_service.config import Settings

    Settings.from_environ(os.environ)


def _match_server(asked: argparse.Namespace) -> "HeldSockets":
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    from haechi.cli.sockets import HeldSockets

    if not 1 <= asked.workers <= MOST_WORKERS:
        raise OSError(f"--workers must be from 1 to {MOST_WORKERS}")
    return HeldSockets(
        "haechi.match_service.asgi:app",
        address=asked.host,
        port=asked.port,
        interface=Interfaces.ASGI,
        workers=asked.workers,
        backlog=4_096,
        backpressure=CONNECTIONS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_MS, max_buffer_size=HEADERS_BYTES),
        websockets=False,
        # A process that dies is replaced: the others would be left with its share.
        respawn_failed_workers=True,
        respawn_interval=max(0.0, asked.reload_wait),
        workers_kill_timeout=DRAIN_S,
        log_access=False,
        log_level=LogLevels.warning,
    )


def _allow_connections() -> None:
    """Each connection is an open file, and the usual limit for those is 1,024."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS if most == resource.RLIM_INFINITY else min(2 * CONNECTIONS, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _tell(words: str) -> None:
    import sys

    print(f"haechi match-service: {words}", file=sys.stderr, flush=True)


def _django(surface: str, asked: argparse.Namespace) -> int:
    from haechi.cli import installation

    os.environ["HAECHI_SURFACE"] = surface
    installation.read_keys(vault=surface == "desk")
    installation.find_database(surface)
    from granian.constants import Interfaces

    # WSGI, not ASGI: no body may be spooled to a disk (docs/adr/0003).
    target = f"haechi.server.config.wsgi_{surface}:app"
    return _serve(target, asked, Interfaces.WSGI, threads=THREADS[surface])


def _serve(target: str, asked: argparse.Namespace, interface: object, *, threads: int) -> int:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    _check_port(asked.host, asked.port)
    # It warns of more threads than cores compute with; ours wait for bodies.
    logging.getLogger("_granian").addFilter(lambda said: "Python threads" not in said.getMessage())
    Granian(
        target,
        address=asked.host,
        port=asked.port,
        interface=Interfaces(interface),
        workers=1,
        blocking_threads=threads,
        websockets=False,
        # No line may carry the address of an anonymous person.
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()
    return 0


def _check_port(host: str, port: int) -> None:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise OSError(
                f"port {port} on {host}: {error.strerror}; choose one with --port"
            ) from error
