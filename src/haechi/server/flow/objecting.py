"""Whoever posted it, or reported it, may object."""

import datetime as dt

from django.db import transaction

from haechi.server.appeals import services as appeals
from haechi.server.appeals.models import Appeal
from haechi.server.appeals.services import Appealable
from haechi.server.flow.acting import restore_hosted
from haechi.server.reports import holds, nudges
from haechi.server.reports.models import Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User


def appeal(subject: Appealable, text: str, *, now: dt.datetime) -> Appeal:
    """Take an appeal in, for another person than who decided."""
    return appeals.receive(subject, text, now=now)


def answer_appeal(
    appealed: Appeal, *, grant: bool, reason: str, actor: User, now: dt.datetime
) -> None:
    """Answer it.

    A poster's appeal, granted, withdraws the bank members behind it, and the platform is asked to put
    back what it removed (B22); a reporter's opens her case
    again, for another person.
    """
    with transaction.atomic():
        decision = appeals.decision_of(appealed)
        case = decision.case if decision is not None else appealed.case
        if case is not None:
            holds.take_first(case.report_id)
        appeals.answer(appealed, grant=grant, reason=reason, actor=actor, now=now)
        if grant and appealed.action is not None:
            restore_hosted(appealed.action, actor=actor, now=now)
        if appealed.case is not None:
            report = appealed.case.report
            if grant and appealed.kept is not None:
                Report.objects.filter(pk=report.pk, state=ReportState.DECIDED).update(
                    state=ReportState.LOOKED_AT
                )
            nudges.changed(report, now=now)
