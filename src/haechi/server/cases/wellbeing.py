"""How much anybody has to look at (B25, B26).

Looking at such pictures harms people who do it all day. Every lift of a veil counts: a budget for
any 24 hours, and a pause after a run of looks. The figures are an employer's to lower; nobody is
asked why a case is given back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.db import transaction

from haechi.errors import BreakNeeded
from haechi.server.audit import services as audit
from haechi.server.cases.models import Look
from haechi.server.evidence import custody
from haechi.server.evidence.models import Exhibit
from haechi.server.staff.models import User

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Budget:
    """How much looking is allowed.

    a_day   looks in any 24 hours
    a_run   looks without a pause
    pause   how long nobody has to look after a run
    """

    a_day: int = 60
    a_run: int = 15
    pause: timedelta = timedelta(minutes=10)


@dataclass(frozen=True)
class Spent:
    """Where somebody stands: looks in the last 24 hours, and until when to rest, or None."""

    looks: int
    rest_until: datetime | None


def spent(user: User, budget: Budget, *, now: datetime) -> Spent:
    """What `user` has looked at, and whether it is time to rest."""
    times = list(
        Look.objects.filter(user=user, at__gt=now - DAY)
        .order_by("-at")
        .values_list("at", flat=True)[: budget.a_day]
    )
    if len(times) >= budget.a_day:
        return Spent(len(times), times[-1] + DAY)
    if _run(times, budget.pause) >= budget.a_run and now < times[0] + budget.pause:
        return Spent(len(times), times[0] + budget.pause)
    return Spent(len(times), None)


@transaction.atomic
def look(
    exhibit: Exhibit,
    user: User,
    budget: Budget,
    *,
    now: datetime,
    beside: Exhibit | None = None,
) -> None:
    """Count one deliberate look before anything is shown. Raises BreakNeeded, with until when.

    beside   a second picture that is shown with it: two pictures are lifted, by one look
    """
    # Of two buttons pressed at once, the second counts the first.
    User.objects.select_for_update().get(pk=user.pk)
    until = spent(user, budget, now=now).rest_until
    if until is not None:
        raise BreakNeeded(until)
    Look.objects.create(user=user, exhibit=exhibit, at=now)
    for shown in (exhibit, beside) if beside is not None else (exhibit,):
        audit.record(
            custody.LIFTED,
            subject=shown,
            actor=user.name_in_log,
            at=now,
            detail={"reason": "review" if beside is None else "compare"},
        )


def _run(times: list[datetime], pause: timedelta) -> int:
    """Looks since the last pause; `times` newest first."""
    for number, (later, earlier) in enumerate(pairwise(times), start=1):
        if later - earlier >= pause:
            return number
    return len(times)
