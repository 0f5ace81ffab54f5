"""Appeals by whoever posted what was refused or removed."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models import Action
from haechi.server.matching.models import Check
from haechi.server.staff.models import User


class Outcome(models.TextChoices):
    """How an appeal ended."""

    WAITING = "waiting", _("waiting for a person")
    UPHELD = "upheld", _("the decision stands")
    GRANTED = "granted", _("the decision was reversed")


class Appeal(models.Model):
    """One objection, against a refused upload or a removal.

    sealed   what was written, in an age envelope to the vault
    sealed_to   to which vault recipients (reports.vault.recipients_mark)
    answer   what the person who looked at it said; another one than who decided
    """

    check_refused = models.OneToOneField(Check, on_delete=models.PROTECT, null=True)
    action = models.OneToOneField(Action, on_delete=models.PROTECT, null=True)
    sealed = models.BinaryField()
    sealed_to = models.CharField(max_length=16, blank=True, default="", db_default="")
    received_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.WAITING)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)

    class Meta:
        ordering: ClassVar = ["received_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(check_refused=None) ^ Q(action=None), name="against_exactly_one"
            )
        ]

    def __str__(self) -> str:
        return f"appeal {self.pk}"
