"""What the person depicted told us.

In clear stand times, states, the few facets that order the queue, and keyed digests. Whatever she
wrote, and whatever points at a person or a place, is sealed to the report's own age recipient.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.withheld import WithheldBinaryField


class Harm(models.TextChoices):
    """What happened; several may be true."""

    MADE = "made", _("Someone made a fake sexual picture or video")
    SHARED = "shared", _("It was sent to others or posted")
    THREATENED = "threatened", _("Someone threatens to send or post it")
    EXTORTED = "extorted", _("Someone demands money or more pictures")
    SOLD = "sold", _("It is being sold or traded")
    DOXXED = "doxxed", _("A name, number or address is shown with it")
    WATCHED = "watched", _("Someone watches or stalks the person online")


class Age(models.TextChoices):
    """Asked first, and gently; it decides which protection applies."""

    UNDER_18 = "under_18", _("Under 18")
    ADULT = "adult", _("18 or older")
    UNSAID = "unsaid", _("I would rather not say")


class Filer(models.TextChoices):
    """Who sends the report; the questions are put to the person shown, or about them."""

    SELF = "self", _("I am the person who is shown")
    PARENT = "parent", _("I am a parent or guardian")
    LAWYER = "lawyer", _("I am a lawyer")
    HOTLINE = "hotline", _("I work for a hotline or a support centre")
    FRIEND = "friend", _("I am a friend, or somebody they trust")


class State(models.TextChoices):
    """Where a report stands."""

    RECEIVED = "received", _("received")
    LOOKED_AT = "looked_at", _("being looked at")
    DECIDED = "decided", _("decided")
    ERASED = "erased", _("erased")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Report(models.Model):
    """One report.

    recipient     the age recipient everything of this report is sealed to
    wrap_vault    its identity, sealed to the vault
    wrap_code     its identity, sealed to the key derived from the return code
    lookup        slow, peppered digest of the return code (B03)
    wrapped_to    which vault recipients wrap_vault is sealed to (reports.vault.recipients_mark)
    settled_at    when it was decided or withdrawn: the time it is kept runs from here
    sealed        age envelope of the JSON that `reports.story.Story` describes
    submission    hash of the token of one filled-in form: sent twice, it makes one report
    handover      hash of the token that the owner's own code follows from, where somebody else
                  filed and she has taken the report over (B07); None before
    corrected_at  when what was written was last changed, or None
    news_at       when its reporter last added something that nobody at the desk has opened, or None
    danger        somebody may be hurt soon; such a report is read first
    filer         who sent it; how they are allowed to is told in the sealed story
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    submission = models.UUIDField(unique=True)
    received_at = models.DateTimeField()
    language = models.CharField(max_length=10)
    age = models.CharField(max_length=10, choices=Age.choices)
    harms = models.JSONField(default=list)
    danger = models.BooleanField(default=False)
    filer = models.CharField(max_length=10, choices=Filer.choices, default=Filer.SELF)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    recipient = models.CharField(max_length=80)
    wrap_vault = WithheldBinaryField()
    wrapped_to = models.CharField(max_length=16, blank=True, default="", db_default="")
    settled_at = models.DateTimeField(null=True)
    wrap_code = models.BinaryField()
    lookup = models.BinaryField(max_length=32, unique=True)
    sealed = models.BinaryField()
    handover = models.UUIDField(unique=True, null=True)
    corrected_at = models.DateTimeField(null=True)
    news_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["received_at"]),
            models.Index(fields=["news_at"], name="unopened_news", condition=~Q(news_at=None)),
        ]

    def __str__(self) -> str:
        return self.short

    @property
    def short(self) -> str:
        """Eight characters that people can say to each other; no secret."""
        return self.id.hex[:8]

    @property
    def waits_for_owner(self) -> bool:
        """True where somebody else filed it and the person depicted has no code of her own yet."""
        return self.filer != Filer.SELF and self.handover is None

    @property
    def minor(self) -> bool:
        """True when the person depicted said to be under 18."""
        return self.age == Age.UNDER_18

    @property
    def maybe_minor(self) -> bool:
        """True unless the person depicted said to be an adult: silence may be a child's."""
        return self.age != Age.ADULT


class Location(models.Model):
    """One place where the picture is.

    sealed   age envelope of the address as it was typed (UTF-8)
    digest   keyed digest of the normalised address (haechi.fingerprint.address.url_digest)
    """

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="locations")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()
    digest = models.BinaryField(max_length=32, db_index=True)
    added_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["report", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "number"], name="one_number_per_location")
        ]

    def __str__(self) -> str:
        return f"{self.report_id} location {self.number}"


class Visit(models.Model):
    """A reporter looking at her report, for at most two hours.

    token_digest   SHA-256 of the token that only her cookie holds
    sealed         the report's identity, sealed to a key derived from that token: a stolen
                   database opens nothing
    """

    token_digest = models.BinaryField(max_length=32, unique=True)
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="visits")
    sealed = models.BinaryField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"visit of {self.started_at:%H:%M}"


class Hold(models.Model):
    """An authority asked that a report be kept. While one is in force, nothing erases the report.

    sealed       age envelope, to the report, of JSON: why it is kept, on what authority, and why
                 the hold was released
    since, until UTC; until is None where no end was named
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="holds")
    placed_by = models.CharField(max_length=60)
    sealed = models.BinaryField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"hold {self.pk} on {self.report_id}"


class ErasureReason(models.TextChoices):
    """Why a report was erased."""

    ASKED = "asked", _("whoever sent it asked for it")
    EXPIRED = "expired", _("the time it is kept was over")
    ORDERED = "ordered", _("a court or an authority ordered it")


class Tombstone(models.Model):
    """What stays of an erased report: that there was one, and nothing of what it said.

    report       its number; no foreign key, since the row may be gone
    finished_at  None from the destruction of the keys until the last row is gone
    """

    report = models.UUIDField(primary_key=True)
    reason = models.CharField(max_length=10, choices=ErasureReason.choices)
    actor = models.CharField(max_length=60)
    received_at = models.DateTimeField()
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    exhibits = models.PositiveIntegerField(default=0)
    locations = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["begun_at", "report"]

    def __str__(self) -> str:
        return f"erased report {self.short}"

    @property
    def short(self) -> str:
        """As people said it while it was there."""
        return self.report.hex[:8]


class Retention(models.Model):
    """How long reports of one state are kept, where this house differs from retention.DEFAULTS.

    days   counted from Report.settled_at; None keeps them until somebody erases them
    """

    state = models.CharField(max_length=10, choices=State.choices, primary_key=True)
    days = models.PositiveIntegerField(null=True)
    reason = models.TextField()
    changed_by = models.CharField(max_length=60)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.state}: {self.days} days"


class EarlierStory(models.Model):
    """What a report said before it was corrected: kept, and sealed as it was."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="earlier")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()
    replaced_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["report", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "number"], name="one_number_per_story")
        ]

    def __str__(self) -> str:
        return f"{self.report_id} story {self.number}"


class Sender(models.TextChoices):
    """Who wrote a message."""

    REPORTER = "reporter", _("you")
    STAFF = "staff", _("us")


class Message(models.Model):
    """One message between a reporter and the people who work on her report.

    sealed    age envelope of the text (UTF-8), to the report's recipient
    read_at   when the other side first opened it, or None
    """

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="messages")
    number = models.PositiveIntegerField()
    sender = models.CharField(max_length=10, choices=Sender.choices)
    sealed = models.BinaryField()
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["report", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "number"], name="one_number_per_message")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["sender", "sent_at"], name="unread_messages", condition=Q(read_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id} message {self.number}"


class Nudge(models.Model):
    """A wish to be told, by e-mail and without content, that something changed.

    sealed      age envelope of the address, to the report's recipient; only the worker opens it
    changed_at  when something changed that she has not seen, or None
    sent_at     when she was last told, or None; at most once a day
    """

    report = models.OneToOneField(
        Report, on_delete=models.CASCADE, related_name="nudge", primary_key=True
    )
    sealed = models.BinaryField()
    changed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"nudge of {self.report_id}"
