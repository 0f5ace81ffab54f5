"""What an administrator confirmed about a rule of law."""

from typing import ClassVar

from django.db import models

from haechi import law
from haechi.server.withheld import WithheldCharField


class Rule(models.Model):
    """One version of one rule, as somebody here confirmed it. Added, never changed (migration 0006).

    rule      identifier in haechi.law; version 1 follows what was shipped, and each the one before
    runs      False: the rule starts no clocks from here on
    source    where it was read; reason: why it is said anew. Of the law, never of a case
    made_by   who, as the log names people
    The other columns are those of law.Version.
    """

    rule = models.CharField(max_length=60)
    version = models.PositiveIntegerField()
    runs = models.BooleanField()
    amount = models.PositiveIntegerField()
    unit = models.CharField(max_length=20)
    event = models.CharField(max_length=20)
    stopped_by = models.CharField(max_length=10)
    paused_by = models.CharField(max_length=10, blank=True)
    only_minors = models.BooleanField()
    in_force_from = models.DateField()
    in_force_until = models.DateField(null=True)
    source = models.TextField()
    reason = WithheldCharField(max_length=1_000)
    made_by = WithheldCharField(max_length=40)
    made_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["rule", "-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "version"], name="one_rule_per_version")
        ]

    def __str__(self) -> str:
        return f"{self.rule}, version {self.version}"

    def as_version(self) -> law.Version:
        """The row as haechi.law reads it."""
        return law.Version(
            rule=self.rule,
            version=self.version,
            runs=self.runs,
            amount=self.amount,
            unit=self.unit,
            event=self.event,
            stopped_by=self.stopped_by,
            paused_by=self.paused_by,
            only_minors=self.only_minors,
            in_force_from=self.in_force_from,
            in_force_until=self.in_force_until,
            source=self.source,
        )
