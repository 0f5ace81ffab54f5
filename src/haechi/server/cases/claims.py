"""Who works on what: taken for a while, given back, handed over, set aside for good."""

from datetime import datetime, timedelta

from django.db import transaction

from haechi import seal
from haechi.errors import AlreadyLooked, CaseClaimed, CaseClosed, NotAllowed
from haechi.server.audit import services as audit
from haechi.server.cases import grants, queue, reviews
from haechi.server.cases.clocks import RUNNING
from haechi.server.cases.models import (
    WAITING,
    Case,
    CaseQuerySet,
    Grant,
    HandOver,
    Purpose,
    Recusal,
    Scope,
)
from haechi.server.reports import vault
from haechi.server.staff.models import Role, User

# A claim frees itself when somebody stops working.
LEASE = timedelta(minutes=20)
# What was given to somebody goes to whoever is free, when they did not come to it.
KEPT = timedelta(hours=8)
# What somebody gave back is not the next thing they are given.
RESTS = timedelta(hours=12)


@transaction.atomic
def claim(case: Case, user: User, *, now: datetime) -> None:
    """Take a case for twenty minutes, or longer by claiming again; that opens it to `user` too.

    Raises CaseClaimed while somebody else holds it, CaseClosed when nobody has to work on it,
    NotAllowed where they asked never to see it, GrantRevoked where somebody took the right to open
    it away, AlreadyLooked where another person's look is wanted.
    """
    if reviews.heard(case, user):
        raise AlreadyLooked(case.pk)
    waiting = Case.objects.filter(pk=case.pk, state__in=WAITING)
    if not _take(waiting.free_for(user, now), user, now=now):
        if is_aside(case, user):
            raise NotAllowed(case.pk)
        raise CaseClaimed(case.pk) if waiting.exists() else CaseClosed(case.pk)
    _taken(case, user, now=now)


@transaction.atomic
def take_next(
    user: User, *, now: datetime, asked: queue.Asked | None = None, skip: int = 0
) -> Case | None:
    """Take the first free case of the queue: what was given to them first. None where nothing is free.

    Two people who ask at once get two cases: a row that another is about to take is passed over.
    `skip` is the number of a case they come from.
    """
    free = _offered(user, asked or queue.Asked(), now=now).exclude(pk=skip)
    mine = free.filter(kept_for=user, kept_until__gte=now)
    others = free.exclude(kept_until__gte=now)
    for some in (mine, others):
        case = some.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
        if case is not None:
            _take(Case.objects.filter(pk=case.pk), user, now=now)
            _taken(case, user, now=now)
            return case
    return None


def renew(case: Case, user: User, *, now: datetime) -> bool:
    """Who still works on it keeps it for another twenty minutes. False where they hold it no more."""
    mine = Case.objects.filter(pk=case.pk, claimed_by=user, claimed_until__gte=now)
    return bool(mine.update(claimed_until=now + LEASE))


@transaction.atomic
def release(case: Case, user: User, *, now: datetime) -> None:
    """Give a case back to the queue, without a mark against anybody (B26)."""
    freed = Case.objects.filter(pk=case.pk, claimed_by=user).update(**_NOBODY)
    grants.give_back(case, user, now=now)
    if freed:
        audit.record("case:released", subject=case, actor=user.name_in_log, at=now)


def free(case: Case) -> None:
    """End a claim that has become a reason for waiting."""
    Case.objects.filter(pk=case.pk).update(**_NOBODY)


@transaction.atomic
def hand_over(case: Case, to: User, note: str, *, actor: User, now: datetime) -> HandOver:
    """Give a case to somebody, with a note sealed to the report for whoever works on it next.

    It is kept for them for eight hours, or half the time that a clock leaves; the first who takes it
    has it. Where `to` asked not to see it, it waits for everybody, and nobody is told. Raises CaseClosed, CaseClaimed while another
    than `actor` works on it, NotAllowed where `actor` may not see it or `to` reviews nothing.
    """
    if not (to.is_active and to.role == Role.REVIEWER) or is_aside(case, actor):
        raise NotAllowed(to.pk)
    waiting = Case.objects.filter(pk=case.pk, state__in=WAITING)
    keeper = None if to.recusals.filter(case=case).exists() else to
    kept = {"kept_for": keeper, "kept_until": _kept_until(case, now) if keeper else None}
    if not waiting.free_for(actor, now).update(**_NOBODY, **kept):
        raise CaseClaimed(case.pk) if waiting.exists() else CaseClosed(case.pk)
    if to != actor:
        grants.give_back(case, actor, now=now)
    given = HandOver.objects.create(
        case=case,
        giver=actor,
        to=to,
        note=seal.seal(note.strip().encode(), case.report.recipient) if note.strip() else b"",
        at=now,
    )
    detail = {"to": to.pk}
    audit.record("case:handed_over", subject=case, actor=actor.name_in_log, at=now, detail=detail)
    return given


def notes_of(case: Case, *, actor: User, now: datetime) -> list[tuple[HandOver, str]]:
    """What was written with hand-overs, newest first, for who may open the case; logged first.

    Raises KeyMissing or CannotOpen.
    """
    written = list(case.hand_overs.exclude(note=b"").select_related("giver", "to"))
    if not written:
        return []
    with transaction.atomic():
        audit.record("case:note_read", subject=case, actor=actor.name_in_log, at=now)
        case.hand_overs.filter(read_at=None).update(read_at=now)
    identity = vault.identity_of(case.report)
    return [(one, seal.open_sealed(bytes(one.note), identity).decode()) for one in written]


@transaction.atomic
def set_aside(case: Case, user: User, *, now: datetime) -> None:
    """Never show this case to `user` again: they know somebody in it, or have another reason.

    Nobody asks which, and there is no mark against them. Safe to repeat. What was set aside by mistake
    comes back by an administrator's hand alone (undoing).
    """
    Case.objects.filter(pk=case.pk, claimed_by=user).update(**_NOBODY)
    Case.objects.filter(pk=case.pk, kept_for=user).update(kept_for=None, kept_until=None)
    _, new = Recusal.objects.get_or_create(case=case, user=user, defaults={"at": now})
    grants.give_back(case, user, now=now)
    Grant.objects.waiting().filter(case=case, user=user).update(ended_at=now, ended_by=user)
    if new:
        audit.record("case:set_aside", subject=case, actor=user.name_in_log, at=now)


def is_aside(case: Case, user: User) -> bool:
    """True where `user` asked never to see this case again."""
    return Recusal.objects.filter(case=case, user=user).exists()


def forget(case: Case) -> None:
    """The report is erased: what was written about it goes too."""
    case.hand_overs.update(note=b"")
    case.undoings.update(reason=b"", answer=b"")
    Case.objects.filter(pk=case.pk).update(**_NOBODY, kept_for=None, kept_until=None)


def _offered(user: User, asked: queue.Asked, *, now: datetime) -> CaseQuerySet:
    """What "the next one" may be: free, not just given back, and not taken away from them."""
    closed = Grant.objects.taken_away().filter(user=user)
    given_back = Grant.objects.filter(
        user=user, scope=Scope.CONTENT, ended_by=user, ended_at__gt=now - RESTS
    )
    free = queue.waiting(asked, user, now=now)
    return (
        free.select_related(None)
        .exclude(claimed_until__gte=now)
        .exclude(pk__in=closed.values("case"))
        .exclude(pk__in=given_back.values("case"))
    )


def _take(free: CaseQuerySet, user: User, *, now: datetime) -> bool:
    kept = {"kept_for": None, "kept_until": None}
    return bool(free.update(claimed_by=user, claimed_until=now + LEASE, **kept))


def _taken(case: Case, user: User, *, now: datetime) -> None:
    audit.record("case:claimed", subject=case, actor=user.name_in_log, at=now)
    grants.open_content(case, user, Purpose.REVIEW, now=now)


def _kept_until(case: Case, now: datetime) -> datetime:
    """A clock is not missed because it waited for one person."""
    first = case.clocks.filter(RUNNING).first()
    left = first.due_at - now if first else KEPT * 2
    return now + max(timedelta(0), min(KEPT, left / 2))


_NOBODY: dict[str, None] = {"claimed_by": None, "claimed_until": None}
