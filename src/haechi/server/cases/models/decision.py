"""What was decided, and why."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models.case import Case
from haechi.server.staff.models import User
from haechi.server.withheld import WithheldBinaryField


class Verdict(models.TextChoices):
    """What a reviewer concludes."""

    REMOVE = "remove", _("remove")
    KEEP = "keep", _("do not remove")


class Ground(models.TextChoices):
    """Why something is removed. The catalogue grows with the policies."""

    DEEPFAKE = "deepfake", _("Sexual deepfake of a person who did not consent")
    INTIMATE = "intimate", _("Intimate picture shared without consent")
    MINOR = "minor", _("Sexual depiction of a person under 18")
    NONE = "none", _("No ground for removal")


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Reads of decisions."""

    def standing(self) -> Self:
        """Those that no appeal has overturned; at most one of a case."""
        return self.filter(overturned_at=None)


class Decision(models.Model):
    """What was decided, by whom, and why. Never changed; an appeal may overturn it.

    reason_sealed   age envelope of the reason, to the report: it may name whom the report is about
    overturned_at   when the reporter's appeal against a refusal was granted, or None; then the case
                    is open again, for another person
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    ground = models.CharField(max_length=20, choices=Ground.choices)
    reason_sealed = WithheldBinaryField()
    actor = models.ForeignKey(User, on_delete=models.PROTECT)
    made_at = models.DateTimeField()
    overturned_at = models.DateTimeField(null=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case"], name="one_standing_decision", condition=Q(overturned_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.verdict} in {self.case}"
