"""An installation's keys and a PostgreSQL of its own in this process, and nothing left of either."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installed(surface: str, jurisdictions: str = "EU") -> Iterator[Path]:
    """Until the end, the environment is that of a process which serves `surface`; gives its home."""
    from haechi.server.config import home as homes
    from haechi.server.config.database import start_embedded, stop_embedded

    home = Path(tempfile.mkdtemp(prefix="haechi-bench-", dir="/tmp"))
    try:
        os.environ.update(homes.prepare(home) | homes.for_vault(home))
        os.environ.update(
            HAECHI_HOME=str(home),
            HAECHI_DATABASE_URL=start_embedded(home),
            HAECHI_JURISDICTIONS=jurisdictions,
            HAECHI_SURFACE=surface,
            DJANGO_SETTINGS_MODULE="haechi.server.config.settings",
        )
        yield home
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)
