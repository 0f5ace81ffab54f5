"""The whole story, as `haechi demo --once --kill` plays it: the test of everything together."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def _base_port() -> int:
    """Five free ports where the demo wants them."""
    for base in range(21_000, 30_000, 100):
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", base))
                other.bind(("127.0.0.1", base + 15))
            except OSError:
                continue
            return base
    raise OSError("no free ports")


def _told(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HAECHI_")}
    typed = ["demo", "--once", "--home", str(home), "--ports", str(_base_port()), *options]
    return subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-m", "haechi.cli", *typed],
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )


def _left_behind(home: Path) -> list[str]:
    """Processes that still know this home."""
    mark = str(home).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            known = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark in known:
            found.append((folder / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.mark.timeout(900)
def test_the_story_is_told_twice_and_survives_every_kill(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Once with every process killed twice, once more on the same data; nothing stays behind."""
    home = tmp_path_factory.mktemp("d") / "h"

    first = _told(home, "--kill")
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert "one removal, one notice, each once" in first.stdout
    assert _left_behind(home) == []

    second = _told(home)
    assert second.returncode == 0, second.stdout[-3000:] + second.stderr[-3000:]
    assert "earlier telling(s)" in second.stdout
    assert _left_behind(home) == []
