"""`haechi setup`: from nothing to an installation that can start. Safe to run again."""

import argparse


def setup(_asked: argparse.Namespace) -> int:
    """Make keys, database, tables and translations; say what is where."""
    from haechi.cli import installation, words
    from haechi.server.config import home as homes

    home = installation.home()
    homes.prepare(home)
    words.compile_all(quiet=True)
    installation.enter()
    migrate()
    print(f"Ready. Everything is in {home}")
    print(f"Keep a copy of {home / homes.VAULT_FILE} elsewhere: without it no report opens.")
    return 0


def migrate() -> None:
    """Bring the tables up to date, quietly."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
