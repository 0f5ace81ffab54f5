"""What was seen at a place outside, look by look."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.reports.models import Location
from haechi.server.withheld import WithheldBinaryField


class Seen(models.TextChoices):
    """What one look found. Only GONE ever counts as gone."""

    GONE = "gone", _("gone")
    THERE = "there", _("still there")
    EDITED = "edited", _("there as an edited copy")
    BLOCKED = "blocked", _("not shown from here")
    LOGIN = "login", _("behind a login")
    UNREACHABLE = "unreachable", _("could not be looked at")


class Basis(models.TextChoices):
    """What says so."""

    STATUS = "status", _("by what the server answered")
    PICTURE = "picture", _("by the pictures there, compared with the report's")
    PAGE = "page", _("the page answers; its pictures could not be compared")
    ROBOTS = "robots", _("the site asks machines not to look")
    NONE = "none", _("no usable answer")


class Recheck(models.Model):
    """One look at one place. Never changed.

    step          which of the schedule's looks this was; None for one that a person asked for
    status        of the last answer, or None
    sealed        age envelope of what points at the place (JSON: final address, why), to the report
    warc_sealed   the page as it was, as a WARC file, where somebody asked to keep it; or None
    warc_sha256   of that file, before it was sealed
    """

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="rechecks")
    at = models.DateTimeField()
    step = models.PositiveIntegerField(null=True)
    seen = models.CharField(max_length=12, choices=Seen.choices)
    basis = models.CharField(max_length=10, choices=Basis.choices)
    status = models.PositiveIntegerField(null=True)
    sealed = WithheldBinaryField()
    warc_sealed = WithheldBinaryField(null=True)
    warc_sha256 = WithheldBinaryField(max_length=32, null=True)

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["location", "step"], name="one_look_per_step", condition=~Q(step=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.seen} at {self.location_id}"
