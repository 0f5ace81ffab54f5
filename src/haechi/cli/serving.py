"""`haechi public`, `desk`, `match-service`: one Granian process each, on the given address."""

import argparse
import os

# Threads mostly wait, for the database and for uploads; Argon2 (32 MiB each) is what computes.
THREADS = min(8, 2 * (os.cpu_count() or 1))


def public(asked: argparse.Namespace) -> int:
    """Serve the public site. The vault identity is taken out of its environment."""
    for name in (
        "HAECHI_VAULT_IDENTITY_FILE",
        "HAECHI_SIGNING_KEY_FILE",
        "HAECHI_DESK_SECRET_FILE",
    ):
        os.environ.pop(name, None)
    return _django("public", asked)


def desk(asked: argparse.Namespace) -> int:
    """Serve the desk."""
    return _django("desk", asked)


def match(asked: argparse.Namespace) -> int:
    """Serve the match service; it holds no key to any report."""
    from haechi.cli import installation

    installation.read_keys(vault=False)
    installation.find_database()
    from granian.constants import Interfaces

    return _serve("haechi.match_service.asgi:app", asked, Interfaces.ASGI, threads=1)


def _django(surface: str, asked: argparse.Namespace) -> int:
    from haechi.cli import installation

    os.environ["HAECHI_SURFACE"] = surface
    installation.read_keys(vault=surface == "desk")
    installation.find_database()
    from granian.constants import Interfaces

    # WSGI, not ASGI: no body may be spooled to a disk (docs/adr/0003).
    target = f"haechi.server.config.wsgi_{surface}:app"
    return _serve(target, asked, Interfaces.WSGI, threads=THREADS)


def _serve(target: str, asked: argparse.Namespace, interface: object, *, threads: int) -> int:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    _check_port(asked.host, asked.port)
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
