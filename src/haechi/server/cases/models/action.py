"""What a platform is asked to do."""

from typing import ClassVar

from django.db import models

from haechi.server.cases.models.decision import Decision
from haechi.server.matching.models import Hosted, Platform, new_token
from haechi.server.withheld import WithheldCharField


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
