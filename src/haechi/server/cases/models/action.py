"""What a platform is asked to do, what it answers, and what it is asked only to try it out."""

from typing import ClassVar, Literal, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models.decision import Decision
from haechi.server.matching.models import Hosted, Platform, new_token
from haechi.server.withheld import WithheldBinaryField, WithheldCharField

type ActionState = Literal["open", "done", "refused", "withdrawn", "given_up"]


class ActionKind(models.TextChoices):
    """What is asked; on the wire with "content." before it."""

    REMOVE = "remove", _("remove")
    RESTRICT = "restrict", _("restrict")
    RESTORE = "restore", _("restore")


class Outcome(models.TextChoices):
    """What a platform answers."""

    DONE = "done", _("done")
    REFUSED = "refused", _("refused")


class Refusal(models.TextChoices):
    """Why a platform does not do what it was asked."""

    NOT_FOUND = "not_found", _("It cannot find it.")
    LEGAL = "legal_objection", _("It has a legal objection.")
    OTHER = "other", _("It has another reason.")


class ActionQuerySet(models.QuerySet["Action"]):
    """Reads of actions."""

    def open(self) -> Self:
        """Those that still wait for the platform."""
        return self.filter(done_at=None, withdrawn_at=None, refused_at=None, given_up_at=None)

    def refused(self) -> Self:
        """Those that the platform refused, and about which no person has said how it goes on."""
        return self.filter(done_at=None, withdrawn_at=None, given_up_at=None).exclude(
            refused_at=None
        )


class Action(models.Model):
    """One thing a platform is asked to do.

    idempotency_key  sent with every attempt, so that two attempts act once (B21)
    attempts         deliveries tried so far; last_error says how the last one failed
    failing_since    the first attempt that failed since it was last asked anew, or None
    late_at          when somebody was alarmed that it takes so long, or None
    done_at          when the platform confirmed
    refused_at       when the platform refused, and refused_as why; a person says how it goes on
    given_up_at      when a person gave it up; given_up_sealed says why, sealed to the report
    withdrawn_at     when the reporter withdrew before that, or None; it is asked no more then
    appeal_token     names this removal in the address where it can be appealed
    """

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="actions")
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT)
    hosted = models.ForeignKey(Hosted, on_delete=models.PROTECT)
    kind = models.CharField(
        max_length=10, choices=ActionKind.choices, default=ActionKind.REMOVE, db_default="remove"
    )
    idempotency_key = models.CharField(max_length=80, unique=True)
    appeal_token = models.CharField(max_length=40, unique=True, default=new_token)
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = WithheldCharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(null=True)
    late_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refused_as = models.CharField(
        max_length=20, choices=Refusal.choices, blank=True, default="", db_default=""
    )
    given_up_at = models.DateTimeField(null=True)
    given_up_sealed = WithheldBinaryField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = ActionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["decision", "hosted", "kind"], name="one_action_per_content_and_kind"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["platform", "id"],
                condition=Q(done_at=None, withdrawn_at=None, refused_at=None, given_up_at=None),
                name="actions_open",
            )
        ]

    def __str__(self) -> str:
        return self.idempotency_key

    @property
    def state(self) -> ActionState:
        """Where it stands; what is done is done, whatever was said before."""
        if self.done_at is not None:
            return "done"
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.given_up_at is not None:
            return "given_up"
        return "refused" if self.refused_at is not None else "open"


class Answer(models.Model):
    """What a platform said to one action, by either way. The public process writes, the worker takes.

    note_sealed   age envelope of the platform's own words, to the report
    way           "webhook", or the number of the key that asked
    taken_at      when the worker did what follows from it
    """

    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="answers")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reason = models.CharField(max_length=20, choices=Refusal.choices, blank=True, default="")
    note_sealed = models.BinaryField(default=b"")
    way = models.CharField(max_length=20)
    at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["action"], condition=Q(taken_at=None), name="answers_to_take")
        ]

    def __str__(self) -> str:
        return f"{self.outcome} to {self.action_id}"


class Trial(models.Model):
    """A signed message with which a platform tries out its side. It counts nowhere.

    kind        "ping", or a kind of action
    content_id  what the platform is asked about; "" for a ping
    """

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="trials")
    kind = models.CharField(max_length=10)
    content_id = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    last_error = WithheldCharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, default="")
    reason = models.CharField(max_length=20, choices=Refusal.choices, blank=True, default="")

    def __str__(self) -> str:
        return self.idempotency_key
