"""A case that waits for somebody outside."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models.case import Case
from haechi.server.staff.models import User
from haechi.server.withheld import WithheldBinaryField


class For(models.TextChoices):
    """Whom a case waits for."""

    REPORTER = "reporter", _("the person who reported")
    CHILD_PROTECTION = "child", _("a child protection body")
    POLICE = "police", _("the police")
    PLATFORM = "platform", _("another platform")
    OTHER = "other", _("somebody else who helps")


class PauseQuerySet(models.QuerySet["Pause"]):
    """Reads of pauses."""

    def going_on(self) -> Self:
        """Not over yet; at most one of a case."""
        return self.filter(ended_at=None)


class Pause(models.Model):
    """A case was referred, or the reporter was asked for more; meanwhile its clocks run on.

    sealed     age envelope to the report: to whom by name, and why (cases.pauses)
    until      when it comes back by itself: the follow-up, or earlier where a clock needs it
    ended_at   when it came back; ended_by what brought it: answer, time, person
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="pauses")
    waits_for = models.CharField(max_length=10, choices=For.choices)
    sealed = WithheldBinaryField(default=b"")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=10, blank=True)

    objects = PauseQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["asked_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case"], name="one_pause_at_a_time", condition=Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.case} waits for {self.waits_for}"
