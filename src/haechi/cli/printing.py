"""Answers as JSON lines, as CSV or for people; each is out before the next is begun."""

import csv
import functools
import io
import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

from haechi.errors import HaechiError

type Record = dict[str, object]
type Rows = Callable[[Record], Iterable[Sequence[object]]]

MATCH, NONE, ERROR = 0, 1, 2
"""Exit codes, as grep's."""
READER_GONE = 141
"""As the shell says it of a program that SIGPIPE ended."""


class Printer:
    """Prints records in the form that was asked for: "jsonl", "csv" or "table"."""

    def __init__(self, asked: Namespace, columns: Sequence[str], rows: Rows, table: Rows) -> None:
        """`rows` make CSV of a record under `columns`; `table` makes lines of cells for people."""
        self._form: str = asked.form
        self._rows, self._table = rows, table
        self._out = _plain(sys.stdout)
        if self._form == "csv":
            self._write(_csv_line(columns))

    def put(self, record: Record) -> None:
        """Print one record and flush it. Raises BrokenPipeError if nobody reads any more."""
        if self._form == "jsonl":
            self._write(json.dumps(record) + "\n")
        elif self._form == "csv":
            self._write("".join(_csv_line(row) for row in self._rows(record)))
        else:
            lines = ("  ".join(str(cell) for cell in row).rstrip() for row in self._table(record))
            self._write("".join(f"{visible(line)}\n" for line in lines))

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def grep_codes(command: Callable[[Namespace], int]) -> Callable[[Namespace], int]:
    """`command`, with its own faults as one line and exit code 2, and a closed pipe as silence."""

    @functools.wraps(command)
    def run(asked: Namespace) -> int:
        try:
            return command(asked)
        except BrokenPipeError:
            # What is still buffered has no reader either; Python would complain about it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return READER_GONE
        except HaechiError as error:
            say(f"{str(error) or error.__doc__} [{error.code}]")
        except OSError as error:
            say(str(error))
        except UnicodeDecodeError as error:
            say(f"a file that must be text, such as PEM, is none: {error}")
        return ERROR

    return run


def say(text: str) -> None:
    """One line on standard error."""
    print(f"haechi: {visible(text)}", file=sys.stderr)


def visible(text: str) -> str:
    """`text` without what would steer a terminal: names of files are strangers' words."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    told = [json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in cells]
    csv.writer(line, lineterminator="\r\n").writerow(told)
    return line.getvalue()


def _plain(out: TextIO) -> TextIO:
    """UTF-8 whatever the locale says; names of files that are no text come out as they are."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
    return out
