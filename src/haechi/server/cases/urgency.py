"""What comes first: when the time of a case ends, less the hours by which what happened brings it forward.

That moment is the same whenever one looks, so that the queue is one walk along an index. The hours
are rows (Weight) where this house differs from USUAL; an administrator changes them with a reason.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction

from haechi.errors import ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases.models import Weight
from haechi.server.reports.models import Harm
from haechi.server.staff.models import User

NO_CLOCK = "no_clock"

# In hours. Danger is meant to come before any clock; the others order what has about the same time
# left. Under no clock of law, a case counts as due three days after it was opened.
USUAL: Mapping[str, int] = {
    "danger": 720,
    "minor": 72,
    "age_unsaid": 6,
    "threat": 24,
    "doxxed": 24,
    "spreading": 12,
    "new": 12,
    NO_CLOCK: 72,
}
MOST_HOURS = 8_760

# Which facets of a case (queue.facets_of) each stands for; any one of them is enough.
CAUSES: Mapping[str, frozenset[str]] = {
    "danger": frozenset({"danger"}),
    "minor": frozenset({"minor"}),
    "age_unsaid": frozenset({"age_unsaid"}),
    "threat": frozenset({Harm.THREATENED.value, Harm.EXTORTED.value}),
    "doxxed": frozenset({Harm.DOXXED.value, Harm.WATCHED.value}),
    "spreading": frozenset({Harm.SHARED.value, Harm.SOLD.value}),
    "new": frozenset({"new"}),
}


def weights() -> dict[str, int]:
    """Hours by name, as they are now."""
    changed = Weight.objects.filter(name__in=USUAL).values_list("name", "hours")
    return {**USUAL, **dict(changed)}


def causes(facets: Collection[str], hours: Mapping[str, int]) -> dict[str, int]:
    """What brings a case with these facets forward, and by how many hours each."""
    return {name: hours[name] for name, any_of in CAUSES.items() if any_of.intersection(facets)}


def urgent_at(
    due_at: datetime | None,
    opened_at: datetime,
    facets: Collection[str],
    hours: Mapping[str, int],
) -> datetime:
    """Where a case stands in the queue. `due_at` is of the running clock that ends first, or None."""
    ends = due_at or opened_at + timedelta(hours=hours[NO_CLOCK])
    return ends - timedelta(hours=sum(causes(facets, hours).values()))


@transaction.atomic
def change_weight(name: str, hours: int, *, reason: str, actor: User, now: datetime) -> None:
    """Change one weight; the queue follows by a job (flow). Raises ReasonRequired.

    `name` is a key of USUAL and `hours` from 0 to MOST_HOURS.
    """
    if not reason.strip():
        raise ReasonRequired(name)
    before = weights()[name]
    row, _ = Weight.objects.update_or_create(
        name=name,
        defaults={
            "hours": hours,
            "reason": reason.strip(),
            "changed_by": actor,
            "changed_at": now,
        },
    )
    audit.record(
        "queue:weight_changed",
        subject=row,
        actor=actor.name_in_log,
        at=now,
        detail={"hours": hours, "before": before},
    )
