"""What this process knows: members in force and hosted content, in memory, kept up by `seq`."""

import logging
import threading
from datetime import datetime
from itertools import batched
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from haechi.errors import PolicyRefused
from haechi.index import Catalog, Entry, Hit, Policy, Query, thresholds
from haechi.server.evidence.models import FingerprintFields
from haechi.server.matching.models import Bank, Hosted, Member, MemberStatus, Source

log = logging.getLogger(__name__)

BATCH_ROWS = 10_000

type Stored = bytes | memoryview[int]

_COLUMNS = ("pk", "seq", "sha256", "pdq", "pdq_quality", "embedding", "views", "frames")


class Terms(NamedTuple):
    """What a bank and a source make of a member. `trusted`: it counts as confirmed unseen."""

    policy: Policy
    trusted: bool


class _Kept(NamedTuple):
    bank: int
    source: str
    confirmed: bool
    paused_until: datetime | None
    expires_at: datetime | None


class _Newest(NamedTuple):
    """The last row that was read of a table."""

    seq: int = 0
    pk: int = 0


# A cluster has an identifier, a recovery begins a timeline, and a dump is loaded into a database of
# another number, or one in which the last row read is not there, or not yet.
_WHICH = """
SELECT (SELECT system_identifier FROM pg_control_system()),
       (SELECT timeline_id FROM pg_control_checkpoint()),
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
       coalesce((SELECT seq FROM matching_member WHERE id = %s), 0) >= %s
         AND coalesce((SELECT seq FROM matching_hosted WHERE id = %s), 0) >= %s
"""


class Known:
    """One catalog over two tables. Keys are even for hosted content and odd for members.

    A database that is another one, or was restored from a backup, is noticed, and read anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database: tuple[int, ...] | None = None
        self._forget()

    def _forget(self) -> None:
        self._catalog = Catalog()
        self._members: dict[int, _Kept] = {}
        self._seen: dict[type[Hosted | Member], _Newest] = {Hosted: _Newest(), Member: _Newest()}

    def search(
        self, query: Query, *, now: datetime
    ) -> list[tuple[type[Hosted] | type[Member], int, Hit]]:
        """What `query` meets, best first, as (table, primary key, hit).

        Members only of enabled banks, neither paused nor expired, each judged by the thresholds of
        its bank and source; hosted content by the usual ones.
        """
        self.catch_up()
        terms = _terms()
        loosest = thresholds.loosest((each.policy for each in terms.values()), usual())
        found = thresholds.found(
            lambda policy: self._catalog.search(query, policy),
            loosest,
            lambda key: self._policy(key // 2, terms, now) if key % 2 else usual(),
        )
        return [(Member if hit.key % 2 else Hosted, hit.key // 2, hit) for hit, _ in found]

    def hosted(self, query: Query, policy: Policy) -> list[tuple[int, Hit]]:
        """The hosted content that `query` meets under `policy`, best first."""
        self.catch_up()
        found = self._catalog.search(query, policy)
        return [(hit.key // 2, hit) for hit in found if hit.key % 2 == 0]

    def catch_up(self) -> None:
        """Take in what changed since the last time. The first time reads everything."""
        with self._lock:
            self._notice_another_database()
            self._take_hosted()
            self._take_members()

    def _notice_another_database(self) -> None:
        member, hosted = self._seen[Member], self._seen[Hosted]
        with connection.cursor() as cursor:
            cursor.execute(_WHICH, [member.pk, member.seq, hosted.pk, hosted.seq])
            *which, goes_on = cursor.fetchone()
        if self._database not in (None, tuple(which)) or not goes_on:
            log.warning("the database is another one than before; everything is read again")
            self._forget()
        self._database = tuple(which)

    def _policy(
        self, key: int, terms: dict[tuple[int, str], Terms], now: datetime
    ) -> Policy | None:
        """That of a member; None if it is not in force."""
        kept = self._members.get(key)
        if kept is None:
            return None
        own = terms.get((kept.bank, kept.source)) or terms.get((kept.bank, ""))
        if own is None or not (kept.confirmed or own.trusted):
            return None
        paused = kept.paused_until is not None and kept.paused_until > now
        expired = kept.expires_at is not None and kept.expires_at <= now
        return None if paused or expired else own.policy

    def _take_hosted(self) -> None:
        rows = Hosted.objects.filter(seq__gt=self._seen[Hosted].seq)
        if not self._seen[Hosted].seq:
            rows = rows.filter(removed_at=None)
        listed, newest = rows.values_list(*_COLUMNS, "removed_at"), self._seen[Hosted]
        for some in batched(listed.iterator(chunk_size=BATCH_ROWS), BATCH_ROWS):
            self._catalog.load(_entry(row[0] * 2, *row[2:8]) for row in some if row[-1] is None)
            self._catalog.remove_many([row[0] * 2 for row in some if row[-1] is not None])
            newest = max(newest, *(_Newest(row[1], row[0]) for row in some))
        # Rows come in no order: what was taken in before a fault says nothing of the rest.
        self._seen[Hosted] = newest

    def _take_members(self) -> None:
        rows = Member.objects.filter(seq__gt=self._seen[Member].seq)
        kept = ("bank_id", "source", "status", "paused_until", "expires_at")
        listed, newest = rows.values_list(*_COLUMNS, *kept), self._seen[Member]
        for some in batched(listed.iterator(chunk_size=BATCH_ROWS), BATCH_ROWS):
            put = []
            for row in some:
                bank, source, status, paused_until, expires_at = row[8:]
                if status == MemberStatus.WITHDRAWN:
                    self._members.pop(row[0], None)
                    self._catalog.remove(row[0] * 2 + 1)
                else:
                    confirmed = status == MemberStatus.CONFIRMED
                    self._members[row[0]] = _Kept(bank, source, confirmed, paused_until, expires_at)
                    put.append(_entry(row[0] * 2 + 1, *row[2:8]))
            self._catalog.load(put)
            newest = max(newest, *(_Newest(row[1], row[0]) for row in some))
        self._seen[Member] = newest


def usual() -> Policy:
    """The thresholds of this installation, over which banks and sources lay theirs."""
    policy: Policy = settings.HAECHI.policy
    return policy


def terms_of(member: Member) -> Terms:
    """What its bank and its source make of one member."""
    bank = member.bank
    source = Source.objects.filter(bank=bank, name=member.source).first()
    return _laid(bank, source)


def entry(key: int, row: FingerprintFields) -> Entry:
    """A row's fingerprint as the index takes it."""
    return _entry(key, row.sha256, row.pdq, row.pdq_quality, row.embedding, row.views, row.frames)


def _terms() -> dict[tuple[int, str], Terms]:
    """Of every enabled bank, under the source "", and of its sources that have a row."""
    banks = {bank.pk: bank for bank in Bank.objects.filter(enabled=True, deleted_at=None)}
    made = {(key, ""): _laid(bank, None) for key, bank in banks.items()}
    sources = Source.objects.filter(bank__in=banks)
    return made | {(each.bank_id, each.name): _laid(banks[each.bank_id], each) for each in sources}


def _laid(bank: Bank, source: Source | None) -> Terms:
    layers = [bank.thresholds, source.thresholds if source else {}]
    try:
        policy = thresholds.policy(*layers, usual=usual())
    except PolicyRefused as error:
        # As in the match service: one bad row must not end every search.
        log.error("bank %d: %s; the usual thresholds are used", bank.pk, error)  # noqa: TRY400
        policy = usual()
    return Terms(policy, bank.trusted or (source is not None and source.trusted))


def _entry(
    key: int,
    sha256: Stored | None,
    pdq: Stored | None,
    pdq_quality: int,
    embedding: Stored | None,
    joined: Stored,
    packed: Stored,
) -> Entry:
    return Entry.stored(
        key,
        sha256=bytes(sha256) if sha256 is not None else None,
        pdq=bytes(pdq) if pdq is not None else None,
        pdq_quality=pdq_quality,
        embedding=bytes(embedding) if embedding is not None else None,
        views=bytes(joined),
        frames=bytes(packed),
    )
