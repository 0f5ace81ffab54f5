"""`python -m tests.month [--cases 20000] [--days 30]`: on a PostgreSQL of its own that is gone afterwards."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from haechi.server.config import home as homes
from haechi.server.config.database import start_embedded, stop_embedded


def main() -> int:
    """0 where every promise was kept."""
    asked = argparse.ArgumentParser(prog="python -m tests.month", description=__doc__)
    asked.add_argument("--cases", type=int, default=20_000)
    asked.add_argument("--days", type=int, default=30)
    asked.add_argument("--seed", type=int, default=7)
    told = asked.parse_args()
    home = Path(tempfile.mkdtemp(prefix="haechi-month-"))
    for name in [name for name in os.environ if name.startswith("HAECHI_")]:
        del os.environ[name]  # the month is a house of its own, whatever the caller runs
    try:
        os.environ |= homes.prepare(home) | homes.for_vault(home)
        os.environ |= {
            "HAECHI_DATABASE_URL": start_embedded(home),
            "HAECHI_JURISDICTIONS": "US,EU,UK,KR",
            "DJANGO_SETTINGS_MODULE": "haechi.server.config.settings",
        }
        return _live(told)
    finally:
        stop_embedded(home)
        shutil.rmtree(home, ignore_errors=True)


def _live(asked: argparse.Namespace) -> int:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from tests.month.story import month

    told = month(cases=asked.cases, days=asked.days, seed=asked.seed)
    print(f"{told.reports} reports, decided {told.decided}, taken back {told.withdrawn}")
    print(f"{told.mails} mails; {told.deaths} deaths, {told.tried_again} jobs tried again")
    for line in told.wrong:
        print(f"WRONG: {line}")
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
