"""Keep the mirror equal to the database: LISTEN, catch up by sequence number, survive outages.

Sequence numbers are handed out under one advisory lock that is held until commit (see the trigger
of the matching tables), so whoever has read number n has read everything before it. A change is in
force here after the notification, and after one second even if the notification was lost.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable

import psycopg
from psycopg.rows import TupleRow

from haechi.match_service.config import Settings
from haechi.match_service.decide import Bank
from haechi.match_service.mirror import MemberRow, Mirror

log = logging.getLogger(__name__)

type Connection = psycopg.AsyncConnection[TupleRow]

LOOK_EVERY_S = 0.8  # with the time to read and apply, a change is in force within one second
RETRY_S = 0.25
BATCH_ROWS = 2_000

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_NEWEST = """
SELECT greatest((SELECT max(seq) FROM matching_member), (SELECT max(seq) FROM matching_bank), 0)
"""
_BANKS = """
SELECT id, name, policy, enabled, enabled_ratio, seq FROM matching_bank WHERE seq > %(seq)s
"""
_MEMBERS = """
SELECT id, bank_id, status = 'confirmed', sha256, pdq, coalesce(pdq_quality, 0), embedding,
       coalesce(views, ''::bytea), CASE WHEN pdq IS NULL OR sha256 IS NULL THEN md5 END,
       coalesce(extract(epoch FROM paused_until), 0)::float8, seq
FROM matching_member
WHERE seq > %(seq)s OR (bank_id = ANY(%(fresh)s) AND status = 'confirmed')
"""


class Follower:
    """Runs beside the requests of one process and keeps its mirror fresh.

    away   the database does not answer, or does not have the tables
    """

    def __init__(self, mirror: Mirror, settings: Settings) -> None:
        self._mirror = mirror
        self._settings = settings
        self._looked_at: float | None = None
        self.away = False

    @property
    def age_s(self) -> float | None:
        """Seconds since the database last said that nothing is missing; None before the load."""
        return None if self._looked_at is None else time.monotonic() - self._looked_at

    @property
    def fresh(self) -> bool:
        """True while a verdict may be given: loaded, and looked at a moment ago."""
        age_s = self.age_s
        return age_s is not None and age_s <= self._settings.stale_after_s

    async def run(self) -> None:
        """Follow until cancelled. Losing the database is logged once and retried for ever."""
        while True:
            try:
                async with await self._connect() as connection:
                    if self.away:
                        log.warning("database is back; catching up from %d", self._mirror.seq)
                        self.away = False
                    await self._follow(connection)
            except (psycopg.Error, TimeoutError, OSError) as error:
                if not self.away:
                    log.warning("database is away, retrying: %s", type(error).__name__)
                self.away = True
                await asyncio.sleep(RETRY_S)

    async def _connect(self) -> Connection:
        async with asyncio.timeout(self._settings.database_s):
            return await psycopg.AsyncConnection.connect(
                self._settings.database_url,
                autocommit=True,
                connect_timeout=max(2, round(self._settings.database_s)),
                application_name="haechi-match-follow",
            )

    async def _follow(self, connection: Connection) -> None:
        await connection.execute("LISTEN haechi_matching")
        await self._notice_another_database(connection)
        while True:
            await self._catch_up(connection)
            async for _ in connection.notifies(timeout=LOOK_EVERY_S, stop_after=1):
                pass

    async def _notice_another_database(self, connection: Connection) -> None:
        """A restored backup counts from an earlier number; going on would miss its changes."""
        row = await (await connection.execute(_NEWEST)).fetchone()
        if row is not None and row[0] < self._mirror.seq:
            log.warning("database is behind this process; loading everything again")
            self._mirror.forget()
            self._looked_at = None

    async def _catch_up(self, connection: Connection) -> None:
        """Apply everything newer than the mirror from one snapshot; again, if it breaks off."""
        mirror = self._mirror
        async with connection.transaction():
            await self._in_time(connection.execute(_SNAPSHOT))
            rows = await self._in_time(connection.execute(_BANKS, {"seq": mirror.seq}))
            changed = await rows.fetchall()
            banks = {row[0]: Bank(*row[1:-1]) for row in changed}
            newest = await self._members(connection, banks)
        mirror.finish(banks, max([mirror.seq, newest, *(row[-1] for row in changed)]))
        self._looked_at = time.monotonic()

    async def _members(self, connection: Connection, banks: dict[int, Bank]) -> int:
        """Read changed members, and all of newly enabled banks, in batches; the newest number."""
        mirror, newest = self._mirror, 0
        wanted = {"seq": mirror.seq, "fresh": list(mirror.newly_enabled(banks))}
        enabled = mirror.enabled(banks)
        async with connection.cursor("members") as cursor:
            await self._in_time(cursor.execute(_MEMBERS, wanted))
            while batch := await self._in_time(cursor.fetchmany(BATCH_ROWS)):
                await asyncio.to_thread(mirror.apply, map(_member, batch), enabled)
                newest = max(newest, *(row[-1] for row in batch), 0)
                if self._looked_at is not None:
                    self._looked_at = time.monotonic()
        return newest

    async def _in_time[T](self, act: Awaitable[T]) -> T:
        async with asyncio.timeout(self._settings.database_s):
            return await act


def _member(row: TupleRow) -> MemberRow:
    return MemberRow(*row[:-1])
