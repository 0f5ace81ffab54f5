"""An erasure that staff ask for: one person asks, another agrees (B23)."""

from typing import ClassVar, Self

from django.db import models

from haechi.server.cases.models.case import Case
from haechi.server.reports.models import ErasureReason
from haechi.server.staff.models import User


class ErasureRequestQuerySet(models.QuerySet["ErasureRequest"]):
    """Reads of requests."""

    def waiting(self) -> Self:
        """Nobody has agreed or refused."""
        return self.filter(settled_at=None)


class ErasureRequest(models.Model):
    """Somebody here asks that a report be erased, before its time.

    note         sealed to the report: who wants it, and why; empty once it is erased
    agreed       what the second person said, or None while it waits
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="erasure_requests")
    reason = models.CharField(max_length=10, choices=ErasureReason.choices)
    note = models.BinaryField(default=b"")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    agreed = models.BooleanField(null=True)
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)

    objects = ErasureRequestQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(settled_at=None),
                name="one_waiting_erasure_per_case",
            )
        ]

    def __str__(self) -> str:
        return f"erasure of {self.case} asked for"
