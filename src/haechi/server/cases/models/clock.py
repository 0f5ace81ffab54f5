"""The time the law leaves."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q

from haechi.server import words
from haechi.server.cases.models.case import Case


class Clock(models.Model):
    """The time left to act on one case under one rule of law.

    rule         identifier in haechi.law; `law`, `action` and `source` are kept as they read then
    rule_version the version of the rule it runs under, whatever is confirmed later (models.rule)
    started_at, due_at  UTC. due_at moves only by the time a clock stood; more time is a new clock
                 with a reason.
    paused_by    law.ASKED where the law lets it stand while the reporter is asked, or ""
    paused_at    since when it stands, or None
    stopped_at   UTC, or None while it runs
    missed_at    when it was found to have run out, or None; told_at when a mail said so
    stopped_by   what ends it: "removal" or "decision"
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="clocks")
    rule = models.CharField(max_length=60)
    rule_version = models.PositiveIntegerField(default=0)
    law = models.CharField(max_length=200)
    jurisdiction = models.CharField(max_length=10)
    action = models.TextField()
    source = models.TextField()
    why = models.TextField()
    stopped_by = models.CharField(max_length=10)
    paused_by = models.CharField(max_length=10, blank=True, default="")
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    missed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["due_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "rule"], name="one_clock_per_rule")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="running_clocks",
                condition=Q(stopped_at=None),
            ),
            models.Index(
                fields=["missed_at"],
                name="missed_clocks",
                condition=Q(missed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} of case {self.case_id}"

    @property
    def law_in_words(self) -> str:
        """The name of the law, in the reader's language where we have it."""
        return words.law_name(self.rule, self.law)

    @property
    def action_in_words(self) -> str:
        """What the law asks for, in the reader's language where we have it."""
        return words.law_action(self.rule, self.action)

    def overdue(self, now: datetime) -> bool:
        """True when it ran out before it was stopped."""
        return (self.stopped_at or now) > self.due_at
