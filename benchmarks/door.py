"""200 people report at once, each with a photograph of 1 to 3 MB: until each has her receipt.

A real `haechi public` and a `haechi worker`, each with the database role of its own, on an embedded
PostgreSQL made here. The crowd shares the cores with them.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import cv2
import numpy as np
from skimage import data

from benchmarks.rows import Row, row
from haechi.server.config import logins
from haechi.server.config.database import start_embedded, stop_embedded

REPORTS = 200
PATIENCE_S = 120
LONGEST_S = 600
SIZES = ((1600, 1200), (2000, 1500), (2400, 1800), (3600, 2700))


@dataclass(frozen=True)
class House:
    """An installation whose public site and worker run; `process` is the site's group."""

    home: Path
    owner: str
    port: int
    process: int


def measure(*, reports: int = REPORTS) -> list[Row]:
    """Receipts, somebody who only looks, the memory of the site."""
    with running() as house, pictures(SIZES) as photos:
        told = crowd(house.port, photos, reports=reports)
        if told["wrong"]:
            raise RuntimeError(f"{len(told['wrong'])} went wrong, the first: {told['wrong'][0]}")
        return _rows(told, house, reports)


def crowd(port: int, photos: Sequence[Path], *, reports: int, slow: int = 0) -> dict[str, list]:  # type: ignore[type-arg]
    """What benchmarks/crowd.py saw, in a process of its own."""
    asked = {
        "host": "127.0.0.1",
        "port": port,
        "reports": reports,
        "photos": [str(path) for path in photos],
        "slow": slow,
    }
    command = [sys.executable, "-m", "benchmarks.crowd"]
    root = Path(__file__).parents[1]
    done = subprocess.run(  # noqa: S603  # our own command
        command,
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        timeout=LONGEST_S,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return dict(json.loads(done.stdout))


@contextmanager
def running(*, worker: bool = True) -> Iterator[House]:
    """Set up a home and serve it; nothing stays."""
    home = Path(tempfile.mkdtemp(prefix="haechi-door-"))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HAECHI_")}
    clean |= {"HAECHI_HOME": str(home), "HAECHI_LIMIT_FACTOR": "1000"}
    started: list[subprocess.Popen[bytes]] = []
    try:
        _command(clean, "setup", "--jurisdictions", "KR").wait()
        port = _free_port()
        away = {"HAECHI_DATABASE_URL": logins.url_of(home, "public")}
        started.append(_command(clean | away, "public", "--port", str(port)))
        if worker:
            started.append(_command(clean, "worker"))
        _until_answers(port, started)
        yield House(home, start_embedded(home), port, started[0].pid)
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in started:
            process.wait(PATIENCE_S)
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def pictures(sizes: Sequence[tuple[int, int]]) -> Iterator[list[Path]]:
    """One photograph of each size, with the grain of a camera, as files."""
    grain = np.random.default_rng(14)
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for width, height in sizes:
            photo = cv2.resize(data.astronaut(), (width, height)).astype(np.float32)
            photo += grain.normal(0, 9, photo.shape)
            path = Path(folder) / f"{width}.jpg"
            cv2.imwrite(
                str(path), photo.clip(0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92]
            )
            made.append(path)
        yield made


def _rows(told: dict[str, list], house: House, reports: int) -> list[Row]:  # type: ignore[type-arg]
    what = f"{reports} at once, 1 to 3 MB each, the worker beside them"
    receipts, looks = sorted(told["receipt_s"]), sorted(told["look_s"])
    return [
        row("door.receipt_p50", receipts[len(receipts) // 2], None, "s", what),
        row("door.receipt_p99", receipts[int(len(receipts) * 0.99)], None, "s", what),
        row("door.look_p50", looks[len(looks) // 2], None, "s", "a page asked for meanwhile"),
        row("door.look_max", looks[-1], None, "s", "who comes when every thread is taken"),
        row("door.memory", _memory(house.process), None, "MB", "of the site, at most"),
    ]


def _memory(group: int) -> float:
    """The most that any process of the group has held."""
    most = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            if os.getpgid(int(status.parent.name)) == group:
                lines = status.read_text().splitlines()
                most += sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return most / 1024


def _command(environment: dict[str, str], *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "haechi.cli", *words]
    return subprocess.Popen(  # noqa: S603  # our own command
        command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )


def _free_port() -> int:
    import socket  # only here

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_answers(port: int, started: Sequence["subprocess.Popen[bytes]"]) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for process in started:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args} ended with {process.returncode}")
        with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/help", timeout=5):
            return
        time.sleep(0.2)
    raise RuntimeError("the public site does not answer")
