"""Statements of reasons."""

from django.db import models

from haechi.server.cases.models import Action


class Statement(models.Model):
    """Why one piece of content was removed, as the EU's database takes it (DSA Art. 17, 24(5)).

    document   made by haechi.formats.statement, valid against its schema, without personal data
    """

    action = models.OneToOneField(Action, on_delete=models.PROTECT, related_name="statement")
    document = models.JSONField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"statement for {self.action}"
