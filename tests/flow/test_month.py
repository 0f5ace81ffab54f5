"""Some days of the simulated month; `python -m tests.month` lives through all of it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_no_promise_is_broken_in_days_of_trouble() -> None:
    """B19, B21, B24: workers die and stand still, clocks are set back, mail and webhooks fail.

    No clock is missed in silence, nothing acts twice, and the numbers add up. In a process and on a
    database of its own: who is killed in the middle leaves both as a dead process does.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.month", "--cases", "10", "--days", "2"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert " reports, decided {" in done.stdout
    assert " 0 mails" not in done.stdout
