"""A case that waits for somebody outside: it was referred, or the reporter was asked for more.

Its clocks run on. It comes back when she answers, when its follow-up is due, or in time for a clock.
"""

import json
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, F, OuterRef, Q

from haechi import seal
from haechi.errors import CaseClosed, ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases import entitled
from haechi.server.cases.models import Case, For, Pause, State
from haechi.server.reports import vault
from haechi.server.reports.models import Message, Sender
from haechi.server.staff.models import User

# What a person needs to decide before a clock runs out.
BEFORE_A_CLOCK: Final = timedelta(hours=12)
FOLLOW_UP_DAYS: Final = (1, 3, 7, 14)


def pause(
    case: Case,
    waits_for: For,
    *,
    to: str,
    reason: str,
    follow_up: timedelta,
    actor: User,
    now: datetime,
) -> Pause:
    """Take a case out of the queue for a while, inside the caller's transaction.

    to   whom by name; sealed with the reason. Raises ReasonRequired, CaseClosed, CaseClaimed, or
         NotAllowed as for a decision.
    """
    if not reason.strip() or (waits_for != For.REPORTER and not to.strip()):
        raise ReasonRequired(case.pk)
    entitled.may_decide(case, actor)
    won = Case.objects.free_for(actor, now).filter(pk=case.pk, state=State.OPEN)
    if not won.update(state=State.PAUSED, claimed_by=None, claimed_until=None):
        raise entitled.lost(case, State.OPEN)
    note = json.dumps({"to": to.strip(), "reason": reason.strip()}).encode()
    made = Pause.objects.create(
        case=case,
        waits_for=waits_for,
        sealed=seal.seal(note, case.report.recipient),
        asked_by=actor,
        asked_at=now,
        until=back_at(case, follow_up, now=now),
    )
    audit.record(
        "case:paused",
        subject=case,
        actor=actor.name_in_log,
        at=now,
        detail={"for": waits_for.value, "until": made.until.isoformat()},
    )
    return made


def back_at(case: Case, follow_up: timedelta, *, now: datetime) -> datetime:
    """When it comes back by itself: at the follow-up, or while there is time to meet a clock."""
    running = case.clocks.filter(stopped_at=None, due_at__gt=now).values_list("due_at", flat=True)
    ends = [max(due_at - BEFORE_A_CLOCK, now + (due_at - now) / 2) for due_at in running]
    return min([now + follow_up, *ends])


def bring_back(made: Pause, *, by: str, actor: str, now: datetime) -> bool:
    """Put the case into the queue again, inside the caller's transaction. False if it was."""
    if not Pause.objects.going_on().filter(pk=made.pk).update(ended_at=now, ended_by=by):
        return False
    if not Case.objects.filter(pk=made.case_id, state=State.PAUSED).update(state=State.OPEN):
        raise CaseClosed(made.case_id)
    audit.record("case:back", subject=made.case, actor=actor, at=now, detail={"by": by})
    return True


def due(*, now: datetime) -> list[tuple[Pause, str]]:
    """Pauses that are over, each with what ended it: "answer" or "time"."""
    wrote = Message.objects.filter(
        report=OuterRef("case__report"), sender=Sender.REPORTER, sent_at__gt=OuterRef("asked_at")
    )
    answered = (
        Exists(wrote)
        | Q(case__report__news_at__gt=F("asked_at"))
        | Q(case__report__corrected_at__gt=F("asked_at"))
    )
    going_on = Pause.objects.going_on().select_related("case__report")
    back = [(made, "answer") for made in going_on.filter(answered)]
    late = going_on.exclude(answered).filter(until__lte=now)
    return back + [(made, "time") for made in late]


def of(case: Case) -> Pause | None:
    """The pause it is in, or None."""
    return case.pauses.going_on().first()


def note_of(made: Pause) -> tuple[str, str]:
    """To whom by name, and why; empty after an erasure. Raises KeyMissing without the vault."""
    if not made.sealed:
        return "", ""
    identity = vault.identity_of(made.case.report)
    said = json.loads(seal.open_sealed(bytes(made.sealed), identity))
    return said["to"], said["reason"]


def end(case: Case, *, now: datetime) -> None:
    """The report was taken back or erased; nothing comes back."""
    case.pauses.going_on().update(ended_at=now, ended_by="end")


def forget(case: Case, *, now: datetime) -> None:
    """The report is erased: what was written goes."""
    end(case, now=now)
    case.pauses.update(sealed=b"")
