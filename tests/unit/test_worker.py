"""The worker outlives its database: clocks run on, so it never gives up."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from haechi.server.config import home as homes
from haechi.server.config.database import start_embedded, stop_embedded

pytestmark = pytest.mark.slow


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder of its own, where PostgreSQL's user may reach it."""
    folder = Path(tempfile.mkdtemp(prefix="haechi-worker-"))
    yield folder
    stop_embedded(folder)
    shutil.rmtree(folder, ignore_errors=True)


def test_an_outage_of_the_database_does_not_end_the_worker(home: Path) -> None:
    """Six seconds without a database; then it works again, and still stops when told to."""
    keys = homes.prepare(home) | homes.for_vault(home)
    url = start_embedded(home)
    outside = {key: value for key, value in os.environ.items() if not key.startswith("HAECHI_")}
    env = outside | keys | {"HAECHI_DATABASE_URL": url, "HAECHI_JURISDICTIONS": "KR"}
    env["DJANGO_SETTINGS_MODULE"] = "haechi.server.config.settings"
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v", "0"], env=env, check=True)
    worker = subprocess.Popen([sys.executable, "-m", "haechi.cli", "worker"], env=env)
    try:
        _until(lambda: _beats_since(url, 0), 60)
        stop_embedded(home)
        time.sleep(6)
        assert worker.poll() is None
        assert start_embedded(home) == url
        back = time.time()
        _until(lambda: _beats_since(url, back), 60)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(120) == 0
    finally:
        worker.kill()
        worker.wait()


def _beats_since(url: str, moment: float) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > to_timestamp(%s)",
            [moment],
        ).fetchone()
    return row is not None and row[0] > 0


def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.3)
