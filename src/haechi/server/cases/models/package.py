"""Evidence that leaves the house: who asked for it, who agreed, to whom it went."""

from typing import ClassVar, Self

from django.db import models

from haechi.server.cases.models.case import Case
from haechi.server.staff.models import User


class PackageQuerySet(models.QuerySet["Package"]):
    """Reads of packages."""

    def waiting(self) -> Self:
        """Asked for, and neither agreed to nor refused."""
        return self.filter(given_at=None, ended_at=None)


class Package(models.Model):
    """One package of evidence for police or a court (B23, B35).

    recipients   age recipients of the receiver, with blanks between; public keys
    sealed       age envelope, to the report: receiver, reason, authority, legal basis (cases.packages)
    asked_by     None where the operator's command made it; given_by likewise
    ended_at     when it was refused
    done, total  bytes, while it is made
    error        code of what stopped the last attempt
    file         its name in the folder of packages; "" before, after it was received, and where the
                 operator said where to write it
    receipt      age envelope, to the report: who says that it arrived, and how
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="packages")
    recipients = models.TextField()
    sealed = models.BinaryField(default=b"")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    error = models.CharField(max_length=60, blank=True, default="")
    made_at = models.DateTimeField(null=True)
    sha256 = models.BinaryField(max_length=32, null=True)
    size = models.BigIntegerField(null=True)
    file = models.CharField(max_length=60, blank=True, default="")
    received_at = models.DateTimeField(null=True)
    receipt = models.BinaryField(default=b"")

    objects = PackageQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"package {self.pk} of {self.case}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The recipients, one by one."""
        return tuple(self.recipients.split())

    @property
    def waits(self) -> bool:
        """True while a second person has not said anything."""
        return self.given_at is None and self.ended_at is None

    @property
    def percent(self) -> int:
        """How far it is."""
        return min(99, 100 * self.done // self.total) if self.total else 0

    @property
    def digest(self) -> str:
        """SHA-256 of the whole as it went out, in hex digits; "" before."""
        return bytes(self.sha256).hex() if self.sha256 else ""
