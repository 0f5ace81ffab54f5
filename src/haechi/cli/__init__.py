"""The command `haechi`: every subcommand in one table, each loaded only when it is called.

Exit codes   0  done
             1  the answer is no: the log is broken, the story was not as told
             2  the command line cannot be read
             3  something outside is missing or refused: a key, a port, the database, a name

Commands on files (`hash`, `match`, `compare`, `inspect`, `label`, `bank`, `evidence`, `models`, `calibrate`,
`evaluate`) answer as grep does: 0 a match or done, 1 nothing, 2 an error (docs/commands.md).
An interrupt is 130 everywhere.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from haechi.cli import arguments
from haechi.errors import HaechiError

DONE, NO, USAGE, OUTSIDE = 0, 1, 2, 3

_STANDARD = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; return its exit code. Faults are one line on standard error."""
    if not _heard():
        print("haechi: standard output is closed", file=sys.stderr)
        return USAGE
    asked = arguments.parser().parse_args(argv)
    if asked.home is not None:
        os.environ["HAECHI_HOME"] = str(Path(asked.home).expanduser().resolve())
    module, _, function = asked.run.partition(":")
    try:
        answer = getattr(importlib.import_module(f"haechi.cli.{module}"), function)(asked)
    except KeyboardInterrupt:
        return 130
    except HaechiError as error:
        return _say(f"{str(error) or error.__doc__} [{error.code}]")
    except PermissionError as error:
        return _say(
            f"{error.filename or 'a file'}: {error.strerror or error}; "
            "give this user the right to read and write it, or choose another folder with --home"
        )
    except Exception as error:
        if not _is_outside(error):
            raise
        return _say(" ".join(str(error).split()) or type(error).__name__)
    return int(answer or DONE)


def run() -> None:
    """Entry point for `python -m haechi.cli`."""
    sys.exit(main())


def _heard() -> bool:
    """False if standard output is closed: nobody would hear an answer.

    Descriptors below 3 that are closed lead nowhere from now on, or the next file would get their
    numbers; and Python prints to standard output what has no standard error to go to.
    """
    heard = sys.stdout is not None
    number = os.open(os.devnull, os.O_RDWR)
    while number < _STANDARD:
        number = os.dup(number)
    os.close(number)
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    return heard


def _say(text: str) -> int:
    print(f"haechi: {text}", file=sys.stderr)
    return OUTSIDE


def _is_outside(error: Exception) -> bool:
    """True for faults of the surroundings; a fault of our own keeps its trace."""
    if isinstance(error, OSError):
        return True
    known = {"ImproperlyConfigured", "OperationalError", "SystemCheckError"}
    return any(kind.__name__ in known for kind in type(error).__mro__)


__all__ = ["main", "run"]
