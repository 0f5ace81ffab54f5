"""Takedown notices to hosts outside."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models import Decision
from haechi.server.notices import incoming_models  # noqa: F401  # Django finds models from here
from haechi.server.reports.models import Location
from haechi.server.withheld import WithheldCharField


class Receiver(models.Model):
    """Who answers for a host: one row of the directory.

    host     domain name; also answers for names under it
    source   where this address was found
    """

    host = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=120)
    email = models.EmailField()
    source = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class State(models.TextChoices):
    """How far a notice has come."""

    QUEUED = "queued", _("waiting to be sent")
    SENT = "sent", _("sent")
    DROPPED = "dropped", _("not sent: the report was erased")
    WITHDRAWN = "withdrawn", _("withdrawn before it was sent")


class Notice(models.Model):
    """One takedown notice about one location.

    sealed         age envelope of the whole e-mail, to the report's recipient
    receiver_name  sealed with it; in clear stands only whether the directory knew the host
    location       None once the report is erased; then the sealed parts and `answer` are empty too
    answer         the reply code of the receiving mail server, as "250 2.0.0"; last_error likewise
    answer_sealed  all that it said, which is the proof of delivery and may name the place
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="notices")
    location = models.ForeignKey(
        Location, on_delete=models.SET_NULL, null=True, related_name="notices"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    sealed = models.BinaryField()
    from_directory = models.BooleanField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True)
    answer_sealed = models.BinaryField(null=True)
    last_error = WithheldCharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["decision", "location"], name="one_notice_per_location")
        ]

    def __str__(self) -> str:
        return f"notice {self.id}"
