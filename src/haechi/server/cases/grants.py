"""Who may open what a case holds, why, and until when (B17, B18).

A report's words, places and files open only for somebody who said why: taking a case says so, and
anybody else who reviews says it on the case page. A grant ends by itself, with the case given back,
or by another person's hand; then only another person gives it again. Who the reporter is needs a
second person in any case. Every step is in the audit log.
"""

from datetime import datetime, timedelta

from django.db import transaction

from haechi import seal
from haechi.errors import GrantNeeded, GrantRevoked, NotAllowed, OwnRequest, ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases.models import Case, Grant, GrantQuerySet, Purpose, Scope
from haechi.server.reports import vault
from haechi.server.staff.models import User

# A sitting; opening again starts the time anew.
CONTENT_FOR = timedelta(hours=2)
# Long enough to write to her or to a host, too short to forget.
IDENTITY_FOR = timedelta(hours=1)


@transaction.atomic
def open_content(case: Case, user: User, purpose: Purpose, *, now: datetime) -> Grant:
    """Let `user` read the case for two hours.

    Raises GrantRevoked after somebody took it away, NotAllowed where they asked never to see it.
    """
    _lock(case)
    if user.recusals.filter(case=case).exists():
        raise NotAllowed(case.pk)
    last = _of(case, user, Scope.CONTENT).order_by("-pk").first()
    if last is not None and last.taken_away:
        raise GrantRevoked(case.pk)
    until = now + CONTENT_FOR
    if last is not None and last.in_force(now):
        Grant.objects.filter(pk=last.pk).update(until=until)
        return last
    grant = Grant.objects.create(
        case=case,
        user=user,
        scope=Scope.CONTENT,
        purpose=purpose,
        asked_at=now,
        given_by=user,
        given_at=now,
        until=until,
    )
    _log("grant:given", grant, actor=user, now=now)
    return grant


def require(case: Case, user: User, scope: Scope, *, now: datetime) -> None:
    """Raises GrantNeeded unless `user` holds a grant that is in force at `now`."""
    if not holds(case, user, scope, now=now):
        raise GrantNeeded(case.pk)


def holds(case: Case, user: User, scope: Scope, *, now: datetime) -> bool:
    """True while `user` may open this part of the case."""
    return _of(case, user, scope).in_force(now).exists()


@transaction.atomic
def ask_identity(case: Case, user: User, purpose: Purpose, note: str, *, now: datetime) -> Grant:
    """Ask a second person for the reporter's name and contact.

    The note is sealed to the report. Raises ReasonRequired for an empty one, GrantNeeded where the
    case itself is not open to `user`. An earlier request that still waits is returned as it is.
    """
    if not note.strip():
        raise ReasonRequired(case.pk)
    require(case, user, Scope.CONTENT, now=now)
    _lock(case)
    waiting = _of(case, user, Scope.IDENTITY).waiting().first()
    if waiting is not None:
        return waiting
    grant = Grant.objects.create(
        case=case,
        user=user,
        scope=Scope.IDENTITY,
        purpose=purpose,
        note=seal.seal(note.strip().encode(), case.report.recipient),
        asked_at=now,
    )
    _log("grant:asked", grant, actor=user, now=now)
    return grant


def read_note(grant: Grant, *, actor: User, now: datetime) -> str:
    """What was written with a request; the reading is logged first (B23).

    Raises KeyMissing or CannotOpen.
    """
    with transaction.atomic():
        _log("grant:note_read", grant, actor=actor, now=now)
    return seal.open_sealed(bytes(grant.note), vault.identity_of(grant.case.report)).decode()


@transaction.atomic
def approve(grant: Grant, *, actor: User, now: datetime) -> bool:
    """A second person says yes (B18, B23). False if it waits no more. Raises OwnRequest."""
    _another(grant, actor)
    won = Grant.objects.waiting().filter(pk=grant.pk)
    if not won.update(given_by=actor, given_at=now, until=now + IDENTITY_FOR):
        return False
    _log("grant:given", grant, actor=actor, now=now)
    return True


@transaction.atomic
def end(grant: Grant, *, actor: User, now: datetime) -> bool:
    """End a grant or refuse a request; the next request of a page finds it gone (B17).

    False if it had ended before.
    """
    if not Grant.objects.filter(pk=grant.pk, ended_at=None).update(ended_at=now, ended_by=actor):
        return False
    _log("grant:ended", grant, actor=actor, now=now)
    return True


@transaction.atomic
def give_again(grant: Grant, *, actor: User, now: datetime) -> Grant:
    """Another person takes back that a grant was taken away; pressed twice, once.

    Raises OwnRequest, or NotAllowed where there is nothing to take back.
    """
    _another(grant, actor)
    _lock(grant.case)
    last = _of(grant.case, grant.user, Scope.CONTENT).order_by("-pk").first()
    if last is not None and last.pk > grant.pk and last.in_force(now):
        return last
    if not Grant.objects.taken_away().filter(pk=grant.pk).exists():
        raise NotAllowed("nobody took this right away, or it was given again since")
    new = Grant.objects.create(
        case=grant.case,
        user=grant.user,
        scope=Scope.CONTENT,
        purpose=grant.purpose,
        asked_at=now,
        given_by=actor,
        given_at=now,
        until=now + CONTENT_FOR,
    )
    _log("grant:given", new, actor=actor, now=now)
    return new


@transaction.atomic
def give_back(case: Case, user: User, *, now: datetime) -> None:
    """End everything `user` holds of a case: who gives a case back reads it no more."""
    for grant in Grant.objects.in_force(now).filter(case=case, user=user):
        end(grant, actor=user, now=now)


def _of(case: Case, user: User, scope: Scope) -> GrantQuerySet:
    return Grant.objects.filter(case=case, user=user, scope=scope)


def _lock(case: Case) -> None:
    # Two presses of one button make one grant.
    Case.objects.select_for_update().get(pk=case.pk)


def _another(grant: Grant, actor: User) -> None:
    if grant.user_id == actor.pk:
        raise OwnRequest(grant.pk)


def _log(tag: str, grant: Grant, *, actor: User, now: datetime) -> None:
    audit.record(
        tag,
        subject=grant.case,
        actor=actor.name_in_log,
        at=now,
        detail={
            "grant": grant.pk,
            "user": grant.user_id,
            "scope": grant.scope,
            "purpose": grant.purpose,
        },
    )
