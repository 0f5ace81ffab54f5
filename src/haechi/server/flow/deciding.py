"""A reviewer decides, and all that follows: one transaction."""

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.errors import CaseClosed
from haechi.server.cases import services as cases
from haechi.server.cases.models import Case, Decision, Ground, Verdict
from haechi.server.evidence import services as evidence
from haechi.server.flow.intake import match
from haechi.server.flow.jobs import KeepTrying
from haechi.server.flow.known import search_backwards
from haechi.server.flow.outward import deliver_notice, locked, places_outside, remove_hosted
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted
from haechi.server.notices import services as notices
from haechi.server.reports import nudges
from haechi.server.reports.models import Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User

# By then every match process knows the new member (a second), and what was published before that
# can be found by looking backwards.
SWEEP_AFTER_S = 5


@transaction.atomic
def decide(
    case: Case,
    verdict: Verdict,
    ground: Ground,
    *,
    reason: str,
    remove: Iterable[Hosted],
    actor: User,
    now: dt.datetime,
) -> Decision:
    """Record the decision with everything that follows from it: all, or none (B20).

    `remove` is the hosted content the reviewer confirmed. Raises ReasonRequired, CaseClosed or
    CaseClaimed.
    """
    remove = list(remove)
    decision = cases.decide(case, verdict, ground, reason=reason, actor=actor, now=now)
    report = Report.objects.filter(pk=case.report_id).exclude(
        state__in=(ReportState.WITHDRAWN, ReportState.ERASED)
    )
    if not report.update(state=ReportState.DECIDED, settled_at=now):
        raise CaseClosed(case.pk)
    nudges.changed(case.report, now=now)
    cases.stop_clocks(case, "decision", now=now)
    if verdict == Verdict.KEEP:
        cases.stop_clocks(case, "removal", now=now)
        return decision
    for exhibit in case.report.exhibits.all():
        seen = evidence.seen_by_person(exhibit)
        matching.add_member(
            exhibit, seen=seen, case_number=case.pk, actor=actor.name_in_log, now=now
        )
    # What a reporter only told the fingerprint of: as far as the reviewer saw what it fits.
    matching.confirm_told(
        case.report, remove, case_number=case.pk, actor=actor.name_in_log, now=now
    )
    for hosted in remove:
        remove_hosted(decision, hosted, actor=actor.name_in_log, by_machine=False, now=now)
    for location, address in places_outside(case.report):
        notice = notices.draft(decision, location, address, now=now)
        if notice is not None:
            deliver_notice.configure(lock=f"notice-{notice.pk}").defer(notice_id=str(notice.pk))
    search_backwards.defer()
    sweep_copies.configure(schedule_in={"seconds": SWEEP_AFTER_S}).defer(decision_id=decision.pk)
    # With a platform asked, its answer ends the clock; with nobody asked, nothing was removed and
    # the clock runs on.
    if decision.notices.exists() and not decision.actions.exists():
        cases.stop_clocks(case, "removal", now=now)
    return decision


@app.task(name="sweep_copies", retry=KeepTrying())
@transaction.atomic
def sweep_copies(decision_id: int) -> None:
    """Look backwards once more: copies that were posted while people were deciding.

    Acts only where a person has seen every picture of the report, and only on matches a machine
    may act on (index.Policy.certain).
    """
    decision = locked(decision_id)
    report, now = decision.case.report, timezone.now()
    if report.state == ReportState.ERASED:
        return
    match(report, now=now)
    if not all(evidence.seen_by_person(exhibit) for exhibit in report.exhibits.all()):
        return
    for hosted in matching.copies_since(report, decision.made_at):
        if not decision.actions.filter(hosted=hosted).exists():
            remove_hosted(decision, hosted, actor="worker", by_machine=True, now=now)
