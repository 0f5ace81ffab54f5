"""How the queue is ordered, what somebody keeps of it, and what is between a person and a case."""

from typing import ClassVar

from django.db import models

from haechi.server.cases.models.case import Case
from haechi.server.staff.models import User


class Weight(models.Model):
    """By how many hours something brings a case forward, where this house differs from urgency.USUAL.

    name   a key of urgency.USUAL
    """

    name = models.CharField(max_length=20, primary_key=True)
    hours = models.PositiveIntegerField()
    reason = models.TextField()
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.hours} h"


class SavedView(models.Model):
    """Filters of the queue that somebody keeps under a name.

    asked    the filters, as in the page's address; never what somebody searched for
    shared   True where every reviewer sees it
    """

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="views")
    name = models.CharField(max_length=40)
    asked = models.CharField(max_length=300, blank=True)
    shared = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_view_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class Recusal(models.Model):
    """Somebody asked never to be shown a case again. Nobody is asked why, and nobody is told.

    The row goes when an administrator agrees that it was a mistake (Undoing).
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="recusals")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="recusals")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "user"], name="one_recusal_per_person")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} and {self.case}"


class Undoing(models.Model):
    """Who set a case aside by mistake asks that it be undone; an administrator answers (cases.undoing).

    reason, answer   sealed to the report; empty once it is erased
    agreed           None while it waits
    seen_at          when who asked saw the answer, or None
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="undoings")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="undoings")
    reason = models.BinaryField()
    asked_at = models.DateTimeField()
    agreed = models.BooleanField(null=True)
    answer = models.BinaryField(default=b"")
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case", "user"],
                condition=models.Q(settled_at=None),
                name="one_waiting_undoing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.case} to be shown to {self.user_id} again"


class HandOver(models.Model):
    """A case was given to somebody, with a note for whoever works on it next.

    note      sealed to the report, or empty
    read_at   when somebody first read it, or None
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="hand_overs")
    giver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    to = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    note = models.BinaryField(default=b"")
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.case} to {self.to_id}"
