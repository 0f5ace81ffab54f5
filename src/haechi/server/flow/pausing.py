"""A case waits for somebody outside, and comes back."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.server.cases import clocks, pauses, queue
from haechi.server.cases.models import Case, For, Pause
from haechi.server.flow.returning import write_to_reporter
from haechi.server.reports import holds, nudges
from haechi.server.staff.models import User


@transaction.atomic
def ask_more(
    case: Case,
    missing: str,
    *,
    reason: str,
    follow_up: dt.timedelta,
    actor: User,
    now: dt.datetime,
) -> Pause:
    """Write to the reporter what is missing; the case comes back when she answers, or in time.

    Clocks of laws that let them stand meanwhile do; of the shipped ones none does. Raises
    ReasonRequired, CaseClosed, CaseClaimed, NotAllowed; nothing was sent then.
    """
    holds.take_first(case.report_id)
    made = pauses.pause(
        case, For.REPORTER, to="", reason=reason, follow_up=follow_up, actor=actor, now=now
    )
    write_to_reporter(case.report, missing, actor=actor, now=now)
    clocks.pause(case, now=now)
    queue.refresh(case)
    return made


@transaction.atomic
def refer(
    case: Case,
    waits_for: For,
    *,
    to: str,
    reason: str,
    follow_up: dt.timedelta,
    actor: User,
    now: dt.datetime,
) -> Pause:
    """Keep a case that was referred to somebody else, and come back to it.

    Nothing is sent by this: what is handed over is the reviewer's act, in a package. Raises as
    ask_more() does.
    """
    holds.take_first(case.report_id)
    made = pauses.pause(
        case, waits_for, to=to, reason=reason, follow_up=follow_up, actor=actor, now=now
    )
    nudges.changed(case.report, now=now)
    return made


@transaction.atomic
def go_on(case: Case, *, actor: User, now: dt.datetime) -> bool:
    """Somebody works on a paused case again. False where it waits no more."""
    made = pauses.of(case)
    return made is not None and pauses.bring_back(
        made, by="person", actor=actor.name_in_log, now=now
    )


@app.periodic(cron="* * * * *")
@app.task(name="end_pauses", queueing_lock="end_pauses", pass_context=False)
def end_pauses(timestamp: int) -> None:
    """Every minute: cases whose reporter answered, or whose time has come, are in the queue again."""
    now = timezone.now()
    for made, by in pauses.due(now=now):
        with transaction.atomic():
            pauses.bring_back(made, by=by, actor="worker", now=now)
