"""Who asks, and what for: API keys with scopes, of which only digests are kept anywhere.

A key that was seen to be good counts as good for FRESH_S; then the database is asked again, once
for all who hold it. A key that is revoked, expires, or whose platform is disabled stops within that
time in every process, and no notification can be lost on the way. One process therefore asks at
most two statements a second for each key in use, whatever the number of requests.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from psycopg.rows import TupleRow

from haechi.errors import KeyRefused

type Scope = Literal["match", "register", "act", "curate", "staff-metadata", "metrics", "label"]
type Rows = Callable[[str, Any], Awaitable[list[TupleRow]]]

SCOPES: tuple[Scope, ...] = get_args(Scope.__value__)

FRESH_S = 0.5
"""Half of the second within which a revoked key has to stop; the rest is for the database."""

KEPT = 10_000
"""Keys remembered, good and bad ones, of some 300 bytes each; a flood of made-up keys ends here."""

KEY_LIMIT = 200

_ASK = """
SELECT platform.id, platform.name, apikey.id, apikey.scopes
FROM matching_apikey AS apikey JOIN matching_platform AS platform ON platform.id = platform_id
WHERE apikey.key_digest = %(digest)s AND platform.enabled AND apikey.revoked_at IS NULL
  AND (apikey.expires_at IS NULL OR apikey.expires_at > now())
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """A platform that asks with one of its keys.

    id      of the platform
    name    of the platform
    key     number of the key
    scopes  what the key may do
    """

    id: int
    name: str
    key: int
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Seen:
    caller: Caller | None
    until_s: float


class Keys:
    """The keys of one process, as the database knew them at most FRESH_S ago."""

    def __init__(self, rows: Rows, clock: Callable[[], float] = time.monotonic) -> None:
        """`rows` runs one statement; `clock` counts seconds."""
        self._rows = rows
        self._clock = clock
        self._seen: dict[bytes, _Seen] = {}
        self._asking: dict[bytes, asyncio.Task[_Seen]] = {}

    async def caller(self, authorization: str) -> Caller:
        """Whose key the header `Authorization` carries.

        Raises KeyRefused; MatchUnavailable where the database must be asked and is away.
        """
        scheme, _, key = authorization.partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not 0 < len(key) <= KEY_LIMIT:
            raise KeyRefused
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        seen = self._seen.get(digest)
        if seen is None or seen.until_s <= self._clock():
            seen = await self._ask_once(digest)
        if seen.caller is None:
            raise KeyRefused
        return seen.caller

    async def _ask_once(self, digest: bytes) -> _Seen:
        task = self._asking.get(digest)
        if task is None:
            task = self._asking[digest] = asyncio.create_task(self._ask(digest))
            task.add_done_callback(lambda _: self._asking.pop(digest, None))
        # A client that goes away must not take the answer from the others who wait for it.
        return await asyncio.shield(task)

    async def _ask(self, digest: bytes) -> _Seen:
        until_s = self._clock() + FRESH_S  # counted from before the question
        seen = _Seen(_caller(await self._rows(_ASK, {"digest": digest})), until_s)
        if len(self._seen) >= KEPT:
            self._seen.clear()
        self._seen[digest] = seen
        return seen


def _caller(rows: Sequence[TupleRow]) -> Caller | None:
    if not rows:
        return None
    platform, name, key, scopes = rows[0]
    return Caller(platform, name, key, frozenset(scopes))
