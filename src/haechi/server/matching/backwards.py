"""Look backwards: what is hosted already of a member that has just come into force.

The database puts a member down to be looked for in the transaction that confirms it, and a bank in
the one that switches it on (migration 0009). Each find is one row, written once; what is done about
it is for flow and people.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from haechi.fingerprint import frames, joined
from haechi.index import Query
from haechi.server.evidence.models import Fingerprint
from haechi.server.matching import banks
from haechi.server.matching.known import Known, terms_of
from haechi.server.matching.models import (
    BackSearch,
    Bank,
    BankPolicy,
    BankSearch,
    Member,
    MemberStatus,
    Sighting,
)

AT_ONCE = 20
SLICE = 100
"""Members of a bank that are looked for in one transaction: a second or two, for which somebody who
is confirmed meanwhile waits."""


def due(*, now: datetime) -> QuerySet[BackSearch]:
    """Searches for one member that nobody has done and whose time has come, the oldest first."""
    return BackSearch.objects.filter(done_at=None, due_at__lte=now).order_by("due_at", "pk")


def take(known: Known, *, now: datetime) -> tuple[int, list[Member]]:
    """Do some of the searches that are due, inside the caller's transaction.

    Returns how many were done, 0 if nothing is due, and the members in force that were looked for.
    Two workers never do the same one. Single members come before the slice of a bank.
    """
    known.catch_up()
    done, members = _singles(now=now)
    if not done:
        done, members = _slice(now=now)
    for member in members:
        look(member, known, now=now)
    return done, members


def _singles(*, now: datetime) -> tuple[int, list[Member]]:
    """AT_ONCE members at most.

    One that is not in force is passed over: it is put down again when it comes into force. One that
    is paused is put down for the end of that.
    """
    rows = due(now=now).select_for_update(skip_locked=True, of=("self",))
    searches = list(rows.select_related("member__bank", "member__exhibit")[:AT_ONCE])
    paused = _put_off([one.member for one in searches], now=now)
    finished = [one.pk for one in searches if one.member not in paused]
    BackSearch.objects.filter(pk__in=finished).update(done_at=now)
    ready = [one.member for one in searches if one.member not in paused]
    return len(searches), [member for member in ready if _wanted(member, now=now)]


def _slice(*, now: datetime) -> tuple[int, list[Member]]:
    """The next SLICE members of the bank that waits longest."""
    rows = BankSearch.objects.filter(done_at=None).order_by("asked_at", "pk")
    search = rows.select_for_update(skip_locked=True, of=("self",)).select_related("bank").first()
    if search is None:
        return 0, []
    members: list[Member] = []
    if _acts(search.bank):
        some = banks.counted(search.bank, now=now).filter(pk__gt=search.reached)
        some = some.filter(source=search.source) if search.source else some
        members = list(some.select_related("bank", "exhibit")[:SLICE])
    if members:
        search.reached = members[-1].pk
    if len(members) < SLICE:
        search.done_at = now
    search.save(update_fields=["reached", "done_at"])
    paused = _put_off(members, now=now)
    return max(1, len(members)), [member for member in members if member not in paused]


def _put_off(members: Sequence[Member], *, now: datetime) -> list[Member]:
    """Those that are paused still, put down for the moment their pause ends."""
    paused = []
    for member in members:
        until = member.paused_until
        if until is not None and until > now:
            due_then = {"due_at": until, "done_at": None}
            BackSearch.objects.update_or_create(member=member, defaults=due_then)
            paused.append(member)
    return paused


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
    turns = (
        joined.hashes(bytes(made.turns))
        if made is not None
        else frames.turned(bits)
        if bits
        else ()
    )
    return Query(
        sha256=bytes(member.sha256 or b""),
        turns=turns,
        pdq_quality=member.pdq_quality,
        embedding=bytes(member.embedding) if member.embedding is not None else None,
        views=joined.embeddings(bytes(member.views)),
        insets=made.insets if made is not None else 0,
        frames=frames.unpack(bytes(member.frames)),
    )


def _wanted(member: Member, *, now: datetime) -> bool:
    expired = member.expires_at is not None and member.expires_at <= now
    in_force = member.status == MemberStatus.CONFIRMED or (
        member.status == MemberStatus.PENDING and terms_of(member).trusted
    )
    return _acts(member.bank) and in_force and not expired


def _acts(bank: Bank) -> bool:
    return bank.enabled and bank.deleted_at is None and bank.policy in _ACTING


_ACTING: Sequence[str] = (BankPolicy.BLOCK, BankPolicy.REVIEW)
