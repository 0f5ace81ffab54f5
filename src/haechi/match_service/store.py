"""What this service writes, each act one statement that is committed before it is answered."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from haechi.errors import CheckUnknown, ContentUnknown, KeyRefused, MatchUnavailable
from haechi.fingerprint.address import url_digest
from haechi.match_service.checks import Checks
from haechi.match_service.config import Settings
from haechi.match_service.decide import Decision
from haechi.match_service.intake import Asked

type Connection = psycopg.AsyncConnection[TupleRow]

_BASE_URL = "SELECT base_url FROM matching_platform WHERE id = %s"
# A registration repeated late must not bring back what was removed since; a picture that was
# checked again after its removal is hosted again.
_REGISTER = """
INSERT INTO matching_hosted AS hosted (platform_id, content_id, url_digest, account_digest, sha256,
                                       md5, pdq, pdq_quality, embedding, views, frames,
                                       registered_at)
SELECT platform_id, %(content_id)s, %(url_digest)s, %(account_digest)s, sha256,
       md5, pdq, pdq_quality, embedding, views, frames, now()
FROM matching_check
WHERE id = %(check)s AND platform_id = %(platform)s AND sha256 IS NOT NULL
ON CONFLICT (platform_id, content_id) DO UPDATE SET
    url_digest = excluded.url_digest, account_digest = excluded.account_digest,
    sha256 = excluded.sha256, md5 = excluded.md5, pdq = excluded.pdq,
    pdq_quality = excluded.pdq_quality, embedding = excluded.embedding, views = excluded.views,
    frames = excluded.frames,
    removed_at = CASE WHEN hosted.removed_at
                           < (SELECT at FROM matching_check WHERE id = %(check)s)
                      THEN NULL ELSE hosted.removed_at END
RETURNING registered_at, removed_at
"""
_REMOVE = """
UPDATE matching_hosted SET removed_at = coalesce(removed_at, now())
WHERE platform_id = %s AND content_id = %s
RETURNING removed_at
"""
_TOLD = """
SELECT id, source, note, metadata, created_at, expires_at, case_number
FROM matching_member WHERE id = ANY(%s)
"""
_COUNTS = """
SELECT (SELECT count(*) FROM matching_hosted WHERE platform_id = %(platform)s
                                               AND removed_at IS NULL),
       (SELECT count(*) FROM matching_check WHERE platform_id = %(platform)s)
"""


@dataclass(frozen=True)
class Verdict:
    """One question and what was decided. `label`: what the platform calls it."""

    asked: Asked
    decision: Decision
    label: str = ""


@dataclass(frozen=True)
class Written:
    """A check as it stands in the database. `appeal_token` is 128 random bits, for a block only."""

    check: int
    appeal_token: str | None


@dataclass(frozen=True)
class Told:
    """What is kept beside a member. `case_number` is for people who work here only."""

    source: str
    note: str
    metadata: Mapping[str, object] | None
    created_at: datetime
    expires_at: datetime | None
    case_number: int | None

    def answer(self, *, staff: bool) -> dict[str, object]:
        """As JSON. `staff`: the caller may know the case."""
        told: dict[str, object] = {
            "source": self.source,
            "note": self.note or None,
            "metadata": self.metadata,
            "created_at": self.created_at.isoformat(),
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
        }
        return told | ({"case": self.case_number} if staff else {})


class Store:
    """The database of one process. Every method raises MatchUnavailable when it is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = AsyncConnectionPool(
            settings.database_url,
            kwargs={
                "autocommit": True,
                "connect_timeout": max(2, round(settings.database_s)),
                "application_name": "haechi-match",
            },
            min_size=1,
            max_size=settings.concurrency,
            open=False,
            check=AsyncConnectionPool.check_connection,
            timeout=settings.database_s,
            # Give up soon: its back-off would outlast the outage, while after giving up the next
            # request connects at once.
            reconnect_timeout=1.0,
            name="haechi-match",
        )
        self._checks = Checks(self.rows)

    async def open(self) -> None:
        """Start connecting; does not wait, since the database may come later."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    @property
    def checks_waiting(self) -> int:
        """Checks that are not yet being written."""
        return self._checks.waiting

    async def base_url(self, platform: int) -> str:
        """Where that platform hosts. Raises KeyRefused if it is gone."""
        row = await self._one(_BASE_URL, (platform,))
        if row is None:
            raise KeyRefused
        return str(row[0])

    async def write_checks(self, platform: int, verdicts: Sequence[Verdict]) -> list[Written]:
        """Record questions with their answers and fingerprints, all in one statement.

        Raises MatchBusy too, where too many wait to be written.
        """
        tokens = [
            secrets.token_urlsafe(16) if one.decision.outcome == "block" else None
            for one in verdicts
        ]
        numbers = await self._checks.write(
            [
                {
                    "platform_id": platform,
                    "label": one.label,
                    "appeal_token": token,
                    **_decision_columns(one.decision),
                    **one.asked.columns(),
                }
                for one, token in zip(verdicts, tokens, strict=True)
            ]
        )
        return [Written(*pair) for pair in zip(numbers, tokens, strict=True)]

    async def register(
        self, platform: int, content_id: str, *, url: str, account: str, check: int
    ) -> tuple[datetime, datetime | None]:
        """Say that a checked picture is now hosted; repeating it changes nothing.

        Address and account are stored only as keyed digests. Returns when it was first registered
        and when it was removed, if it was. Raises CheckUnknown.
        """
        key = self._settings.digest_key
        row = await self._one(
            _REGISTER,
            {
                "platform": platform,
                "content_id": content_id,
                "check": check,
                "url_digest": url_digest(key, url),
                "account_digest": url_digest(key, account),
            },
        )
        if row is None:
            raise CheckUnknown
        return row[0], row[1]

    async def remove(self, platform: int, content_id: str) -> datetime:
        """Say that content is gone; the first time of removal stays. Raises ContentUnknown."""
        row = await self._one(_REMOVE, (platform, content_id))
        if row is None:
            raise ContentUnknown
        removed_at: datetime = row[0]
        return removed_at

    async def counts(self, platform: int) -> tuple[int, int]:
        """How much this platform hosts and how often it asked."""
        row = await self._one(_COUNTS, {"platform": platform})
        if row is None:
            raise MatchUnavailable
        return int(row[0]), int(row[1])

    async def rows(self, statement: str, values: Any = None) -> list[TupleRow]:  # noqa: ANN401
        """What one statement answers, committed."""
        async with self._connection() as connection:
            return await (await connection.execute(statement, values)).fetchall()

    async def act(self, actor: str, statement: str, values: Any = None) -> list[TupleRow]:  # noqa: ANN401
        """What one statement answers that changes banks; `actor` is named in the audit log."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SELECT audit_acting(%s, now(), NULL)", (actor,))
            return await (await connection.execute(statement, values)).fetchall()

    async def told(self, members: Sequence[int]) -> dict[int, Told]:
        """What is kept beside `members`, by id, for answers."""
        if not members:
            return {}
        rows = await self.rows(_TOLD, (list(members),))
        return {row[0]: Told(*row[1:]) for row in rows}

    async def _one(self, statement: str, values: Any) -> TupleRow | None:  # noqa: ANN401
        async with self._connection() as connection:
            return await (await connection.execute(statement, values)).fetchone()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with asyncio.timeout(self._settings.database_s), self._pool.connection() as one:
                yield one
        except (psycopg.Error, TimeoutError, OSError) as error:
            raise MatchUnavailable from error


def _decision_columns(decision: Decision) -> Mapping[str, object]:
    found = decision.deciding
    return {
        "outcome": decision.outcome,
        "verdict": decision.verdict.value,
        "member_id": found.member if found else None,
        "veto_id": decision.veto.member if decision.veto else None,
        "found_by": found.hit.found_by if found else "",
        "distance_bits": found.hit.distance_bits if found else None,
        "similarity": found.hit.similarity if found else None,
    }
