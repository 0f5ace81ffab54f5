"""Members in and out by the thousand: fingerprints added, hash lists imported and exported."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.db.models import OuterRef, QuerySet, Subquery
from psycopg.types.json import Jsonb

from haechi.formats.hashlist import Category, Listed
from haechi.server.audit import services as audit
from haechi.server.matching.models import (
    Bank,
    Held,
    Judgement,
    Member,
    MemberStatus,
    Opinion,
)

BATCH_ROWS = 2_000
# Whoever lists a hash without its quality vouches for it.
VOUCHED_QUALITY = 100


@dataclass(frozen=True, slots=True)
class New:
    """A picture to be listed, by fingerprint. One of sha256, pdq and md5 must be there."""

    source: str
    sha256: bytes | None = None
    md5: bytes | None = None
    pdq: bytes | None = None
    pdq_quality: int = 0
    embedding: bytes | None = None
    views: bytes = b""
    frames: bytes = b""
    note: str = ""
    metadata: Mapping[str, object] | None = None
    expires_at: datetime | None = None

    @classmethod
    def of(cls, listed: Listed, collab: str | None = None) -> "New":
        """A line of a hash list; `collab` in place of the line's own."""
        source = (collab or listed.collab or "list")[:80]
        tags: dict[str, object] | None = {"tags": list(listed.tags)} if listed.tags else None
        match listed.signal_type:
            case "pdq":
                return cls(source, pdq=listed.signal, pdq_quality=VOUCHED_QUALITY, metadata=tags)
            case "video_md5":
                return cls(source, md5=listed.signal, metadata=tags)
            case _:
                return cls(source, sha256=listed.signal, metadata=tags)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one picture: the number of its member, and whether it was there before."""

    member: int
    known: bool


@dataclass(slots=True)
class Counts:
    """What became of a list so far. `harmless`: lines that say a hash is no hit, and add nothing."""

    added: int = 0
    known: int = 0
    harmless: int = 0
    last_line: int = 0


_ADD = """
INSERT INTO matching_member (bank_id, status, source, sha256, md5, pdq, pdq_quality, embedding,
                             views, frames, created_at, note, metadata, expires_at, seq)
SELECT %(bank)s, %(status)s, source, sha256, md5, pdq, pdq_quality, embedding, views, frames,
       %(now)s, note, metadata, expires_at, 0
FROM unnest(%(source)s::text[], %(sha256)s::bytea[], %(md5)s::bytea[], %(pdq)s::bytea[],
            %(pdq_quality)s::int[], %(embedding)s::bytea[], %(views)s::bytea[], %(frames)s::bytea[],
            %(note)s::text[], %(metadata)s::jsonb[], %(expires_at)s::timestamptz[])
     AS given (source, sha256, md5, pdq, pdq_quality, embedding, views, frames, note, metadata,
               expires_at)
ON CONFLICT DO NOTHING
"""
# Three lookups and no CASE around one, so that each goes by an index.
_FIND = """
SELECT CASE
  WHEN given.sha256 IS NOT NULL THEN (
    SELECT id FROM matching_member WHERE bank_id = %(bank)s AND sha256 = given.sha256)
  WHEN given.pdq IS NOT NULL THEN (
    SELECT min(id) FROM matching_member WHERE bank_id = %(bank)s AND pdq = given.pdq
      AND (given.md5 IS NULL OR md5 = given.md5))
  ELSE (
    SELECT min(id) FROM matching_member WHERE bank_id = %(bank)s AND pdq IS NULL
      AND md5 = given.md5) END
FROM unnest(%(sha256)s::bytea[], %(pdq)s::bytea[], %(md5)s::bytea[])
     WITH ORDINALITY AS given (sha256, pdq, md5, number)
ORDER BY number
"""


@transaction.atomic
def add(
    bank: Bank, given: Sequence[New], *, status: MemberStatus, actor: str, now: datetime
) -> list[Added]:
    """List pictures, in the order given; one that is there already is told by its number.

    What is known is left as it is, a withdrawn member too: somebody withdrew it.
    """
    with audit.acting(actor, at=now):
        before = _find(bank, given)
        fresh = [new for new, number in zip(given, before, strict=True) if number is None]
        if fresh:
            _insert(bank, fresh, status=status, now=now)
        after = _find(bank, given) if fresh else before
    seen: set[int] = set()
    made = []
    for was, number in zip(before, after, strict=True):
        made.append(Added(number or 0, known=was is not None or number in seen))
        seen.add(number or 0)
    return made


def take_list(
    bank: Bank,
    lines: Iterable[Listed],
    *,
    collab: str | None = None,
    actor: str,
    now: datetime,
) -> Iterator[Counts]:
    """Import a hash list in batches, each one transaction; the counts after each.

    Whoever breaks off may begin again: what is in already is known then. Lines start pending, and
    block only where the bank or the source is trusted. A line that says NEGATIVE_CLASS adds nothing.
    """
    counts = Counts()
    for batch in batched(lines, BATCH_ROWS):
        wanted = [one for one in batch if one.category is not Category.NEGATIVE]
        new = [New.of(one, collab) for one in wanted]
        for added in add(bank, new, status=MemberStatus.PENDING, actor=actor, now=now):
            counts.known += added.known
            counts.added += not added.known
        counts.harmless += len(batch) - len(wanted)
        counts.last_line = batch[-1].line
        yield counts


def list_out(bank: Bank) -> Iterator[Listed]:
    """The bank as a hash list: one line a member that is not withdrawn, by its PDQ where it has one.

    A member that is held or that nobody has confirmed is an INVESTIGATION_SEED.
    """
    rows = bank.members.exclude(status=MemberStatus.WITHDRAWN).order_by("pk")
    for member in rows.iterator(chunk_size=BATCH_ROWS):
        kind, signal = _signal(member)
        certain = member.status == MemberStatus.CONFIRMED and member.held == Held.NO
        category = Category.POSITIVE if certain else Category.SEED
        tags = (member.metadata or {}).get("tags", [])
        told = tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()
        yield Listed(kind, signal, member.source, category, told)


def feedback(bank: Bank, source: str | None = None) -> QuerySet[Opinion]:
    """What people here think of the members of a source: the last opinion on each member."""
    last = Opinion.objects.filter(member=OuterRef("member")).order_by("-pk").values("pk")[:1]
    found = Opinion.objects.filter(member__bank=bank, pk=Subquery(last)).select_related("member")
    return found if source is None else found.filter(member__source=source)


def opinion_line(opinion: Opinion) -> Listed:
    """An opinion in the words of a hash list, for the source of the member."""
    kind, signal = _signal(opinion.member)
    category = {
        Judgement.TRUE_POSITIVE: Category.POSITIVE,
        Judgement.FALSE_POSITIVE: Category.NEGATIVE,
        Judgement.DISPUTED: Category.SEED,
    }[Judgement(opinion.verdict)]
    return Listed(kind, signal, opinion.member.source, category, (opinion.verdict,))


def _signal(member: Member) -> tuple[str, bytes]:
    if member.pdq is not None:
        return "pdq", bytes(member.pdq)
    if member.sha256 is None:
        return "video_md5", bytes(member.md5 or b"")
    return "sha256", bytes(member.sha256)


def _insert(bank: Bank, new: Sequence[New], *, status: MemberStatus, now: datetime) -> None:
    columns: dict[str, Any] = {
        name: [getattr(one, name) for one in new] for name in New.__slots__ if name != "metadata"
    }
    columns["metadata"] = [None if one.metadata is None else Jsonb(one.metadata) for one in new]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, columns | {"bank": bank.pk, "status": status.value, "now": now})


def _find(bank: Bank, given: Sequence[New]) -> list[int | None]:
    values = {name: [getattr(one, name) for one in given] for name in ("sha256", "pdq", "md5")}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {**values, "bank": bank.pk})
        return [row[0] for row in cursor.fetchall()]
