"""A case that somebody set aside by mistake: the same person asks, an administrator answers.

Nobody undoes it alone. Who knows somebody in a case cannot have it back in silence, and nobody is
shown a case against their will: there is nothing to answer before they ask, and no page lists who
set what aside; the log has it. Administrators read no content, so nobody lets themselves in (B11).
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from haechi import seal
from haechi.errors import NotAllowed, OwnRequest, ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases.models import Recusal, Undoing
from haechi.server.reports import holds, vault
from haechi.server.reports.models import Report
from haechi.server.staff.models import Role, User


@dataclass(frozen=True)
class Words:
    """What was written with a request and with its answer."""

    reason: str
    answer: str


@transaction.atomic
def ask(recusal: Recusal, reason: str, *, now: datetime) -> Undoing:
    """Whose recusal it is asks an administrator; pressed twice, once. Sealed to the report.

    Raises ReasonRequired for an empty reason, ReportErased.
    """
    if not reason.strip():
        raise ReasonRequired(recusal.case_id)
    case, user = recusal.case, recusal.user
    report = holds.lock(case.report)
    asked = case.undoings.filter(user=user)
    waiting = asked.filter(settled_at=None).first()
    if waiting is not None:
        return waiting
    if not Recusal.objects.filter(pk=recusal.pk).exists():
        return asked.latest("pk")  # answered while this was written
    made = Undoing.objects.create(
        case=case, user=user, reason=_sealed(reason, report), asked_at=now
    )
    _log("case:undoing_asked", made, actor=user, now=now)
    return made


@transaction.atomic
def settle(undoing: Undoing, *, agreed: bool, why: str, actor: User, now: datetime) -> bool:
    """An administrator agrees, and the case is there again for who asked; or it stays away.

    False where it was answered before. Raises NotAllowed for another role, OwnRequest,
    ReasonRequired for an empty `why`, ReportErased.
    """
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed(actor.pk)
    if undoing.user_id == actor.pk:
        raise OwnRequest(undoing.pk)
    if not why.strip():
        raise ReasonRequired(undoing.pk)
    report = holds.lock(undoing.case.report)
    waiting = Undoing.objects.filter(pk=undoing.pk, settled_at=None)
    answer = _sealed(why, report)
    if not waiting.update(agreed=agreed, answer=answer, settled_by=actor, settled_at=now):
        return False
    if agreed:
        Recusal.objects.filter(case=undoing.case_id, user=undoing.user_id).delete()
    _log("case:shown_again" if agreed else "case:stays_aside", undoing, actor=actor, now=now)
    return True


def read(undoing: Undoing, *, actor: User, now: datetime) -> Words:
    """The words of both; logged first, except for who asked: it is theirs. Raises KeyMissing, CannotOpen."""
    if actor.pk != undoing.user_id:
        with transaction.atomic():
            _log("case:undoing_read", undoing, actor=actor, now=now)
    identity = vault.identity_of(undoing.case.report)
    reason, answer = (
        seal.open_sealed(bytes(part), identity).decode() if part else ""
        for part in (undoing.reason, undoing.answer)
    )
    return Words(reason, answer)


def _sealed(text: str, report: Report) -> bytes:
    return seal.seal(text.strip().encode(), report.recipient)


def _log(tag: str, undoing: Undoing, *, actor: User, now: datetime) -> None:
    audit.record(
        tag,
        subject=undoing.case,
        actor=actor.name_in_log,
        at=now,
        detail={"undoing": undoing.pk, "user": undoing.user_id},
    )
