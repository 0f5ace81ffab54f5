"""Case, clocks, decision, and the actions it asks of platforms."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Min, Q
from django.utils.translation import gettext_lazy as _

from haechi.server import words
from haechi.server.evidence.models import Exhibit
from haechi.server.matching.models import Hosted, Platform, new_token
from haechi.server.reports.models import Age, Report
from haechi.server.staff.models import User
from haechi.server.withheld import WithheldBinaryField, WithheldCharField


class State(models.TextChoices):
    """Where a case stands."""

    OPEN = "open", _("open")
    DECIDED = "decided", _("decided")
    CLOSED = "closed", _("closed without a decision")
    WITHDRAWN = "withdrawn", _("withdrawn")


# Who did not say how old they are comes before who said to be an adult.
AGE_KNOWN = models.Case(
    models.When(report__age=Age.ADULT, then=1), default=0, output_field=models.IntegerField()
)


class CaseQuerySet(models.QuerySet["Case"]):
    """Reads of cases."""

    def queue(self) -> Self:
        """Open cases in the order they are worked on.

        People under 18 before all others, then who is in danger, then the least time left; among
        equals those who did not say their age (they may be children), then the oldest.

        Adds `next_due`, the earliest end of a running clock, or None.
        """
        running = Q(clocks__stopped_at=None)
        return (
            self.filter(state=State.OPEN)
            .annotate(next_due=Min("clocks__due_at", filter=running))
            .select_related("report", "claimed_by")
            .order_by(
                "-minor",
                "-report__danger",
                models.F("next_due").asc(nulls_last=True),
                AGE_KNOWN,
                "opened_at",
            )
        )


class Case(models.Model):
    """One report under review.

    minor          copied from the report: children come first among equals
    claimed_by     who works on it, until claimed_until
    """

    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="case")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    minor = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    claimed_until = models.DateTimeField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "opened_at"])]

    def __str__(self) -> str:
        return f"case {self.pk}"

    @property
    def decision(self) -> "Decision | None":
        """The decision that stands, or None."""
        return self.decisions.standing().first()


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


class Clock(models.Model):
    """The time left to act on one case under one rule of law.

    rule         identifier in haechi.law; `law`, `action` and `source` are kept as they read then
    started_at, due_at  UTC. due_at never moves; more time is a new clock with a reason.
    stopped_at   UTC, or None while it runs
    missed_at    when it was found to have run out, or None
    stopped_by   what ends it: "removal" or "decision"
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="clocks")
    rule = models.CharField(max_length=60)
    law = models.CharField(max_length=200)
    jurisdiction = models.CharField(max_length=10)
    action = models.TextField()
    source = models.TextField()
    why = models.TextField()
    stopped_by = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    missed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["due_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "rule"], name="one_clock_per_rule")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="running_clocks",
                condition=Q(stopped_at=None, missed_at=None),
            )
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


class Action(models.Model):
    """One thing a platform is asked to do.

    idempotency_key  sent with every attempt, so that two attempts act once (B21)
    attempts         deliveries tried so far; last_error says how the last one failed
    done_at          when the platform confirmed
    withdrawn_at     when the reporter withdrew before that, or None; it is asked no more then
    appeal_token     names this removal in the address where it can be appealed
    """

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="actions")
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT)
    hosted = models.ForeignKey(Hosted, on_delete=models.PROTECT)
    idempotency_key = models.CharField(max_length=80, unique=True)
    appeal_token = models.CharField(max_length=40, unique=True, default=new_token)
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = WithheldCharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["decision", "hosted"], name="one_action_per_content")
        ]

    def __str__(self) -> str:
        return self.idempotency_key
