"""Look backwards: what is hosted already of a member that has just come into force.

The database puts a member down to be looked for in the transaction that confirms it (migration
0005). Each find is one row, written once; what is done about it is for flow.py and people.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from haechi.fingerprint import frames
from haechi.index import Query
from haechi.server.evidence.models import Fingerprint
from haechi.server.matching.known import Known, terms_of, views
from haechi.server.matching.models import (
    BackSearch,
    Bank,
    BankPolicy,
    Member,
    MemberStatus,
    Sighting,
)

AT_ONCE = 20


def due() -> QuerySet[BackSearch]:
    """Searches that nobody has done, the oldest first."""
    return BackSearch.objects.filter(done_at=None).order_by("asked_at", "pk")


def take(known: Known, *, now: datetime) -> tuple[int, list[Member]]:
    """Do at most AT_ONCE searches that are due, inside the caller's transaction.

    Returns how many were done and the members in force that were looked for. Two workers never do
    the same one. A member that is not in force is passed over: it is put down again when it is
    confirmed again.
    """
    known.catch_up()
    rows = due().select_for_update(skip_locked=True, of=("self",))
    searches = list(rows.select_related("member__bank", "member__exhibit")[:AT_ONCE])
    members = [one.member for one in searches if _wanted(one.member, now=now)]
    for member in members:
        look(member, known, now=now)
    BackSearch.objects.filter(pk__in=[one.pk for one in searches]).update(done_at=now)
    return len(searches), members


def look(member: Member, known: Known, *, now: datetime) -> int:
    """Write one row for each hosted picture that shows `member`; how many were found.

    Runs inside the caller's transaction; safe to repeat.
    """
    found = known.hosted(query(member), terms_of(member).policy)
    Sighting.objects.bulk_create(
        [
            Sighting(
                member=member,
                hosted_id=key,
                verdict=hit.verdict.value,
                found_by=hit.found_by,
                distance_bits=hit.distance_bits,
                similarity=hit.similarity,
                found_at=now,
            )
            for key, hit in found
        ],
        ignore_conflicts=True,
        batch_size=1_000,
    )
    return len(found)


def waiting(member: Member) -> QuerySet[Sighting]:
    """What was found of a member, is still up, and nobody has dealt with."""
    return member.sightings.filter(settled_at=None, hosted__removed_at=None).select_related(
        "hosted__platform"
    )


def settle(sighting: Sighting, *, now: datetime) -> bool:
    """True for the one who deals with it; False if somebody has."""
    unsettled = Sighting.objects.filter(pk=sighting.pk, settled_at=None)
    return bool(unsettled.update(settled_at=now))


def query(member: Member) -> Query:
    """A member as a question: with the turns of its exhibit, or else with those of its hash."""
    bits = bytes(member.pdq) if member.pdq is not None else None
    made = (
        Fingerprint.objects.filter(exhibit=member.exhibit_id).first() if member.exhibit_id else None
    )
    turns = split(bytes(made.turns)) if made is not None else frames.turned(bits) if bits else ()
    return Query(
        sha256=bytes(member.sha256 or b""),
        turns=turns,
        pdq_quality=member.pdq_quality,
        embedding=bytes(member.embedding) if member.embedding is not None else None,
        views=views(bytes(member.views)),
        insets=made.insets if made is not None else 0,
        frames=frames.unpack(bytes(member.frames)),
    )


def split(turns: bytes) -> tuple[bytes, ...]:
    """PDQ hashes that are stored one after another."""
    return tuple(turns[start : start + 32] for start in range(0, len(turns), 32))


def _wanted(member: Member, *, now: datetime) -> bool:
    bank: Bank = member.bank
    listed = bank.enabled and bank.deleted_at is None and bank.policy in _ACTING
    expired = member.expires_at is not None and member.expires_at <= now
    in_force = member.status == MemberStatus.CONFIRMED or (
        member.status == MemberStatus.PENDING and terms_of(member).trusted
    )
    return listed and in_force and not expired


_ACTING: Sequence[str] = (BankPolicy.BLOCK, BankPolicy.REVIEW)
