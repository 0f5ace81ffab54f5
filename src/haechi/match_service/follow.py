"""Keep the mirror equal to the database: LISTEN, catch up by sequence number, survive outages.

Sequence numbers are handed out under one advisory lock that is held until commit (see the trigger
of the matching tables), so whoever has read number n has read everything before it. A change is in
force here after the notification, and after one second even if the notification was lost.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Mapping
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from haechi.errors import IndexDamaged, StorageUnavailable
from haechi.match_service.config import Settings
from haechi.match_service.decide import Bank
from haechi.match_service.homes import Home
from haechi.match_service.mirror import MemberRow, Mirror, Source
from haechi.match_service.saved import Saved, identity

log = logging.getLogger(__name__)

type Connection = psycopg.AsyncConnection[TupleRow]

LOOK_EVERY_S = 0.8  # with the time to read and apply, a change is in force within one second
RETRY_S = 0.25
BATCH_ROWS = 10_000
RENEW_ROWS = 10_000

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_NEWEST = """
SELECT greatest((SELECT max(seq) FROM matching_member), (SELECT max(seq) FROM matching_bank),
                (SELECT max(seq) FROM matching_source), 0)
"""
_BANKS = """
SELECT id, name, policy, enabled, enabled_ratio, thresholds, trusted, seq
FROM matching_bank WHERE seq > %(seq)s
"""
_SOURCES = "SELECT bank_id, name, trusted, thresholds, seq FROM matching_source WHERE seq > %(seq)s"
_MEMBERS = """
SELECT member.id, member.bank_id,
       member.status = 'confirmed'
         OR member.status = 'pending' AND (bank.trusted OR coalesce(source.trusted, false)),
       sha256, pdq, coalesce(pdq_quality, 0), embedding, coalesce(views, ''::bytea),
       CASE WHEN pdq IS NULL OR sha256 IS NULL THEN md5 END,
       coalesce(extract(epoch FROM paused_until), 0)::float8,
       coalesce(extract(epoch FROM expires_at), 'infinity')::float8,
       member.source, member.held, member.frames, member.seq
FROM matching_member AS member
JOIN matching_bank AS bank ON bank.id = member.bank_id
LEFT JOIN matching_source AS source
       ON source.bank_id = member.bank_id AND source.name = member.source
WHERE member.seq > %(seq)s OR (member.bank_id = ANY(%(stale)s) AND member.status <> 'withdrawn')
"""


class Follower:
    """Runs beside the requests of one process and keeps its mirror fresh.

    away   the database does not answer, or does not have the tables
    """

    def __init__(self, mirror: Mirror, settings: Settings) -> None:
        self._mirror = mirror
        self._settings = settings
        self._saved = Saved(settings.snapshot) if settings.snapshot else None
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
        if self._saved is not None and not self._mirror.seq:
            await self._begin(connection, self._saved)
        while True:
            await self._catch_up(connection)
            self._looked_at = time.monotonic()
            async for _ in connection.notifies(timeout=LOOK_EVERY_S, stop_after=1):
                pass

    async def _begin(self, connection: Connection, saved: Saved) -> None:
        """Begin with what is on this machine already, or leave what was loaded to the others.

        Where no file can be kept each process has its own copy, as without this. Nothing is fresh
        before the end of it: nobody follows the changes meanwhile.
        """
        known = await identity(connection)
        if known is None:
            log.warning("the database does not say which one it is: no snapshot of it is kept")
            return
        try:
            async with saved.alone():
                await self._open_or_load(connection, saved, known)
        except StorageUnavailable as error:
            log.warning("no snapshot is kept: %s", error)

    async def _open_or_load(
        self, connection: Connection, saved: Saved, known: Mapping[str, Any]
    ) -> None:
        mirror, newest = self._mirror, await self._newest(connection)
        try:
            mirror.become(await asyncio.to_thread(saved.opened, known, newest))
        except IndexDamaged as error:
            level = logging.WARNING if saved.exists else logging.INFO
            log.log(level, "loading the banks from the database: %s", error)
        kept = mirror.seq
        await self._catch_up(connection)
        # What came since is each process's own memory: worth a new file where it is a tenth.
        if mirror.seq - kept > max(RENEW_ROWS, len(mirror) // 10) or not kept:
            await asyncio.to_thread(saved.write, mirror, known)
            mirror.become(await asyncio.to_thread(saved.opened, known, mirror.seq))

    async def _newest(self, connection: Connection) -> int:
        row = await (await connection.execute(_NEWEST)).fetchone()
        return 0 if row is None else int(row[0])

    async def _notice_another_database(self, connection: Connection) -> None:
        """A restored backup counts from an earlier number; going on would miss its changes."""
        if await self._newest(connection) < self._mirror.seq:
            log.warning("database is behind this process; loading everything again")
            self._mirror.forget()
            self._looked_at = None

    async def _catch_up(self, connection: Connection) -> None:
        """Apply everything newer than the mirror from one snapshot; again, if it breaks off."""
        mirror = self._mirror
        async with connection.transaction():
            await self._in_time(connection.execute(_SNAPSHOT))
            given = {"seq": mirror.seq}
            rows = await self._in_time(connection.execute(_BANKS, given))
            changed = await rows.fetchall()
            banks = {row[0]: Bank(*row[1:-1]) for row in changed}
            rows = await self._in_time(connection.execute(_SOURCES, given))
            told = await rows.fetchall()
            sources = {(row[0], row[1]): Source(*row[2:-1]) for row in told}
            newest = await self._members(connection, banks, sources)
        newest = max([mirror.seq, newest, *(row[-1] for row in changed + told)])
        await asyncio.to_thread(mirror.finish, banks, newest, sources)

    async def _members(
        self, connection: Connection, banks: dict[int, Bank], sources: dict[Home, Source]
    ) -> int:
        """Read changed members, and all of stale banks, in batches; the newest number."""
        mirror, newest = self._mirror, 0
        wanted = {"seq": mirror.seq, "stale": list(mirror.stale(banks, sources))}
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
