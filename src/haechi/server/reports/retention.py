"""How long reports are kept: data with reasons, which a house may change with reasons of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from haechi.errors import SettingRefused
from haechi.server.audit import services as audit
from haechi.server.reports.models import Report, Retention, State

LONGEST_DAYS = 36_500


@dataclass(frozen=True)
class Period:
    """How long reports of one state are kept.

    days     from Report.settled_at; None keeps them until somebody erases them
    """

    state: str
    days: int | None
    reason: str


WITHDRAWN = "withdrawn"
# A report that nobody has settled is never erased by time: somebody still waits for an answer.
DEFAULTS = (
    Period(
        State.DECIDED.value,
        365,
        "Whoever posted it may object for six months (EU Digital Services Act, Article 20(1)); "
        "courts and police get as long again to ask that it be kept.",
    ),
    Period(WITHDRAWN, 30, "Time to change one's mind, or to ask what became of it."),
)


def periods() -> list[Period]:
    """What is in force here, by state."""
    changed = {row.state: row for row in Retention.objects.all()}
    return [
        Period(row.state, row.days, row.reason) if (row := changed.get(told.state)) else told
        for told in DEFAULTS
    ]


@transaction.atomic
def change(state: str, days: int | None, *, reason: str, actor: str, now: datetime) -> None:
    """Keep reports of `state` for `days` from now on. Raises SettingRefused."""
    if state not in {told.state for told in DEFAULTS}:
        raise SettingRefused(state, "is no state whose reports expire")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise SettingRefused("days", f"is from 1 to {LONGEST_DAYS}")
    if not reason.strip():
        raise SettingRefused("reason", "is missing")
    row, _new = Retention.objects.update_or_create(
        state=state,
        defaults={"days": days, "reason": reason.strip(), "changed_by": actor, "changed_at": now},
    )
    audit.record("retention:changed", subject=row, actor=actor, at=now, detail={"days": days})


def due(now: datetime) -> QuerySet[Report]:
    """Reports whose time is over, the oldest first."""
    over = Q(pk=None)
    for period in periods():
        if period.days is not None:
            end = now - timedelta(days=period.days)
            over |= Q(state=period.state, settled_at__lte=end)
    return Report.objects.filter(over).order_by("settled_at", "pk")
