"""The banks in one file that all processes of a machine map: read once, held in memory once.

The first process that finds no usable file loads from the database and writes one; the others wait
for it. Whoever opens the file then catches up from its sequence number, as a process does that had
lost the database for a while: nothing is known from the file alone.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from haechi.errors import IndexDamaged, StorageUnavailable
from haechi.index import compiled
from haechi.match_service.mirror import Mirror

log = logging.getLogger(__name__)

type Connection = psycopg.AsyncConnection[TupleRow]

LOOK_S = 0.05

_IDENTITY = """
SELECT system_identifier::text,
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
       (SELECT timeline_id FROM pg_control_checkpoint()),
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
             ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn)::bigint
FROM pg_control_system()
"""


async def identity(connection: Connection) -> dict[str, Any] | None:
    """Which database this is, and how far it has written; None where it does not say.

    `system` is drawn when a cluster is made, `database` when a database is, and `timeline` grows
    with each recovery to an earlier moment. A copy of the files that was put back has all three:
    it shows by `written`, bytes of its log, until it has written as much as was lost.
    """
    try:
        row = await (await connection.execute(_IDENTITY)).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedFunction):
        return None
    names = ("system", "database", "timeline", "written")
    return None if row is None else dict(zip(names, row, strict=True))


class Saved:
    """The file at one path. Not more than one process at a time has it `alone`."""

    def __init__(self, path: Path) -> None:
        """Its folder is made if it is missing. Raises StorageUnavailable."""
        self._path = path
        self._lock = path.with_name(f"{path.name}.lock")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"{path.parent} cannot be made: {error}") from error

    @property
    def exists(self) -> bool:
        """True if there is a file, of whatever worth."""
        return self._path.exists()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Wait for all others to be done with it. The kernel lets go for a process that dies."""
        try:
            number = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"{self._lock} cannot be opened: {error}") from error
        try:
            while not _locked(number):  # noqa: ASYNC110 - other processes have no event
                await asyncio.sleep(LOOK_S)
            yield
        finally:
            os.close(number)

    def opened(self, database: Mapping[str, Any], newest: int) -> Mirror:
        """What the file holds, of this `database`, whose last change has the number `newest`.

        Raises IndexDamaged for what is absent, damaged, of another database, or of another past of
        this one.
        """
        compiled.BANDS.wait()
        mirror, of = Mirror.open(self._path)
        for name in ("system", "database", "timeline"):
            if of.get(name) != database[name]:
                raise IndexDamaged(self._path, f"is of another database ({name})")
        if mirror.seq > newest or int(of.get("written", 0)) > database["written"]:
            raise IndexDamaged(self._path, "knows changes that the database does not")
        return mirror

    def write(self, mirror: Mirror, database: Mapping[str, Any]) -> None:
        """Put what `mirror` holds in place of the file. Raises StorageUnavailable."""
        # What a process that was killed while it wrote has left; nobody else writes now.
        for rest in self._path.parent.glob(f".{self._path.name}.*"):
            rest.unlink(missing_ok=True)
        mirror.save(self._path, database)


def _locked(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
