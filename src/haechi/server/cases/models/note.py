"""What people who work on a case write down for each other."""

from typing import ClassVar

from django.db import models

from haechi.server.cases.models.case import Case
from haechi.server.staff.models import User


class Note(models.Model):
    """One note on one case by one person. Never changed, and gone with the report.

    sealed   age envelope of the text (UTF-8), to the report's recipient
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="notes")
    sealed = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["case", "pk"]

    def __str__(self) -> str:
        return f"note {self.pk} on {self.case}"
