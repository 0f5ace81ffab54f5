"""What the desk's processes are told and the public one is not; what no log may say."""

import io
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.test import Client

from haechi.cli import installation
from haechi.server.config import home as homes
from haechi.server.config.environ import Environment
from haechi.server.config.logs import NoPaths


def test_the_desk_has_a_secret_of_its_own(tmp_path: Path) -> None:
    """Made once, for its owner alone, and not in the environment that everybody gets."""
    environment = homes.prepare(tmp_path)
    file = tmp_path / homes.DESK_FILE
    secret = file.read_text()
    assert len(secret.strip()) >= 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret.strip() not in environment.values()
    assert not environment.keys() & homes.for_vault(tmp_path).keys()

    assert homes.prepare(tmp_path) == environment
    assert file.read_text() == secret

    file.unlink()
    homes.prepare(tmp_path)
    assert file.read_text() not in ("", secret)
    assert {path.name for path in tmp_path.iterdir()} == {
        homes.ENVIRONMENT_FILE,
        homes.VAULT_FILE,
        homes.SIGNING_FILE,
        homes.DESK_FILE,
    }


def test_only_the_desk_signs_with_it(tmp_path: Path) -> None:
    """Without the file, the key that the public process has."""
    keys = homes.prepare(tmp_path)
    desk = Environment.read(keys | homes.for_vault(tmp_path))
    assert desk.desk_secret() == (tmp_path / homes.DESK_FILE).read_text().strip()
    assert Environment.read(keys).desk_secret() == ""
    assert settings.HAECHI.secret_key != settings.SECRET_KEY == settings.HAECHI.desk_secret()

    (tmp_path / homes.DESK_FILE).write_text("\n")
    with pytest.raises(ImproperlyConfigured, match="empty"):
        desk.desk_secret()


def test_the_public_process_refuses_to_start_with_it() -> None:
    """As it refuses the vault identity."""
    told = {key: value for key, value in os.environ.items() if key != "HAECHI_VAULT_IDENTITY_FILE"}
    started = subprocess.run(
        [sys.executable, "-c", "import haechi.server.config.settings"],
        env=told | {"HAECHI_SURFACE": "public"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert "must not be given the desk's secret" in started.stderr


def test_the_command_line_tells_it_to_the_desk_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the vault identity has been moved elsewhere."""
    homes.prepare(tmp_path)
    (tmp_path / homes.VAULT_FILE).unlink()
    told = dict.fromkeys(homes.for_vault(tmp_path)) | homes.prepare(tmp_path)
    # What read_keys sets goes with the test, and what was there before comes back.
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in told:
        os.environ.pop(name, None)
    os.environ["HAECHI_HOME"] = str(tmp_path)

    installation.read_keys(vault=False)
    assert "HAECHI_DESK_SECRET_FILE" not in os.environ
    installation.read_keys(vault=True)

    assert os.environ["HAECHI_DESK_SECRET_FILE"] == str(tmp_path / homes.DESK_FILE)
    assert "HAECHI_VAULT_IDENTITY_FILE" not in os.environ


def test_trusted_proxies_are_networks(tmp_path: Path) -> None:
    """None unless told; what is no network is named."""
    keys = homes.prepare(tmp_path)
    assert Environment.read(keys).trusted_proxies == ()
    told = Environment.read(keys | {"HAECHI_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8"})
    assert [str(network) for network in told.trusted_proxies] == ["10.0.0.0/8", "fd00::/8"]
    with pytest.raises(ImproperlyConfigured, match="HAECHI_TRUSTED_PROXIES"):
        Environment.read(keys | {"HAECHI_TRUSTED_PROXIES": "the proxy"})


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What reaches standard error, through the filter of the settings."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(NoPaths())
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def test_a_form_without_its_token_leaves_no_address_in_the_log(
    public: Client, log: io.StringIO
) -> None:
    """An appeal's address is a secret; Django's line about CSRF would quote it."""
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/appeal/a-secret-token").status_code == 403
    assert "django.security.csrf a request was refused" in log.getvalue()
    assert "a-secret-token" not in log.getvalue()


def test_a_refused_request_is_not_quoted_by_its_trace(log: io.StringIO) -> None:
    """The exception's own sentence may hold what was sent."""
    refused = SuspiciousOperation("/appeal/a-secret-token")
    logging.getLogger("django.security.DisallowedHost").warning(str(refused), exc_info=refused)
    assert log.getvalue() == "django.security.DisallowedHost a request was refused\n"
