"""What the page of deliveries shows of platforms: what waits, until when, and what was refused."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob

from haechi.errors import HaechiError
from haechi.server.cases import acting, grants
from haechi.server.cases.models import Action, Refusal, Scope
from haechi.server.staff.models import User

AT_MOST = 200


@dataclass(frozen=True)
class Waiting:
    """An action that no platform has answered.

    late      for longer than a platform may take
    next_at   when it is tried again; None where that is now, or where the platform asks by itself
    """

    action: Action
    late: bool
    next_at: datetime | None


@dataclass(frozen=True)
class Refused:
    """An action that a platform refused; `note` is its own words, for whoever opened the case."""

    action: Action
    note: str

    @property
    def why(self) -> str:
        """The reason in words."""
        return str(Refusal(self.action.refused_as).label)

    @property
    def not_found(self) -> bool:
        """A person may agree that it is gone."""
        return self.action.refused_as == Refusal.NOT_FOUND


def waiting(actions: QuerySet[Action], *, now: datetime) -> list[Waiting]:
    """Those among `actions` that wait, oldest first."""
    found = [
        one
        for one in actions.filter(refused_at=None).order_by("created_at", "pk")[:AT_MOST]
        if one.state == "open"
    ]
    tries = _next_tries(found)
    late_before = now - acting.late_after()
    return [
        Waiting(one, one.created_at < late_before, tries.get(one.idempotency_key)) for one in found
    ]


def refused(actions: QuerySet[Action], user: User, *, now: datetime) -> list[Refused]:
    """Those among `actions` that a platform refused and that wait for a person."""
    found = actions.exclude(refused_at=None).order_by("refused_at", "pk")[:AT_MOST]
    return [Refused(one, _note(one, user, now)) for one in found if one.state == "refused"]


def _note(action: Action, user: User, now: datetime) -> str:
    if not grants.holds(action.decision.case, user, Scope.CONTENT, now=now):
        return ""
    try:
        return acting.note_of(action)
    except HaechiError:  # erased meanwhile, or a process without the vault
        return ""


def _next_tries(actions: Iterable[Action]) -> dict[str, datetime | None]:
    """By key, when the job that delivers it runs again."""
    keys = [action.idempotency_key for action in actions if action.platform.webhook_url]
    jobs = ProcrastinateJob.objects.filter(task_name="deliver_action", status="todo", lock__in=keys)
    return {str(job.lock): job.scheduled_at for job in jobs}
