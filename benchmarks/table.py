"""Rows as a table for people and as a file for programs."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.rows import Row

RESULTS = Path(__file__).parent / "results"


def show(rows: Iterable[Row]) -> None:
    """One line a row on standard output."""
    for row in rows:
        peer = "-" if row["peer"] is None else f"{row['peer']:g}"
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:g} x"
        ours = f"{row['ours']:g}"
        line = f"{row['name']:32} {ours:>10} {peer:>10} {row['unit']:14} {ratio:>9}  {row['bound']}"
        print(line, flush=True)


def head() -> None:
    """The titles of the columns."""
    titles = f"{'name':32} {'ours':>10} {'peer':>10} {'unit':14} {'ratio':>9}  bound"
    print(titles, flush=True)


def write(rows: list[Row]) -> Path:
    """Keep the rows with the machine and the commit they were measured on."""
    now = datetime.now(UTC)  # noqa: TID251 - this is the edge
    commit = _git("rev-parse", "--short", "HEAD")
    changed = bool(_git("status", "--porcelain", "--untracked-files=no"))
    document = {
        "measured_at": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "commit": commit + ("+changes" if changed else ""),
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y-%m-%d-%H%M}-{commit}.json"
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def machine() -> dict[str, object]:
    """What the figures depend on."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def _git(*words: str) -> str:
    told = subprocess.run(  # noqa: S603 - our own words
        ["git", *words],  # noqa: S607 - whichever git is there
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()
