"""Questions and answers on record before they are answered: many requests share one commit.

While one statement is being written, what comes in waits and becomes the next statement; nobody
waits for a timer. One request alone costs one statement, a hundred at once cost two.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from haechi.errors import MatchBusy, MatchUnavailable

type Row = Mapping[str, object]
type Rows = Callable[[str, Any], Awaitable[list[TupleRow]]]

AT_ONCE = 1_000
"""Rows in one statement: a megabyte with embeddings, 30 ms of PostgreSQL's time."""

WAITING = 20_000
"""Rows that may wait; above, the database is so far behind that the next one is told to come back."""

TYPES: Mapping[str, str] = {
    "platform_id": "bigint",
    "outcome": "text",
    "member_id": "bigint",
    "veto_id": "bigint",
    "verdict": "text",
    "found_by": "text",
    "distance_bits": "integer",
    "similarity": "double precision",
    "label": "text",
    "appeal_token": "text",
    "sha256": "bytea",
    "md5": "bytea",
    "pdq": "bytea",
    "pdq_quality": "integer",
    "embedding": "bytea",
    "views": "bytea",
    "frames": "bytea",
}


def _statement(columns: Sequence[str]) -> str:
    names = ", ".join(columns)
    arrays = ", ".join(f"%({name})s::{TYPES[name]}[]" for name in columns)
    # The numbers are drawn first, so that which row got which is certain: the order in which INSERT
    # returns rows is promised nowhere.
    return f"""
WITH asked AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('matching_check', 'id')) AS id, {names}, ordinal
    FROM unnest({arrays}) WITH ORDINALITY AS given ({names}, ordinal)
), written AS (
    INSERT INTO matching_check (id, at, {names}) OVERRIDING SYSTEM VALUE
    SELECT id, now(), {names} FROM asked
)
SELECT id FROM asked ORDER BY ordinal
"""  # noqa: S608


_WRITE = _statement(tuple(TYPES))


@dataclass(frozen=True, slots=True)
class _Group:
    rows: Sequence[Row]
    numbers: asyncio.Future[list[int]]


class Checks:
    """Writes rows of matching_check. One per process and event loop."""

    def __init__(self, rows: Rows) -> None:
        """`rows` runs one statement and commits it; it raises MatchUnavailable."""
        self._rows = rows
        self._groups: list[_Group] = []
        self.waiting = 0
        self._writer: asyncio.Task[None] | None = None

    async def write(self, rows: Sequence[Row]) -> list[int]:
        """Commit `rows` (named as TYPES) together; their numbers in the same order.

        Raises MatchUnavailable, and MatchBusy where too many wait; then none of them is written.
        A client that goes away meanwhile does not take them back.
        """
        if self.waiting + len(rows) > WAITING:
            raise MatchBusy
        group = _Group(rows, asyncio.get_running_loop().create_future())
        self._groups.append(group)
        self.waiting += len(rows)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        return await group.numbers

    async def _write_all(self) -> None:
        try:
            while self._groups:
                await self._write_next()
        finally:
            self._writer = None

    async def _write_next(self) -> None:
        taken, rows = 0, 0
        while taken < len(self._groups) and (not taken or rows < AT_ONCE):
            rows += len(self._groups[taken].rows)
            taken += 1
        groups, self._groups = self._groups[:taken], self._groups[taken:]
        self.waiting -= rows
        try:
            _answer(groups, await self._insert(groups))
        except MatchUnavailable as error:
            if len(groups) > 1 and isinstance(error.__cause__, _ROW_REFUSED):
                await self._write_apart(groups)
                return
            # The next would wait as long for the same database.
            groups += self._groups
            self._groups, self.waiting = [], 0
            _fail(groups, error)

    async def _write_apart(self, groups: Sequence[_Group]) -> None:
        """A row that PostgreSQL refuses costs its own group and not the others."""
        for group in groups:
            try:
                _answer([group], await self._insert([group]))
            except MatchUnavailable as error:
                _fail([group], error)

    async def _insert(self, groups: Sequence[_Group]) -> list[int]:
        rows = [row for group in groups for row in group.rows]
        values = {name: [row[name] for row in rows] for name in TYPES}
        return [int(number) for (number,) in await self._rows(_WRITE, values)]


_ROW_REFUSED = (psycopg.IntegrityError, psycopg.DataError)


def _answer(groups: Sequence[_Group], numbers: list[int]) -> None:
    for group in groups:
        own, numbers = numbers[: len(group.rows)], numbers[len(group.rows) :]
        if not group.numbers.done():
            group.numbers.set_result(own)


def _fail(groups: Sequence[_Group], error: MatchUnavailable) -> None:
    for group in groups:
        if not group.numbers.done():
            group.numbers.set_exception(MatchUnavailable(*error.args))
