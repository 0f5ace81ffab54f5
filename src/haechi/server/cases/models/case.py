"""A case: one report under review."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from haechi.server.reports.models import Report
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
# What waits for somebody here: the queue. The index below is over these and no others.
WAITING: Final = (State.OPEN, State.SECOND)
ORDER: Final = ("-minor", "urgent_at", "opened_at", "pk")


class CaseQuerySet(models.QuerySet["Case"]):
    """Reads of cases."""

    def queue(self) -> Self:
        """What waits for somebody, in the order it is worked on (cases.urgency says which)."""
        waiting = self.filter(state__in=WAITING)
        return waiting.select_related("report", "claimed_by", "kept_for").order_by(*ORDER)

    def shown_to(self, user: User) -> Self:
        """Without those that somebody asked never to see again."""
        aside = user.recusals.filter(case=models.OuterRef("pk"))
        return self.exclude(models.Exists(aside))

    def wanted_from(self, user: User) -> Self:
        """Without those whose second look is another's: who gave the first opinion."""
        heard = Case.objects.filter(reviews__settled_at=None, reviews__opinions__user=user)
        return self.exclude(state=State.SECOND, pk__in=heard.values("pk"))

    def free_for(self, user: User, now: datetime) -> Self:
        """Those that nobody else is working on, and that this person may work on."""
        nobody = Q(claimed_by=None) | Q(claimed_by=user) | Q(claimed_until__lt=now)
        return self.filter(nobody).shown_to(user)


class Case(models.Model):
    """One report under review.

    minor          copied from the report: children come first among equals
    claimed_by     who works on it, until claimed_until
    kept_for       whom a colleague gave it to, until kept_until; anybody may take it all the same
    urgent_at      where it stands in the queue: when its time ends, less the hours by which what
                   happened brings it forward (cases.urgency); the same at every moment
    facets         what a filter asks for, in short forms (cases.queue.facets_of)
    """

    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="case")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    minor = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    claimed_until = models.DateTimeField(null=True)
    kept_for = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    kept_until = models.DateTimeField(null=True)
    # Until queue.refresh() has said where it stands, it stands among what is due now.
    urgent_at = models.DateTimeField(db_default=Now())
    facets = ArrayField(models.CharField(max_length=80), default=list)

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "opened_at"]),
            models.Index(
                fields=["-minor", "urgent_at", "opened_at", "id"],
                name="queue_order",
                condition=Q(state__in=("open", "second")),
            ),
            GinIndex(
                fields=["facets"],
                name="queue_facets",
                condition=Q(state__in=("open", "second")),
            ),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"

    def holder(self, now: datetime) -> User | None:
        """Who works on it at this moment, or None."""
        held = self.claimed_until is not None and self.claimed_until >= now
        return self.claimed_by if held else None

    @property
    def decision(self) -> "Decision | None":
        """The decision that stands, or None."""
        return self.decisions.standing().first()
