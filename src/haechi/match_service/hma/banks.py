"""Banks and their content in the database, as HMA's API sees them.

Every act is one statement. No row is deleted: a deleted bank is disabled, flagged and renamed, so
that its name is free; deleted content is withdrawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from haechi.index import DEFAULT
from haechi.match_service.hma.signals import PDQ, VIDEO_MD5
from haechi.match_service.intake import Asked
from haechi.match_service.store import Store

# A person decides at the desk whether matches with it block (docs/hma.md).
POLICY_OF_NEW_BANKS = "review"
SOURCE_LIMIT = 80

_BANK = "name, enabled, enabled_ratio"
_BANKS = f"SELECT {_BANK} FROM matching_bank WHERE deleted_at IS NULL"  # noqa: S608
_CREATE = f"""
INSERT INTO matching_bank (name, policy, enabled, enabled_ratio)
VALUES (%(name)s, %(policy)s, %(ratio)s > 0, %(ratio)s)
ON CONFLICT (name) DO NOTHING
RETURNING {_BANK}
"""  # noqa: S608
_CHANGE = f"""
UPDATE matching_bank AS bank
SET name = coalesce(%(rename)s::text, name),
    enabled = coalesce(%(ratio)s::float8 > 0, enabled),
    enabled_ratio = coalesce(nullif(%(ratio)s::float8, 0), enabled_ratio)
WHERE name = %(name)s AND deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM matching_bank AS other
                  WHERE other.name = %(rename)s::text AND other.id <> bank.id)
RETURNING {_BANK}
"""  # noqa: S608
_DELETE = """
UPDATE matching_bank
SET enabled = false, deleted_at = now(), name = left(name, 50) || ' deleted ' || id
WHERE name = %s AND deleted_at IS NULL
RETURNING id
"""
# A person said of that file, or of that very hash, that it is wrongly listed in this bank. What this
# API withdrew has no opinion, and may come back.
_TAKEN_OUT = """
EXISTS (SELECT FROM matching_member AS other
        JOIN LATERAL (SELECT verdict FROM matching_opinion WHERE member_id = other.id
                      ORDER BY id DESC LIMIT 1) AS last ON last.verdict = 'false_positive'
        WHERE other.bank_id = bank.id AND other.status = 'withdrawn'
          AND (other.sha256 = %(sha256)s::bytea
               OR other.pdq = %(pdq)s::bytea AND other.pdq_quality >= %(min_quality)s
               OR other.pdq IS NULL AND other.md5 = %(md5)s::bytea))
"""
_ADD = f"""
INSERT INTO matching_member AS member (bank_id, status, source, sha256, md5, pdq, pdq_quality,
                                       embedding, views, frames, created_at, note, metadata)
SELECT id, CASE WHEN {_TAKEN_OUT} THEN 'withdrawn' ELSE 'confirmed' END, %(source)s::text, %(sha256)s::bytea, %(md5)s::bytea, %(pdq)s::bytea,
       %(pdq_quality)s::int, %(embedding)s::bytea, %(views)s::bytea, %(frames)s::bytea, now(),
       %(note)s::text,
       %(metadata)s::jsonb
FROM matching_bank AS bank WHERE name = %(bank)s AND deleted_at IS NULL
"""  # noqa: S608
# The same file or the same hashes again are the same content: confirmed again, never doubled.
_AGAIN = """DO UPDATE SET
    status = CASE WHEN member.status = 'withdrawn' THEN excluded.status ELSE 'confirmed' END,
    paused_until = NULL, expires_at = NULL,
    note = coalesce(nullif(excluded.note, ''), member.note),
    metadata = coalesce(excluded.metadata, member.metadata)
RETURNING id
"""
_ADD_FILE = f"{_ADD} ON CONFLICT (bank_id, sha256) {_AGAIN}"
_ADD_HASHES = f"{_ADD} ON CONFLICT (bank_id, pdq, md5) WHERE sha256 IS NULL {_AGAIN}"
# Content is found through its own bank's address only.
_HERE = """
member.id = %(id)s AND member.bank_id = bank.id AND bank.name = %(bank)s
AND bank.deleted_at IS NULL AND member.status <> 'withdrawn'
"""
_CONTENT = f"""
SELECT member.id, member.status = 'confirmed', extract(epoch FROM member.paused_until)::bigint,
       member.note, member.metadata, member.pdq, member.pdq_quality, member.md5,
       bank.name, bank.enabled, bank.enabled_ratio
FROM matching_member AS member, matching_bank AS bank WHERE {_HERE}
"""  # noqa: S608
_PAUSE = f"""
UPDATE matching_member AS member
SET status = CASE WHEN %(until)s::bigint = 0 THEN 'pending' ELSE 'confirmed' END,
    paused_until = CASE WHEN %(until)s::bigint > 1 THEN to_timestamp(%(until)s::bigint) END
FROM matching_bank AS bank WHERE {_HERE}
RETURNING member.id
"""  # noqa: S608
_NOTE = f"""
UPDATE matching_member AS member SET note = %(note)s
FROM matching_bank AS bank WHERE {_HERE}
RETURNING member.id
"""  # noqa: S608
_WITHDRAW = f"""
UPDATE matching_member AS member SET status = 'withdrawn'
FROM matching_bank AS bank WHERE {_HERE}
RETURNING member.id
"""  # noqa: S608


@dataclass(frozen=True)
class HmaBank:
    """A bank in HMA's words. `ratio`: 0 if it is disabled, else the share of questions answered."""

    name: str
    ratio: float

    @classmethod
    def of(cls, name: str, enabled: bool, ratio: float) -> "HmaBank":  # noqa: FBT001
        """From a row."""
        return cls(name, ratio if enabled else 0.0)

    def answer(self) -> dict[str, object]:
        """As JSON."""
        return {"name": self.name, "matching_enabled_ratio": self.ratio}


@dataclass(frozen=True)
class Content:
    """One member in HMA's words.

    disable_until_ts   0 off for ever, 1 on, else off until then in seconds since 1970
    """

    id: int
    disable_until_ts: int
    note: str
    metadata: Mapping[str, object] | None
    signals: Mapping[str, str]
    bank: HmaBank

    @classmethod
    def of(cls, row: TupleRow) -> "Content":
        """From a row of _CONTENT."""
        number, confirmed, paused_until, note, metadata, pdq, quality, md5, *bank = row
        until = (paused_until or 1) if confirmed else 0
        signals = {}
        if pdq is not None and quality >= DEFAULT.min_quality:
            signals[PDQ] = bytes(pdq).hex()
        if pdq is None and md5:
            signals[VIDEO_MD5] = bytes(md5).hex()
        return cls(number, until, note, metadata, signals, HmaBank.of(*bank))


class Banks:
    """Reads and writes of one process. Every method raises MatchUnavailable without database."""

    def __init__(self, store: Store, actor: str) -> None:
        """`actor` is who the audit log names: every change leaves an entry there."""
        self._rows = store.rows
        self._act = partial(store.act, actor)

    async def all(self) -> list[HmaBank]:
        """Every bank that is not deleted, the oldest first."""
        return [HmaBank.of(*row) for row in await self._rows(f"{_BANKS} ORDER BY id")]

    async def get(self, name: str) -> HmaBank | None:
        """The bank of that name."""
        return _first(await self._rows(f"{_BANKS} AND name = %s", (name,)))

    async def create(self, name: str, ratio: float) -> HmaBank | None:
        """A new bank, or None if there is one of that name."""
        values = {"name": name, "policy": POLICY_OF_NEW_BANKS, "ratio": ratio}
        return _first(await self._act(_CREATE, values))

    async def change(self, name: str, rename: str | None, ratio: float | None) -> HmaBank | None:
        """Rename a bank, or set its share; None if there is no such bank or the name is taken."""
        values = {"name": name, "rename": rename, "ratio": ratio}
        return _first(await self._act(_CHANGE, values))

    async def delete(self, name: str) -> None:
        """Disable, flag and rename a bank; nothing happens if there is none."""
        await self._act(_DELETE, (name,))

    async def add(
        self,
        bank: str,
        asked: Asked,
        *,
        source: str,
        note: str,
        metadata: Mapping[str, object] | None,
    ) -> int | None:
        """Put a file or hashes into a bank; its number, or None without such a bank.

        Confirmed, unless a person took the same out of that bank: then it stays, or is, withdrawn.
        """
        rows = await self._act(
            _ADD_HASHES if asked.sha256 is None else _ADD_FILE,
            {
                **asked.columns(),
                "bank": bank,
                "min_quality": DEFAULT.min_quality,
                "source": source[:SOURCE_LIMIT],
                "note": note,
                "metadata": None if metadata is None else Jsonb(metadata),
            },
        )
        return int(rows[0][0]) if rows else None

    async def content(self, bank: str, number: int) -> Content | None:
        """What is known of one content of that bank; None if it is withdrawn or elsewhere."""
        rows = await self._rows(_CONTENT, {"bank": bank, "id": number})
        return Content.of(rows[0]) if rows else None

    async def pause(self, bank: str, number: int, until_ts: int) -> bool:
        """Set disable_until_ts; False if there is no such content in that bank."""
        return bool(await self._act(_PAUSE, {"bank": bank, "id": number, "until": until_ts}))

    async def write_note(self, bank: str, number: int, note: str) -> bool:
        """Set or clear the note; False if there is no such content in that bank."""
        return bool(await self._act(_NOTE, {"bank": bank, "id": number, "note": note}))

    async def withdraw(self, bank: str, number: int) -> int:
        """Stop content from matching; how many rows of that bank changed: 1 or 0."""
        return len(await self._act(_WITHDRAW, {"bank": bank, "id": number}))


def _first(rows: list[TupleRow]) -> HmaBank | None:
    return HmaBank.of(*rows[0]) if rows else None
