"""What was decided, and why."""

import enum
from typing import ClassVar, Final, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models.case import Case
from haechi.server.cases.models.policy import Policy, version_of
from haechi.server.staff.models import User
from haechi.server.withheld import WithheldBinaryField


class Verdict(models.TextChoices):
    """What a reviewer concludes. The last two do not end a case: it waits (cases.pauses)."""

    REMOVE = "remove", _("remove")
    RESTRICT = "restrict", _("restrict who can see it")
    KEEP = "keep", _("do not remove")
    NOT_OURS = "not_ours", _("not our remit")
    REFER = "refer", _("refer to somebody else")
    NEED_MORE = "need_more", _("ask for more")


# What only one person concluded is not decided (B23).
REFUSALS: Final = (Verdict.KEEP, Verdict.NOT_OURS)
# Their reporter may object: not all she asked for was done.
OBJECTIONABLE: Final = (*REFUSALS, Verdict.RESTRICT)
# Something is asked of a platform, on a ground of the catalogue.
ACTING: Final = (Verdict.REMOVE, Verdict.RESTRICT)


class Ground(enum.StrEnum):
    """Keys of the policy catalogue (cases.policies) that the code itself speaks of."""

    DEEPFAKE = "deepfake"
    INTIMATE = "intimate"
    MINOR = "minor"
    NONE = "none"


class Restriction(models.TextChoices):
    """What a platform is asked for instead of a removal; the EU's words for it are in formats."""

    DISABLED = "disabled", _("nobody but the account can see it")
    AGE = "age_restricted", _("only adults can see it")
    LABELLED = "labelled", _("it is labelled")


class Label(models.TextChoices):
    """What is written beside content that stays; the numbers are those of GB 45438."""

    SUSPECTED = "3", _("suspected to be made by AI")
    MAY_BE = "2", _("may be made by AI: whoever posted it said so")
    IS = "1", _("is made by AI: the file itself says so")


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Reads of decisions."""

    def standing(self) -> Self:
        """Those that no appeal has overturned; at most one of a case."""
        return self.filter(overturned_at=None)


class Decision(models.Model):
    """What was decided, by whom, and why. Never changed; an appeal may overturn it.

    ground          key of a policy, or "none"; ground_version which of its versions
    restriction     what is asked for with `restrict`
    label           what is written beside it with the restriction "labelled"
    cited_sealed    age envelope, to the report: findings of the pictures' examination that it rests on
                    (cases.citing); empty where it rests on none
    said_sealed     age envelope, to the report: facts and explanation for statements of reasons where
                    the reviewer wrote them; empty where the fixed words are used
    reason_sealed   age envelope of the reason, to the report: it may name whom the report is about
    overturned_at   when the reporter's appeal against a refusal was granted, or None; then the case
                    is open again, for another person
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    ground = models.CharField(max_length=40)
    ground_version = models.PositiveSmallIntegerField(default=0, db_default=0)
    restriction = models.CharField(
        max_length=20, choices=Restriction.choices, blank=True, default="", db_default=""
    )
    label = models.CharField(
        max_length=1, choices=Label.choices, blank=True, default="", db_default=""
    )
    cited_sealed = WithheldBinaryField(default=b"", db_default=b"")
    said_sealed = WithheldBinaryField(default=b"", db_default=b"")
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

    @property
    def policy(self) -> Policy:
        """Its ground as it read when it was decided. Raises GroundUnknown where it has none."""
        return version_of(self.ground, self.ground_version)

    def get_ground_display(self) -> str:
        """The title of its ground as it read when it was decided, in the reader's language."""
        if self.ground == Ground.NONE:
            return gettext("No ground for removal")
        return self.policy.title
