"""Open a case, run its clocks; cases.claims says who works on it, cases.deciding decides it."""

from collections.abc import Iterable, Set
from datetime import datetime

from django.conf import settings
from django.db import transaction

from haechi import law
from haechi.errors import CaseClosed
from haechi.server.audit import services as audit
from haechi.server.cases import claims, clocks, pauses, queue, reviews, rules
from haechi.server.cases.models import (
    UNDECIDED,
    Action,
    ActionKind,
    Answer,
    Case,
    Clock,
    Decision,
    State,
)
from haechi.server.matching.models import Hosted
from haechi.server.reports.models import Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User


def open_case(report: Report, *, now: datetime) -> Case:
    """Open the report's case, or return the one it has; inside the caller's transaction."""
    case, new = Case.objects.get_or_create(
        report=report, defaults={"opened_at": now, "minor": report.minor}
    )
    if new:
        queue.refresh(case)
        audit.record("case:opened", subject=case, actor="worker", at=now)
    return case


def start_clocks(
    case: Case,
    jurisdictions: Iterable[str],
    *,
    valid: Set[str],
    since: datetime,
    now: datetime,
    event: str = "report",
) -> list[Clock]:
    """Start every clock the law starts for this report.

    event   "report", or "order" where it came from an authority as one (law.EVENTS)
    valid   the rules for which it is a valid request (reports.requirements.rules_completed)
    since   when it was received, or completed later. Runs inside the caller's transaction; a
            clock that runs already is left as it is.
    """
    # Before entries are written, like everybody who changes a case: nobody waits for one another.
    queue.lock(case)
    facts = law.Facts(
        jurisdictions=frozenset(jurisdictions),
        minor=case.report.maybe_minor,
        event=event,
        valid=frozenset(valid),
        bound=settings.HAECHI.bound,
    )
    started = []
    for running in law.clocks_for(facts, at=since, table=rules.current().values()):
        clock, new = Clock.objects.get_or_create(
            case=case,
            rule=running.rule.id,
            defaults={
                "rule_version": running.rule.version,
                "law": running.rule.law,
                "jurisdiction": running.rule.jurisdiction,
                "action": running.rule.action,
                "source": running.rule.source,
                "why": running.why,
                "stopped_by": running.rule.stopped_by or "decision",
                "paused_by": running.rule.paused_by,
                "started_at": running.started_at,
                "due_at": running.due_at,
            },
        )
        if new:
            audit.record(
                "clock:started",
                subject=clock,
                actor="worker",
                at=now,
                detail={
                    "rule": clock.rule,
                    "version": clock.rule_version,
                    "due_at": clock.due_at.isoformat(),
                },
            )
        started.append(clock)
    queue.refresh(case)
    return started


@transaction.atomic
def withdraw(case: Case, *, now: datetime) -> None:
    """The reporter took the report back: nobody decides it, nothing runs, platforms are left alone."""
    if Case.objects.filter(pk=case.pk, state__in=UNDECIDED).update(
        state=State.WITHDRAWN, claimed_by=None, claimed_until=None
    ):
        audit.record("case:withdrawn", subject=case, actor="worker", at=now)
    reviews.end(case, now=now)
    pauses.end(case, now=now)
    for ended_by in ("removal", "decision"):
        stop_clocks(case, ended_by, now=now)
    Action.objects.filter(decision__case=case, done_at=None, withdrawn_at=None).update(
        withdrawn_at=now
    )


def reopen(decision: Decision, *, actor: User, now: datetime) -> None:
    """Overturn a decision, inside the caller's transaction: another person decides anew.

    Clocks that only a removal ends, and that the refusal stopped, run on to the day they were due.
    Raises CaseClosed where the decision no longer stands, or the report was taken back meanwhile.
    """
    # Locked, so that nobody takes it back between this look and the end of the transaction.
    report = Report.objects.select_for_update().get(pk=decision.case.report_id)
    if report.state != ReportState.DECIDED:
        raise CaseClosed(decision.case_id)
    standing = Decision.objects.standing().filter(pk=decision.pk)
    if not standing.update(overturned_at=now):
        raise CaseClosed(decision.case_id)
    Case.objects.filter(pk=decision.case_id).update(
        state=State.OPEN, decided_at=None, claimed_by=None, claimed_until=None
    )
    audit.record("case:reopened", subject=decision.case, actor=actor.name_in_log, at=now)
    for clock in decision.case.clocks.filter(
        stopped_by="removal", stopped_at__gte=decision.made_at
    ):
        Clock.objects.filter(pk=clock.pk).update(stopped_at=None)
        audit.record("clock:resumed", subject=clock, actor="worker", at=now)
    queue.refresh(decision.case)


def stop_clocks(case: Case, ended_by: str, *, now: datetime) -> None:
    """Stop the running clocks that `ended_by` ("removal", "decision") ends.

    One that ran out before, while no worker was there to see it, is missed all the same (B24).
    """
    for clock in case.clocks.filter(stopped_at=None, stopped_by=ended_by):
        if clock.paused_at is None and clock.due_at < now:
            clocks.miss(clock, now=now)
        if Clock.objects.filter(pk=clock.pk, stopped_at=None).update(stopped_at=now):
            audit.record("clock:stopped", subject=clock, actor="worker", at=now)


def forget(report: Report, *, now: datetime) -> bool:
    """The report is erased: close its case and stop its clocks, inside the caller's transaction.

    False where there is none. The decision stays without what was written to explain it: statistics,
    and statements of reasons that the law wants kept, hang on it.
    """
    case = Case.objects.filter(report=report).first()
    if case is None:
        return False
    for clock in case.clocks.filter(stopped_at=None):
        if Clock.objects.filter(pk=clock.pk, stopped_at=None).update(stopped_at=now):
            audit.record("clock:stopped", subject=clock, actor="worker", at=now)
    claims.forget(case)
    Case.objects.filter(pk=case.pk, state__in=UNDECIDED).update(state=State.CLOSED)
    Decision.objects.filter(case=case).update(reason_sealed=b"", said_sealed=b"", cited_sealed=b"")
    reviews.forget(case, now=now)
    pauses.forget(case, now=now)
    Action.objects.filter(decision__case=case).update(given_up_sealed=None)
    Answer.objects.filter(action__decision__case=case).update(note_sealed=b"")
    case.grants.filter(ended_at=None).update(ended_at=now)
    case.grants.update(note=b"")
    case.erasure_requests.update(note=b"")
    case.notes.all().delete()
    return True


def ask_platform(
    decision: Decision,
    hosted: Hosted,
    *,
    kind: ActionKind = ActionKind.REMOVE,
    actor: str,
    now: datetime,
) -> Action:
    """Write down what a platform must do to one piece; delivery is a job of its own."""
    action = Action.objects.create(
        decision=decision,
        platform=hosted.platform,
        hosted=hosted,
        kind=kind,
        idempotency_key=f"{kind}-{decision.pk}-{hosted.pk}",
        created_at=now,
    )
    audit.record(
        "action:asked",
        subject=action,
        actor=actor,
        at=now,
        detail={"platform": hosted.platform_id, "kind": kind.value},
    )
    return action


@transaction.atomic
def confirm_action(action: Action, *, now: datetime, actor: str = "") -> bool:
    """The platform, or `actor`, says it is done. True the first time, False when that was known."""
    won = Action.objects.filter(pk=action.pk, done_at=None).update(done_at=now, last_error="")
    if not won:
        return False
    here = Hosted.objects.filter(pk=action.hosted_id)
    if action.kind == ActionKind.REMOVE:
        here.filter(removed_at=None).update(removed_at=now)
    elif action.kind == ActionKind.RESTORE:
        here.update(removed_at=None)
    who = actor or action.platform.name_in_log
    audit.record("action:done", subject=action, actor=who, at=now)
    case = action.decision.case
    asked = Action.objects.filter(decision=action.decision).exclude(kind=ActionKind.RESTORE)
    if not asked.filter(done_at=None).exists():
        stop_clocks(case, "removal", now=now)
    return True
