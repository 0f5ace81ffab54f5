"""`haechi setup`: from nothing to an installation that can start. Safe to run again."""

import argparse
import os
import sys
from pathlib import Path

JURISDICTIONS = "HAECHI_JURISDICTIONS"


def setup(asked: argparse.Namespace) -> int:
    """Make keys, database, tables and translations; say what is where."""
    from haechi.cli import installation, words
    from haechi.server.config import home as homes
    from haechi.server.config import logins

    home = installation.home()
    codes = _codes(asked.jurisdictions, home / homes.ENVIRONMENT_FILE)
    if not codes or not set(codes) <= set(known_codes()):
        print(
            "haechi: name whose legal clocks run, for instance --jurisdictions KR,US; "
            f"known are {', '.join(known_codes())}",
            file=sys.stderr,
        )
        return 3
    homes.prepare(home)
    remember(home / homes.ENVIRONMENT_FILE, JURISDICTIONS, ",".join(codes))
    os.environ[JURISDICTIONS] = ",".join(codes)
    words.compile_all(quiet=True)
    installation.enter()
    migrate()
    logins.prepare(home, os.environ["HAECHI_DATABASE_URL"])
    print(f"Ready. Everything is in {home}")
    print(f"Legal clocks run for {', '.join(codes)}.")
    print(f"Keep a copy of {home / homes.VAULT_FILE} elsewhere: without it no report opens.")
    print("It has no passphrase yet: `haechi vault protect` sets one.")
    print(f"Each process logs in to the database as itself: {home / logins.FOLDER}")
    if (home / "postgres").exists():
        print("PostgreSQL runs on; `haechi database stop` stops it.")
    return 0


def known_codes() -> list[str]:
    """Codes of the jurisdictions the law table knows, and knows how to count days in."""
    from haechi import law
    from haechi.errors import UnknownRule

    known = set()
    for rule in law.rules():
        try:
            law.time_zone(rule.jurisdiction)
        except UnknownRule:
            continue
        known.add(rule.jurisdiction)
    return sorted(known)


def remember(file: Path, name: str, value: str) -> None:
    """Set one line of an environment file, readable by its owner alone; the others stay."""
    before = file.read_text(encoding="utf-8").splitlines()
    after = [line for line in before if not line.startswith(f"{name}=")] + [f"{name}={value}"]
    if before[-1:] == after[-1:]:
        return
    part = file.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text("\n".join(after) + "\n", encoding="utf-8")
    part.replace(file)


def migrate() -> None:
    """Bring the tables up to date, quietly."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def _codes(typed: str | None, file: Path) -> list[str]:
    """What was typed, or else the environment's, or else what the home remembers."""
    text = typed or os.environ.get(JURISDICTIONS, "")
    if not text and file.exists():
        lines = file.read_text(encoding="utf-8").splitlines()
        text = dict(line.split("=", 1) for line in lines if "=" in line).get(JURISDICTIONS, "")
    return list(dict.fromkeys(text.upper().replace(",", " ").split()))
