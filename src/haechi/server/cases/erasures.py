"""Staff ask that a report be erased; another person agrees or refuses (B23).

What follows from a yes is `flow.agree_to_erasure`: this stage only keeps who asked and who answered.
"""

from datetime import datetime

from django.db import transaction

from haechi import seal
from haechi.errors import OwnRequest, ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases.models import Case, ErasureRequest
from haechi.server.reports import holds, vault
from haechi.server.reports.models import ErasureReason
from haechi.server.staff.models import User


@transaction.atomic
def ask(
    case: Case, reason: ErasureReason, note: str, *, actor: User, now: datetime
) -> ErasureRequest:
    """Ask a second person; pressed twice, once. The note is sealed to the report.

    Raises ReasonRequired for an empty note, LegalHold, ReportErased.
    """
    if not note.strip():
        raise ReasonRequired(case.pk)
    report = holds.lock(case.report)
    holds.check(report, now)
    waiting = case.erasure_requests.waiting().first()
    if waiting is not None:
        return waiting
    request = ErasureRequest.objects.create(
        case=case,
        reason=reason,
        note=seal.seal(note.strip().encode(), report.recipient),
        asked_by=actor,
        asked_at=now,
    )
    _log("erasure:asked", request, actor=actor, now=now)
    return request


def read_note(request: ErasureRequest, *, actor: User, now: datetime) -> str:
    """Who wants it and why; the reading is logged first. Raises KeyMissing, CannotOpen."""
    with transaction.atomic():
        _log("erasure:note_read", request, actor=actor, now=now)
    return seal.open_sealed(bytes(request.note), vault.identity_of(request.case.report)).decode()


def settle(request: ErasureRequest, *, agreed: bool, actor: User, now: datetime) -> bool:
    """Write the answer down, inside the caller's transaction. False where there was one before.

    Who asked may take the request back, but raises OwnRequest when agreeing to it.
    """
    if agreed and request.asked_by_id == actor.pk:
        raise OwnRequest(request.pk)
    waiting = ErasureRequest.objects.waiting().filter(pk=request.pk)
    if not waiting.update(agreed=agreed, settled_by=actor, settled_at=now):
        return False
    _log("erasure:agreed" if agreed else "erasure:refused", request, actor=actor, now=now)
    return True


@transaction.atomic
def refuse(request: ErasureRequest, *, actor: User, now: datetime) -> bool:
    """Say no, or take the own request back. False where it was settled before."""
    return settle(request, agreed=False, actor=actor, now=now)


def _log(tag: str, request: ErasureRequest, *, actor: User, now: datetime) -> None:
    audit.record(
        tag,
        subject=request.case,
        actor=actor.name_in_log,
        at=now,
        detail={"request": request.pk, "reason": request.reason},
    )
