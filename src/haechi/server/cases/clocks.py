"""Clocks that stand still, and clocks that ran out."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet

from haechi import law
from haechi.server.audit import services as audit
from haechi.server.cases.models import Case, Clock
from haechi.server.reports.models import Report

RUNNING = Q(stopped_at=None, paused_at=None)


def overdue(now: datetime) -> QuerySet[Clock]:
    """Every clock that ran out and still runs, whether or not a worker has seen it yet (B24)."""
    return Clock.objects.filter(RUNNING, due_at__lt=now)


def miss(clock: Clock, *, now: datetime) -> bool:
    """Write down, once, that a clock ran out, inside the caller's transaction."""
    if not Clock.objects.filter(pk=clock.pk, missed_at=None).update(missed_at=now):
        return False
    audit.record(
        "clock:missed",
        subject=clock,
        actor="worker",
        at=now,
        detail={"rule": clock.rule, "due_at": clock.due_at.isoformat()},
    )
    return True


@transaction.atomic
def find_missed(*, now: datetime) -> list[Clock]:
    """Mark and log every clock that ran out unseen; each is returned once."""
    return [clock for clock in overdue(now).filter(missed_at=None) if miss(clock, now=now)]


def to_be_told() -> QuerySet[Clock]:
    """Missed clocks that no mail has told of yet, the earliest first."""
    return Clock.objects.filter(missed_at__isnull=False, told_at=None).order_by("due_at", "pk")


def told(missed: Iterable[Clock], *, now: datetime) -> None:
    """A mail has told of these."""
    Clock.objects.filter(pk__in=[clock.pk for clock in missed], told_at=None).update(told_at=now)


def pause(case: Case, *, now: datetime) -> list[Clock]:
    """Something was asked of the reporter: clocks whose law allows it stand from now on.

    Most laws do not. Inside the caller's transaction; a clock that ran out already stays that way.
    """
    paused = []
    for clock in case.clocks.filter(RUNNING, paused_by=law.ASKED, due_at__gt=now):
        if Clock.objects.filter(RUNNING, pk=clock.pk).update(paused_at=now):
            audit.record("clock:paused", subject=clock, actor="worker", at=now)
            paused.append(clock)
    return paused


def resume(case: Case, *, since: datetime, now: datetime) -> list[Clock]:
    """She answered at `since`: clocks that stood run on, due as much later as they stood.

    Inside the caller's transaction.
    """
    resumed = []
    for clock in case.clocks.filter(stopped_at=None, paused_at__isnull=False):
        stood = max(since, clock.paused_at or since) - (clock.paused_at or since)
        won = Clock.objects.filter(pk=clock.pk, paused_at=clock.paused_at).update(
            paused_at=None, due_at=F("due_at") + stood
        )
        if won:
            audit.record(
                "clock:resumed",
                subject=clock,
                actor="worker",
                at=now,
                detail={"due_at": (clock.due_at + stood).isoformat()},
            )
            resumed.append(clock)
    return resumed


def stand_still(report: Report) -> bool:
    """True while a clock of this report waits for its reporter."""
    return Clock.objects.filter(
        case__report=report, stopped_at=None, paused_at__isnull=False
    ).exists()
