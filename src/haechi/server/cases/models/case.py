"""A case: one report under review."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final, Self

from django.db import models
from django.db.models import Min, Q
from django.utils.translation import gettext_lazy as _

from haechi.server.reports.models import Age, Report
from haechi.server.staff.models import User

if TYPE_CHECKING:
    from haechi.server.cases.models.decision import Decision


class State(models.TextChoices):
    """Where a case stands."""

    OPEN = "open", _("open")
    SECOND = "second", _("waiting for a second look")
    PAUSED = "paused", _("waiting for an answer")
    DECIDED = "decided", _("decided")
    CLOSED = "closed", _("closed without a decision")
    WITHDRAWN = "withdrawn", _("withdrawn")


# Nothing is decided yet: clocks run, and a reporter may object to silence.
UNDECIDED: Final = (State.OPEN, State.SECOND, State.PAUSED)
# What waits for somebody here: the queue.
WAITING: Final = (State.OPEN, State.SECOND)
# Who did not say how old they are comes before who said to be an adult.
AGE_KNOWN = models.Case(
    models.When(report__age=Age.ADULT, then=1), default=0, output_field=models.IntegerField()
)


class CaseQuerySet(models.QuerySet["Case"]):
    """Reads of cases."""

    def queue(self) -> Self:
        """Cases that somebody has to look at, in the order they are worked on.

        People under 18 before all others, then who is in danger, then the least time left; among
        equals those who did not say their age (they may be children), then the oldest.

        Adds `next_due`, the earliest end of a running clock, or None.
        """
        running = Q(clocks__stopped_at=None)
        return (
            self.filter(state__in=WAITING)
            .annotate(next_due=Min("clocks__due_at", filter=running))
            .select_related("report", "claimed_by")
            .order_by(
                "-minor",
                "-report__danger",
                models.F("next_due").asc(nulls_last=True),
                AGE_KNOWN,
                "opened_at",
            )
        )

    def free_for(self, user: User, now: datetime) -> Self:
        """Those that nobody else is working on."""
        return self.filter(Q(claimed_by=None) | Q(claimed_by=user) | Q(claimed_until__lt=now))


class Case(models.Model):
    """One report under review.

    minor          copied from the report: children come first among equals
    claimed_by     who works on it, until claimed_until
    """

    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="case")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    minor = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    claimed_until = models.DateTimeField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "opened_at"])]

    def __str__(self) -> str:
        return f"case {self.pk}"

    @property
    def decision(self) -> "Decision | None":
        """The decision that stands, or None."""
        return self.decisions.standing().first()
