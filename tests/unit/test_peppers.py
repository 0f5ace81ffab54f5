"""B03: start-up stops where the lookup value in the database could be the key that opens a report."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from haechi.server.config.environ import Environment
from haechi.server.reports.return_code import ReturnCode

KEYS = {
    "HAECHI_SECRET_KEY": "s",
    "HAECHI_VAULT_RECIPIENT": "age1",
    "HAECHI_DATABASE_URL": "postgresql:///nothing",
    "HAECHI_PEPPER_LOOKUP": "1" * 64,
    "HAECHI_PEPPER_UNLOCK": "2" * 64,
    "HAECHI_DIGEST_KEY": "3" * 64,
}
START = "import haechi.server.config.settings"


def started(**changed: str) -> subprocess.CompletedProcess[str]:
    """A process that reads its settings."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HAECHI_")}
    command = [sys.executable, "-c", START]
    return subprocess.run(  # noqa: S603  # our own command
        command, env=clean | KEYS | changed, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [{}, {"HAECHI_PEPPER_UNLOCK": "1" * 64}, {"HAECHI_DIGEST_KEY": "2" * 64}],
    ids=["different", "equal peppers", "digest key is a pepper"],
)
def test_equal_peppers_stop_start_up(changed: dict[str, str]) -> None:
    done = started(**changed)
    assert (done.returncode != 0) == ("must all be different" in done.stderr) == bool(changed)


@pytest.mark.parametrize(
    "name", ["HAECHI_PEPPER_LOOKUP", "HAECHI_PEPPER_UNLOCK", "HAECHI_DIGEST_KEY"]
)
@pytest.mark.parametrize("value", ["", "short", "G" * 64])
def test_a_missing_or_short_pepper_is_named(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        Environment.read(KEYS | {name: value})


def test_both_values_of_one_code_differ_even_with_one_pepper() -> None:
    code, pepper = ReturnCode.new(), bytes(32)
    assert code.lookup(pepper) != code.unlock_key(pepper)
