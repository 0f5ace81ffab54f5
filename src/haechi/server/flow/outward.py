"""What is asked of others: platforms that are ours, hosts outside."""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.server.cases.models import ActionKind, Case, Decision, Verdict
from haechi.server.flow.acting import act_on_hosted
from haechi.server.flow.jobs import KeepTrying
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice
from haechi.server.reports import nudges, places
from haechi.server.reports import services as reports
from haechi.server.reports.models import Location, Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User


def locked(decision_id: int) -> Decision:
    """A decision that nobody else asks for removals of meanwhile."""
    found = Decision.objects.select_for_update(of=("self",)).select_related("case__report")
    return found.get(pk=decision_id)


def remove_hosted(
    decision: Decision, hosted: Hosted, *, actor: str, by_machine: bool, now: dt.datetime
) -> None:
    """Ask a platform to remove one piece, or to restrict it, with its statement of reasons."""
    kind = ActionKind.RESTRICT if decision.restriction else ActionKind.REMOVE
    act_on_hosted(decision, hosted, kind, actor=actor, by_machine=by_machine, now=now)


def places_outside(report: Report) -> list[tuple[Location, str]]:
    """Reported locations that a notice can be sent about: hosts that are none of our platforms."""
    ours = {notices.host_of(url) for url in matching.platform_addresses()}
    typed = reports.addresses_of(report)
    addresses = {number: places.link_in(text) for number, text in typed.items()}
    return [
        (location, addresses[location.number])
        for location in report.locations.all()
        if (host := notices.host_of(addresses[location.number])) is not None and host not in ours
    ]


@app.task(name="deliver_notice", retry=KeepTrying())
def deliver_notice(notice_id: str) -> None:
    """Send the notice, keep the receiving server's answer."""
    notice = Notice.objects.select_related("decision__case__report").get(pk=notice_id)
    report = notice.decision.case.report
    if report.state != ReportState.WITHDRAWN:
        notices.deliver(notice, now=timezone.now())
        nudges.changed(report, now=timezone.now())


@transaction.atomic
def pursue_added(decision: Decision, *, actor: User, now: dt.datetime) -> int:
    """Ask for removal at places that were added after the decision; a person says so, once each.

    Returns for how many somebody is asked now.
    """
    decision = locked(decision.pk)
    report = decision.case.report
    late = {location.pk for location in added_since(decision.case)}
    asked = 0
    for location, address in places_outside(report):
        if location.pk in late:
            notice = notices.draft(decision, location, address, now=now)
            if notice is not None:
                deliver_notice.configure(lock=f"notice-{notice.pk}").defer(notice_id=str(notice.pk))
                asked += 1
    for hosted in matching.hosted_at(report, late):
        if not decision.actions.filter(hosted=hosted).exists():
            remove_hosted(decision, hosted, actor=actor.name_in_log, by_machine=False, now=now)
            asked += 1
    return asked


def added_since(case: Case) -> list[Location]:
    """Places added after the decision to remove that nobody was asked about yet."""
    decision = case.decision
    if decision is None or decision.verdict != Verdict.REMOVE:
        return []
    asked = decision.actions.values("hosted__url_digest")
    late = case.report.locations.filter(added_at__gt=decision.made_at)
    return list(late.exclude(notices__decision=decision).exclude(digest__in=asked))
