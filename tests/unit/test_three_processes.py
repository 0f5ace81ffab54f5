"""Public site, desk and match service run apart: what the first and the last can reach, alone."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from psycopg.errors import InsufficientPrivilege

from haechi.demo.visitor import Visitor
from haechi.server.config import home as homes
from haechi.server.config import logins, roles
from haechi.server.config.database import stop_embedded
from haechi.server.config.grants import PROCESSES, TABLES

pytestmark = pytest.mark.slow

PATIENCE_S = 90
# Run with the public process's own environment: the best that somebody inside of it could try.
BREAK_IN = """
import os, django
os.environ["HAECHI_SURFACE"] = "public"
django.setup()
from django.utils import timezone
from haechi.errors import KeyMissing
from haechi.server.evidence import services
from haechi.server.evidence.models import Exhibit
exhibit = Exhibit.objects.get()
try:
    services.open_exhibit(exhibit, actor="reporter", reason="mine", now=timezone.now())
except KeyMissing as error:
    print("refused:", error.code)
print("wrap:", exhibit.report.wrap_vault)
"""


@dataclass
class House:
    """An installation that was set up; `logins` are the addresses of the processes."""

    home: Path
    owner: str
    logins: dict[str, str]
    environ: dict[str, str]


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """What `haechi setup` leaves behind, in a folder that PostgreSQL's user may reach."""
    home = Path(tempfile.mkdtemp(prefix="haechi-three-"))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HAECHI_")}
    clean |= {"HAECHI_HOME": str(home), "DJANGO_SETTINGS_MODULE": "haechi.server.config.settings"}
    try:
        command = [sys.executable, "-m", "haechi.cli", "setup", "--jurisdictions", "KR"]
        subprocess.run(command, env=clean, check=True, capture_output=True)  # noqa: S603  # our own command
        urls = {process: logins.url_of(home, process) for process in PROCESSES}
        owner = urls["desk"].replace(urls["desk"].split("//")[1].split("@")[0], "postgres:")
        yield House(home, owner, urls, clean)
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def outside(house: House) -> Iterator[dict[str, str]]:
    """What the public process gets on a machine of its own: shared keys, its login, no vault."""
    folder = Path(tempfile.mkdtemp(prefix="haechi-public-"))
    shutil.copy(house.home / homes.ENVIRONMENT_FILE, folder)
    yield house.environ | {
        "HAECHI_HOME": str(folder),
        "HAECHI_DATABASE_URL": house.logins["public"],
    }
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def public(outside: dict[str, str]) -> Iterator[tuple[str, int]]:
    """The public site alone: its address and the id of its process."""
    yield from _serving("public", outside, "/")


def _serving(command: str, environ: dict[str, str], ready: str) -> Iterator[tuple[str, int]]:
    port = _free_port()
    process = subprocess.Popen(  # noqa: S603  # as above
        [sys.executable, "-m", "haechi.cli", command, "--port", str(port)],
        env=environ,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _until_answers(url + ready, process)
        yield url, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < end, "no answer in time"
        try:
            if httpx.get(url, timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.3)


def desk_paths() -> list[str]:
    """One address for every route of the desk that is not also one of the public site."""
    found = set()
    for pattern in get_resolver("haechi.server.desk.urls").url_patterns:
        assert not isinstance(pattern, URLResolver)
        found.add(_example(pattern))
    taken = {_example(one) for one in get_resolver("haechi.server.public.urls").url_patterns}
    return sorted(found - taken)


def _example(pattern: URLPattern | URLResolver) -> str:
    parts = [
        "00000000-0000-0000-0000-000000000000"
        if "uuid" in part
        else "1"
        if part[:1] == "<"
        else part
        for part in str(pattern.pattern).replace("<", "\0<").replace(">", ">\0").split("\0")
    ]
    return "/" + "".join(parts)


def report_with_picture(url: str, picture: bytes) -> None:
    """Somebody reports, and sees her code."""
    with Visitor(url, "en") as reporter:
        reporter.look("/report")
        fields = {"told": "The words of a test.", "location": ["https://photos.example/1"]}
        reporter.send("/report", fields, [("files", ("me.jpg", picture, "image/jpeg"))])
        assert "code-panel" in reporter.page


def test_the_public_site_has_no_staff_route(public: tuple[str, int]) -> None:
    assert len(desk_paths()) > 10
    for path in desk_paths():
        for method in ("GET", "POST"):
            answer = httpx.request(method, public[0] + path, timeout=30, trust_env=False)
            assert answer.status_code in (403, 404), f"{method} {path}: {answer.status_code}"
            assert "staff" not in answer.headers.get("location", "")


def test_the_public_site_takes_reports_and_opens_none(
    public: tuple[str, int], outside: dict[str, str], astronaut: bytes
) -> None:
    """It seals, as its own role; what it has sealed it cannot open, nor see the vault's wrap."""
    report_with_picture(public[0], astronaut)
    env = outside | {
        line.partition("=")[0]: line.partition("=")[2]
        for line in (Path(outside["HAECHI_HOME"]) / homes.ENVIRONMENT_FILE).read_text().splitlines()
    }
    env["HAECHI_HOME"] = outside["HAECHI_HOME"]
    tried = subprocess.run(  # noqa: S603  # as above
        [sys.executable, "-c", BREAK_IN], env=env, capture_output=True, text=True, check=False
    )
    assert tried.stdout.splitlines() == ["refused: seal.no_key", "wrap: None"], tried.stderr[-800:]


def test_the_public_process_holds_no_key_of_the_vault(
    public: tuple[str, int], house: House, outside: dict[str, str]
) -> None:
    """Neither in its environment nor in its folder; and it runs as its own role."""
    # It asks the database, whatever was asked before.
    assert httpx.get(f"{public[0]}/numbers", timeout=30, trust_env=False).status_code == 200
    identity = (house.home / homes.VAULT_FILE).read_text().splitlines()[-1]
    desk_secret = (house.home / homes.DESK_FILE).read_text().strip()
    signing = (house.home / homes.SIGNING_FILE).read_text()
    known = io.BytesIO()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == public[1]:
                known.write((process / "environ").read_bytes() + b"\0")
        except OSError:
            continue
    for file in Path(outside["HAECHI_HOME"]).rglob("*"):
        if file.is_file():
            known.write(file.read_bytes())
    assert b"HAECHI_PEPPER_LOOKUP" in known.getvalue()
    for secret in (identity, desk_secret, signing, house.logins["desk"], house.logins["worker"]):
        assert secret.encode() not in known.getvalue()
    with psycopg.connect(house.owner) as connection:
        users = connection.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchall()
    assert {name for (name,) in users} <= {"haechi_public", "haechi_match", "postgres"}
    assert ("haechi_public",) in users


@pytest.mark.parametrize("process", ["public", "match"])
def test_who_faces_strangers_reads_only_its_own(house: House, process: str) -> None:
    """With the real login, table by table."""
    with psycopg.connect(house.logins[process], autocommit=True) as connection:
        row = connection.execute("SELECT session_user").fetchone()
        assert row == (roles.role_of(process),)
        for table in TABLES:
            right = getattr(TABLES[table], process)
            if right.read.but or right.read.names:
                connection.execute(f'SELECT count(*) FROM "{table}"')
            else:
                with pytest.raises(InsufficientPrivilege):
                    connection.execute(f'SELECT count(*) FROM "{table}"')
            with pytest.raises(InsufficientPrivilege):
                connection.execute(f'TRUNCATE "{table}"')
        with pytest.raises(InsufficientPrivilege):
            connection.execute("SET ROLE haechi_desk")
        with pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT pg_read_file('pg_hba.conf')")


def test_nobody_logs_in_without_a_password(house: House) -> None:
    """The embedded server asks, where it believed everybody before."""
    password = house.logins["desk"].split("//")[1].split("@")[0].split(":")[1]
    wrong = house.logins["desk"].replace(password, "guess")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(wrong)
    assert oct((house.home / "database" / "desk.url").stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize("command", ["public", "match-service"])
def test_a_process_refuses_a_login_that_may_too_much(
    house: House, outside: dict[str, str], command: str
) -> None:
    environ = outside | {"HAECHI_DATABASE_URL": house.owner}
    done = subprocess.run(  # noqa: S603  # as above
        [sys.executable, "-m", "haechi.cli", command, "--port", str(_free_port())],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 3
    assert "setting.role_too_strong" in done.stderr
    assert house.owner not in done.stderr


def test_the_match_service_runs_with_its_own_login(house: House, outside: dict[str, str]) -> None:
    """It follows the banks and answers; of reports it knows nothing (see above)."""
    environ = outside | {"HAECHI_DATABASE_URL": house.logins["match"]}
    for url, _ in _serving("match-service", environ, "/ready"):
        assert httpx.get(f"{url}/ready", timeout=30, trust_env=False).status_code == 200
        with psycopg.connect(house.owner) as connection:
            users = connection.execute(
                "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name LIKE 'haechi-match%'"
            ).fetchall()
        assert users == [("haechi_match",)]
