"""Who may open which part of a case, and who looked at what."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models.case import Case
from haechi.server.evidence.models import Exhibit
from haechi.server.staff.models import User


class Scope(models.TextChoices):
    """What a grant opens."""

    CONTENT = "content", _("what was reported")
    IDENTITY = "identity", _("who reported it")


class Purpose(models.TextChoices):
    """Why somebody opens a case."""

    REVIEW = "review", _("to review it")
    APPEAL = "appeal", _("to answer an appeal")
    HELP = "help", _("to help a colleague with it")
    REPORTER = "reporter", _("to answer or reach the person who reported")
    LAW = "law", _("because a law or a court asks for it")


class GrantQuerySet(models.QuerySet["Grant"]):
    """Reads of grants."""

    def in_force(self, now: datetime) -> Self:
        """Given, not ended, and not over."""
        return self.filter(given_at__isnull=False, ended_at=None, until__gt=now)

    def waiting(self) -> Self:
        """Asked for, and neither given nor refused."""
        return self.filter(given_at=None, ended_at=None)

    def taken_away(self) -> Self:
        """Content grants that somebody else ended and nobody has given again."""
        newer = Grant.objects.filter(
            case=models.OuterRef("case"),
            user=models.OuterRef("user"),
            scope=Scope.CONTENT,
            pk__gt=models.OuterRef("pk"),
        )
        ended = self.filter(scope=Scope.CONTENT, ended_by__isnull=False)
        return ended.exclude(ended_by=models.F("user")).exclude(models.Exists(newer))


class Grant(models.Model):
    """One person's right to open a part of one case (B17, B18).

    note      sealed to the report: why the reporter's name is asked for
    given_by  for content oneself; for an identity a second person
    until     when it ends by itself
    ended_by  who ended it before that: oneself, or somebody else, after whom only another gives it again
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="grants")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    scope = models.CharField(max_length=10, choices=Scope.choices)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    note = models.BinaryField(default=b"")
    asked_at = models.DateTimeField()
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["case", "user", "scope"])]

    def __str__(self) -> str:
        return f"{self.scope} of {self.case} to {self.user_id}"

    @property
    def taken_away(self) -> bool:
        """True when somebody else ended it."""
        return self.ended_at is not None and self.ended_by_id != self.user_id

    def in_force(self, now: datetime) -> bool:
        """True while it opens something."""
        return (
            self.given_at is not None
            and self.ended_at is None
            and self.until is not None
            and self.until > now
        )


class Look(models.Model):
    """One deliberate look of one person at one exhibit (B25)."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.SET_NULL, null=True, related_name="looks")
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "-at"])]

    def __str__(self) -> str:
        return f"look at {self.exhibit_id}"
