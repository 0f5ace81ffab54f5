"""What is found out about how a picture was made, and what is compared with it for that."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from haechi.server.reports.models import Report


class OriginState(models.TextChoices):
    """How far the examination of one exhibit is."""

    WAITING = "waiting", _("waits or is under way")
    MADE = "made", _("made")
    FAILED = "failed", _("could not be made")


class Origin(models.Model):
    """The forensic report of one exhibit (haechi.forensics), sealed to the report.

    What it answers is nowhere in clear: no queue, count or clock can go by it.

    step, percent  what is being done and how far that is, while it waits
    asked_at       when it was asked for last; whoever finishes an earlier question changes nothing
    problem        stable error code where it could not be made
    sealed         age envelope of the report as JSON, to the report; empty until it is made
    donors         how many pictures it was compared with
    """

    exhibit = models.OneToOneField(
        "evidence.Exhibit", on_delete=models.CASCADE, related_name="origin", primary_key=True
    )
    state = models.CharField(
        max_length=10, choices=OriginState.choices, default=OriginState.WAITING
    )
    step = models.CharField(max_length=40, blank=True, default="")
    percent = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=40, blank=True, default="")
    sealed = models.BinaryField(default=b"")
    donors = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"origin of {self.exhibit_id}"


class Donor(models.Model):
    """A picture that the reporter gave only to be compared with; gone once that is done.

    blob   its sealed file in the store, to the report
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="donors")
    blob = models.CharField(max_length=32, unique=True)
    size = models.BigIntegerField()
    given_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"picture to compare {self.report_id} with"
