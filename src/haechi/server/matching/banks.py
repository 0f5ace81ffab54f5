"""Banks and their members: every change of them that people make here.

Each function runs inside the caller's transaction, or makes one. The database writes the entries of
the audit log by itself (migration 0005); these functions say who acts and why. Every match process
follows within a second.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from haechi.errors import BankNameTaken, BankUnknown, MemberUnknown, ReasonRequired
from haechi.index import thresholds
from haechi.server.audit import services as audit
from haechi.server.matching import floods
from haechi.server.matching.models import (
    Bank,
    BankPolicy,
    Held,
    Judgement,
    Member,
    MemberStatus,
    Opinion,
    Source,
    Surge,
)

NAME_LIMIT = 80
NOTE_LIMIT = 255


def named(name: str) -> Bank:
    """The bank of that name. Raises BankUnknown."""
    bank = Bank.objects.filter(name=name, deleted_at=None).first()
    if bank is None:
        raise BankUnknown(f"there is no bank named {name!r}")
    return bank


def numbered(number: int) -> Member:
    """The member of that number. Raises MemberUnknown."""
    member = Member.objects.select_related("bank").filter(pk=number).first()
    if member is None:
        raise MemberUnknown(f"there is no member {number}")
    return member


def in_force(bank: Bank, *, now: datetime) -> QuerySet[Member]:
    """The members of a bank that match now; none of a bank that is disabled."""
    if not bank.enabled:
        return Member.objects.none()
    awake = Q(paused_until=None) | Q(paused_until__lte=now)
    return counted(bank, now=now).filter(awake)


def counted(bank: Bank, *, now: datetime) -> QuerySet[Member]:
    """Those whose status and end let them match; paused ones too, whose time comes."""
    confirmed = Q(status=MemberStatus.CONFIRMED)
    if bank.trusted:
        confirmed |= Q(status=MemberStatus.PENDING)
    else:
        sources = bank.sources.filter(trusted=True).values("name")
        confirmed |= Q(status=MemberStatus.PENDING, source__in=sources)
    lasting = Q(expires_at=None) | Q(expires_at__gt=now)
    return bank.members.filter(confirmed, lasting).order_by("pk")


@transaction.atomic
def make(name: str, policy: BankPolicy, *, actor: str, now: datetime) -> Bank:
    """A new bank. Raises BankNameTaken."""
    try:
        with transaction.atomic(), audit.acting(actor, at=now):
            return Bank.objects.create(name=name[:NAME_LIMIT], policy=policy)
    except IntegrityError as error:
        raise BankNameTaken(f"there is a bank named {name!r} already") from error


@transaction.atomic
def change(
    bank: Bank,
    *,
    reason: str,
    actor: str,
    now: datetime,
    policy: BankPolicy | None = None,
    enabled: bool | None = None,
    trusted: bool | None = None,
    limits: Mapping[str, object] | None = None,
    flood: Mapping[str, object] | None = None,
) -> None:
    """Change what is given of a bank's settings, with a reason that the audit log keeps.

    `limits` are thresholds, all of them anew. Raises ReasonRequired, PolicyRefused and InvalidDocument.
    """
    if not reason.strip():
        raise ReasonRequired
    given = {
        "policy": policy,
        "enabled": enabled,
        "trusted": trusted,
        "thresholds": None if limits is None else thresholds.checked(limits),
        "flood": None if flood is None else floods.checked(flood),
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    with audit.acting(actor, at=now, reason=reason.strip()):
        Bank.objects.filter(pk=bank.pk).update(**wanted)
    bank.refresh_from_db()


@transaction.atomic
def change_source(
    bank: Bank,
    name: str,
    *,
    reason: str,
    actor: str,
    now: datetime,
    trusted: bool | None = None,
    limits: Mapping[str, object] | None = None,
) -> Source:
    """Say what a bank thinks of a source. Raises ReasonRequired, PolicyRefused and InvalidDocument."""
    if not reason.strip():
        raise ReasonRequired
    given = {
        "trusted": trusted,
        "thresholds": None if limits is None else thresholds.checked(limits),
    }
    wanted = {key: value for key, value in given.items() if value is not None}
    with audit.acting(actor, at=now, reason=reason.strip()):
        source, _ = Source.objects.update_or_create(
            bank=bank, name=name[:NAME_LIMIT], defaults=wanted
        )
    return source


@transaction.atomic
def confirm(member: Member, *, actor: str, now: datetime, note: str = "") -> bool:
    """A person has seen it and says it is rightly listed: it is in force, and no longer held.

    False if it was so before; the opinion is kept all the same.
    """
    with audit.acting(actor, at=now):
        won = (
            Member.objects.filter(pk=member.pk)
            .exclude(status=MemberStatus.CONFIRMED, held=Held.NO)
            .update(status=MemberStatus.CONFIRMED, held=Held.NO, held_at=None, released_at=now)
        )
        _judge(member, Judgement.TRUE_POSITIVE, actor=actor, now=now, note=note)
    _settle(member, now=now)
    return bool(won)


@transaction.atomic
def withdraw(member: Member, *, actor: str, now: datetime, note: str = "") -> bool:
    """Take it out of force: wrongly listed. False if it was so before."""
    with audit.acting(actor, at=now):
        won = (
            Member.objects.filter(pk=member.pk)
            .exclude(status=MemberStatus.WITHDRAWN)
            .update(status=MemberStatus.WITHDRAWN)
        )
        _judge(member, Judgement.FALSE_POSITIVE, actor=actor, now=now, note=note)
    _settle(member, now=now)
    return bool(won)


@transaction.atomic
def dispute(member: Member, *, actor: str, now: datetime, note: str = "") -> bool:
    """Somebody here doubts it: it blocks no more, and a person looks at each match.

    False if it was disputed before.
    """
    with audit.acting(actor, at=now):
        won = _hold(member, Held.DISPUTED, now=now)
        _judge(member, Judgement.DISPUTED, actor=actor, now=now, note=note)
    return won


@transaction.atomic
def hold(member: Member, why: Held, *, actor: str, now: datetime, reason: str = "") -> bool:
    """Send its matches to review for now. False if it was held for that before."""
    with audit.acting(actor, at=now, reason=reason):
        return _hold(member, why, now=now)


@transaction.atomic
def release(member: Member, *, actor: str, now: datetime, reason: str = "") -> bool:
    """Let it block again, if its bank does. False if it was not held."""
    with audit.acting(actor, at=now, reason=reason):
        won = (
            Member.objects.filter(pk=member.pk)
            .exclude(held=Held.NO)
            .update(held=Held.NO, held_at=None, released_at=now)
        )
    _settle(member, now=now)
    return bool(won)


@transaction.atomic
def expire(
    member: Member, at: datetime | None, *, actor: str, now: datetime, reason: str = ""
) -> bool:
    """It matches nothing from `at` on; None for no end. False if that was its end before."""
    rows = Member.objects.filter(pk=member.pk)
    rows = rows.exclude(expires_at=None) if at is None else rows.exclude(expires_at=at)
    with audit.acting(actor, at=now, reason=reason.strip()[:NOTE_LIMIT]):
        return bool(rows.update(expires_at=at))


def _hold(member: Member, why: Held, *, now: datetime) -> bool:
    # A doubt weighs more than a flood, and is not lifted by one.
    rows = Member.objects.filter(pk=member.pk)
    rows = rows.filter(held=Held.NO) if why == Held.FLOOD else rows.exclude(held=why)
    return bool(rows.update(held=why, held_at=now))


def _judge(member: Member, verdict: Judgement, *, actor: str, now: datetime, note: str) -> None:
    Opinion.objects.create(
        member=member, verdict=verdict, by=actor[:60], at=now, note=note.strip()[:NOTE_LIMIT]
    )


def _settle(member: Member, *, now: datetime) -> None:
    Surge.objects.filter(member=member, settled_at=None).update(settled_at=now)
