"""Appeals: by whoever posted what was refused or removed, and by whoever reported."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models import Action, Case, Clock, Decision
from haechi.server.matching.models import Check
from haechi.server.staff.models import User


def sum_of_one(*names: str) -> Q:
    """True where exactly one of the columns holds something."""
    found = Q(pk__in=[])
    for name in names:
        others = Q(**{other: None for other in names if other != name})
        found |= ~Q(**{name: None}) & others
    return found


class Outcome(models.TextChoices):
    """How an appeal ended."""

    WAITING = "waiting", _("waiting for a person")
    UPHELD = "upheld", _("the decision stands")
    GRANTED = "granted", _("the decision was reversed")


class Appeal(models.Model):
    """One objection, of a poster or of a reporter, against exactly one thing.

    check_refused  a poster's, against a refused upload; action: against a removal
    kept           a reporter's, against a decision not to remove
    silent         a reporter's, against the silence of a clock that ran out
    sealed         what was written, in an age envelope to the vault, or to the reporter's report
    sealed_to      to which vault recipients a poster's is (reports.vault.recipients_mark)
    answer         what the person who looked at it said to a poster; another one than who decided
    answer_sealed  the same to a reporter, sealed to the report
    """

    check_refused = models.OneToOneField(Check, on_delete=models.PROTECT, null=True)
    action = models.OneToOneField(Action, on_delete=models.PROTECT, null=True)
    kept = models.OneToOneField(Decision, on_delete=models.PROTECT, null=True)
    silent = models.OneToOneField(Clock, on_delete=models.PROTECT, null=True)
    sealed = models.BinaryField()
    sealed_to = models.CharField(max_length=16, blank=True, default="", db_default="")
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.WAITING)
    answer = models.TextField(blank=True)
    answer_sealed = models.BinaryField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)

    class Meta:
        ordering: ClassVar = ["received_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=sum_of_one("check_refused", "action", "kept", "silent"),
                name="against_exactly_one",
            )
        ]

    def __str__(self) -> str:
        return f"appeal {self.pk}"

    @property
    def case(self) -> Case | None:
        """The case a reporter appeals about; None for what a poster appeals."""
        if self.kept is not None:
            return self.kept.case
        return self.silent.case if self.silent is not None else None
