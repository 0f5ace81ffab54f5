"""A reviewer decides, and all that follows: one transaction."""

import datetime as dt
from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.errors import CaseClosed, CaseError, NotAllowed
from haechi.server.cases import alike, deciding, reviews
from haechi.server.cases import services as cases
from haechi.server.cases.models import ACTING, REFUSALS, Case, Decision, Verdict
from haechi.server.cases.models import State as CaseState
from haechi.server.cases.ruling import Ruling, Said, said_in
from haechi.server.evidence import services as evidence
from haechi.server.flow import noticing
from haechi.server.flow.intake import match
from haechi.server.flow.jobs import KeepTrying
from haechi.server.flow.known import search_backwards
from haechi.server.flow.outward import locked, remove_hosted
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted
from haechi.server.reports import holds, nudges
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
    ground: str,
    *,
    reason: str,
    remove: Iterable[Hosted],
    actor: User,
    now: dt.datetime,
    restriction: str = "",
    said: Said = Said(),  # noqa: B008  # frozen
    label: str = "",
    cites: tuple[str, ...] = (),
) -> Decision:
    """Record what one person decides alone, with everything that follows: all, or none (B20).

    `remove` is the hosted content the reviewer confirmed. Raises ReasonRequired, GroundUnknown,
    SecondNeeded (two people refuse: judge()), StatementRefused, CaseClosed, CaseClaimed, NotAllowed.
    """
    holds.take_first(case.report_id)
    ruling = Ruling(verdict, ground, reason, restriction, said, label, cites)
    decision = deciding.decide(case, ruling, actor=actor, now=now)
    _follow(decision, remove, actor=actor, now=now)
    reviews.draw(decision, now=now)
    return decision


@transaction.atomic
def judge(
    case: Case,
    ruling: Ruling,
    *,
    remove: Iterable[Hosted],
    place: int,
    actor: User,
    now: dt.datetime,
) -> Decision | None:
    """What one person concludes; None where a second must look before anything is decided (B23).

    place   which opinion the page was for (reviews.place_of): 1 the first, 2 blind, 3 knowing both.
    Raises what decide() raises, and AlreadyLooked.
    """
    holds.take_first(case.report_id)
    if place == reviews.FIRST and ruling.verdict not in REFUSALS:
        return decide(
            case,
            ruling.verdict,
            ruling.ground,
            reason=ruling.reason,
            remove=remove,
            actor=actor,
            now=now,
            restriction=ruling.restriction,
            said=ruling.said,
            label=ruling.label,
            cites=ruling.cites,
        )
    opinion = reviews.give(case, ruling, place=place, actor=actor, now=now)
    if not reviews.decides(opinion, ruling):
        return None
    decision = deciding.record(case, ruling, state=CaseState.SECOND, actor=actor, now=now)
    reviews.settle(opinion.review, decision, now=now)
    _follow(decision, remove, actor=actor, now=now)
    return decision


def decide_alike(
    decision: Decision, numbers: Collection[int], *, reason: str, actor: User, now: dt.datetime
) -> tuple[list[Decision], list[Case]]:
    """Decide open cases of exact copies as `decision` was: each for itself, with a record of its own.

    numbers  keys of cases; those that cases.alike does not offer are passed over
    reason   what stands with each; not the words of the first, which speak of another's report

    Only whoever made the decision, has lifted the veil of every exhibit, and asked something of
    platforms or hosts; else NotAllowed. A platform is asked for what was confirmed with the decision
    and is still up. Gives what was decided, and the cases that somebody else was faster with.
    """
    case = decision.case
    seen = all(evidence.seen_by_person(exhibit) for exhibit in case.report.exhibits.all())
    if (
        decision.actor != actor
        or decision.verdict not in ACTING
        or not seen
        or case.decision != decision
    ):
        raise NotAllowed("whoever decided, and has seen the pictures, may decide copies alike")
    confirmed = decision.actions.values("hosted")
    made, lost = [], []
    for other in alike.waiting(case, actor, now=now).filter(pk__in=numbers)[: alike.AT_MOST]:
        try:
            made.append(
                decide(
                    other,
                    Verdict(decision.verdict),
                    decision.ground,
                    reason=reason,
                    remove=matching.hosted_of(other.report).filter(pk__in=confirmed),
                    actor=actor,
                    now=now,
                    restriction=decision.restriction,
                    said=said_in(decision),
                    label=decision.label,
                )
            )
        except CaseError:
            lost.append(other)
    return made, lost


def _follow(decision: Decision, remove: Iterable[Hosted], *, actor: User, now: dt.datetime) -> None:
    """All that a decision causes, inside its transaction."""
    case = decision.case
    report = Report.objects.filter(pk=case.report_id).exclude(
        state__in=(ReportState.WITHDRAWN, ReportState.ERASED)
    )
    if not report.update(state=ReportState.DECIDED, settled_at=now):
        raise CaseClosed(case.pk)
    nudges.changed(case.report, now=now)
    cases.stop_clocks(case, "decision", now=now)
    if decision.verdict in REFUSALS:
        cases.stop_clocks(case, "removal", now=now)
        return
    remove = list(remove)
    for hosted in remove:
        remove_hosted(decision, hosted, actor=actor.name_in_log, by_machine=False, now=now)
    if decision.verdict == Verdict.REMOVE:
        _keep_down(decision, remove, actor=actor, now=now)
    # With a platform asked, its answer ends the clock; with nobody asked, nothing was removed and
    # the clock runs on. Where places outside are looked at again, it ends when they are seen to be
    # gone (rechecking); otherwise a notice is all that can be done.
    looked_at = settings.HAECHI.rechecks
    if not looked_at and decision.notices.exists() and not decision.actions.exists():
        cases.stop_clocks(case, "removal", now=now)


def _keep_down(decision: Decision, remove: list[Hosted], *, actor: User, now: dt.datetime) -> None:
    """What only a removal causes: the bank, notices to hosts outside, looking for copies."""
    case = decision.case
    for exhibit in case.report.exhibits.all():
        seen = evidence.seen_by_person(exhibit)
        matching.add_member(
            exhibit, seen=seen, case_number=case.pk, actor=actor.name_in_log, now=now
        )
    # What a reporter only told the fingerprint of: as far as the reviewer saw what it fits.
    matching.confirm_told(
        case.report, remove, case_number=case.pk, actor=actor.name_in_log, now=now
    )
    noticing.ask_hosts(decision, now=now)
    search_backwards.defer()
    sweep_copies.configure(schedule_in={"seconds": SWEEP_AFTER_S}).defer(decision_id=decision.pk)


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
