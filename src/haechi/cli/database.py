"""`haechi database`: start or stop the embedded PostgreSQL of a home."""

import argparse


def start(_asked: argparse.Namespace) -> int:
    """Start it unless it runs; print its address for other programs."""
    from haechi.cli import installation
    from haechi.server.config.database import start_embedded

    print(start_embedded(installation.home()))
    return 0


def stop(_asked: argparse.Namespace) -> int:
    """Stop it; nothing happens where none was made or none runs."""
    from haechi.cli import installation
    from haechi.server.config.database import stop_embedded

    home = installation.home()
    if (home / "postgres" / "postmaster.pid").exists():
        stop_embedded(home)
    return 0
