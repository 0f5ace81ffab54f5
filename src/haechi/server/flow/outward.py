"""What is asked of platforms that are ours, and what is asked later."""

import datetime as dt

from django.db import transaction

from haechi.server.cases.models import ActionKind, Case, Decision, Verdict
from haechi.server.flow.acting import act_on_hosted
from haechi.server.flow.noticing import places_outside, send_later
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted
from haechi.server.notices import services as notices
from haechi.server.reports.models import Location
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


@transaction.atomic
def pursue_added(decision: Decision, *, actor: User, now: dt.datetime) -> int:
    """Ask for removal at places that were added after the decision; a person says so, once each.

    Returns for how many somebody is asked now.
    """
    decision = locked(decision.pk)
    report = decision.case.report
    late = {location.pk for location in added_since(decision.case)}
    asked = 0
    outside = [place for place in places_outside(report) if place[0].pk in late]
    for notice in notices.ask(decision, outside, now=now):
        send_later(notice)
        asked += notice.items.count()
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
    return list(late.exclude(notice_items__notice__decision=decision).exclude(digest__in=asked))
