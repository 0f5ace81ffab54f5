"""`python -m haechi.cli` is the command `haechi`."""

from haechi.cli import run

run()
