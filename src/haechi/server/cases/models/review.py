"""Second looks: what each person concluded before the other was heard."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models.case import Case
from haechi.server.cases.models.decision import Decision, Verdict
from haechi.server.staff.models import User


class Occasion(models.TextChoices):
    """Why a second person looks."""

    REFUSAL = "refusal", _("nothing is refused by one person alone")
    SAMPLE = "sample", _("drawn by lot, after the decision")


class ReviewQuerySet(models.QuerySet["Review"]):
    """Reads of second looks."""

    def unsettled(self) -> Self:
        """Those that somebody's opinion is still wanted for."""
        return self.filter(settled_at=None)


class Review(models.Model):
    """One occasion on which two people look at the same case, blind.

    decision     what it led to; of a sample, what had been decided already
    settled_at   when nobody's opinion was wanted any more
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviews")
    occasion = models.CharField(max_length=10, choices=Occasion.choices)
    decision = models.OneToOneField(
        Decision, on_delete=models.PROTECT, null=True, related_name="review"
    )
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case"], name="one_unsettled_review", condition=Q(settled_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.occasion} look at {self.case}"


class Opinion(models.Model):
    """What one person concluded; never changed.

    place          1 the first, 2 the second, blind; 3 where they differ, knowing both
    reason_sealed  age envelope, to the report
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="opinions")
    place = models.PositiveSmallIntegerField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    ground = models.CharField(max_length=40)
    reason_sealed = models.BinaryField(default=b"")
    given_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["review", "place"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "place"], name="one_opinion_per_place"),
            models.UniqueConstraint(fields=["review", "user"], name="one_opinion_per_person"),
        ]

    def __str__(self) -> str:
        return f"opinion {self.place} of {self.review}"


class Aside(models.Model):
    """Somebody who has seen what was decided, and so cannot give a blind opinion any more."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="asides")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["review", "user"], name="one_aside_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} aside of {self.review}"


class Sampling(models.Model):
    """How many of a hundred decisions a second person looks at; the newest row counts.

    reason   why an administrator changed it
    """

    percent = models.PositiveSmallIntegerField()
    from_at = models.DateTimeField()
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)

    class Meta:
        ordering: ClassVar = ["-from_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(percent__lte=100), name="at_most_all")
        ]

    def __str__(self) -> str:
        return f"{self.percent} %"
