"""A pytest plugin: a home with fresh keys and its own PostgreSQL, made before Django reads settings.

Loaded with `-p haechi.testing.environment`. Everything is in one temporary folder that goes with
the run.
"""

import os
import shutil
import tempfile
from pathlib import Path

from haechi.server.config import home
from haechi.server.config.database import start_embedded, stop_embedded

HOME = Path(tempfile.mkdtemp(prefix="haechi-test-"))
os.environ.update(home.prepare(HOME))
os.environ.update(home.for_vault(HOME))
os.environ.update(
    HAECHI_JURISDICTIONS="KR,US,UK,EU",
    HAECHI_DATABASE_URL=start_embedded(HOME),
    HAECHI_MAIL_FROM="notices@haechi.example",
    DJANGO_SETTINGS_MODULE="haechi.server.config.settings",
)


def pytest_unconfigure() -> None:
    """Stop the database and forget the keys."""
    stop_embedded(HOME)
    shutil.rmtree(HOME, ignore_errors=True)
