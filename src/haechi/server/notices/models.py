"""Takedown notices to whoever answers for a place outside, their delivery and what comes back."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from haechi.server.cases.models import Decision
from haechi.server.notices import incoming_models  # noqa: F401  # Django finds models from here
from haechi.server.notices.rechecks import models as recheck_models  # noqa: F401  # likewise
from haechi.server.reports.models import Location
from haechi.server.withheld import WithheldCharField


class Step(models.TextChoices):
    """Who is asked, in the order of the chain (data/chase.json)."""

    PLATFORM = "platform", _("the site itself")
    HOST = "host", _("the company that hosts the site")
    REGISTRAR = "registrar", _("the company that registered its name")
    SEARCH = "search", _("a search engine")
    REGULATOR = "regulator", _("an authority")


class Kind(models.TextChoices):
    """What a notice says."""

    TAKEDOWN = "takedown", _("Takedown notice")
    REMINDER = "reminder", _("Reminder")
    COUNTER = "counter", _("Counter-notice")


class Channel(models.TextChoices):
    """How it travels."""

    HAECHI = "haechi", _("to another Haechi")
    EMAIL = "email", _("by e-mail")
    FORM = "form", _("a form, filled in by hand")


class State(models.TextChoices):
    """How far a notice has come."""

    QUEUED = "queued", _("waiting to be sent")
    HELD = "held", _("waiting for a person")
    SENT = "sent", _("sent")
    REFUSED = "refused", pgettext_lazy("notice", "refused")
    BOUNCED = "bounced", _("came back")
    DROPPED = "dropped", _("not sent: the report was erased")
    WITHDRAWN = "withdrawn", _("withdrawn before it was sent")


class Outcome(models.TextChoices):
    """What a receiver says became of one place (haechi-notice/1)."""

    REMOVED = "removed", _("taken down")
    RESTRICTED = "restricted", _("blocked for some")
    KEPT = "kept", _("left up")
    NOT_FOUND = "not_found", _("not found there")
    NEED_MORE = "need_more", _("more is needed")
    REFERRED = "referred", _("passed on")


class Receiver(models.Model):
    """Who answers for a host: one row of the directory that was added here.

    What is shipped is in data/directory.json; a row added here comes first.

    host        domain name; a platform also answers for names under it
    step        as whom it is written to
    email, form_url, haechi_url   ways to reach it; the first of haechi, email, form that is there
    haechi_key  Ed25519 public key of another Haechi
    language    in which it is written to
    laws        what the law there asks for: regimes of haechi.law ("us_tida")
    country     of an authority
    source, dated   where this was found, and when
    """

    host = models.CharField(max_length=200)
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.PLATFORM)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    form_url = models.URLField(max_length=300, blank=True)
    haechi_url = models.URLField(max_length=300, blank=True)
    haechi_key = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=10, default="en")
    laws = models.JSONField(default=list)
    country = models.CharField(max_length=2, blank=True)
    source = models.CharField(max_length=300)
    dated = models.DateField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["host", "step"], name="one_receiver_per_host_and_step")
        ]

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """What is asked of one receiver after one decision, about one place or 10,000.

    receiver        keyed digest of who it goes to; who that is stands sealed
    parent          the notice that had no answer, where this one chases it
    sealed          age envelope of the letter (notices.letter), to the report's recipient
    message_sealed  the e-mail or document as it was first handed over; every attempt sends the same
    from_directory  False where nobody knew the host and its abuse mailbox is written to
    answer          reply code of the receiving server, as "250 2.0.0"; last_error likewise
    answer_sealed   all that it said, which is the proof of delivery and may name the place
    reference_sealed  the number the receiver gave it
    next_at, next_act   what happens when there is no answer by then: "remind", "escalate"
    answered_at     when somebody, or another Haechi, first answered; None for machines that
                    only say that a mail arrived
    settled_at      when a person or the answers said that nothing is left to chase
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.TAKEDOWN)
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.PLATFORM)
    channel = models.CharField(max_length=10, choices=Channel.choices, default=Channel.EMAIL)
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="followers"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    receiver = models.BinaryField(max_length=32, default=b"")
    sealed = models.BinaryField()
    message_sealed = models.BinaryField(null=True)
    from_directory = models.BooleanField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True)
    answer_sealed = models.BinaryField(null=True)
    last_error = WithheldCharField(max_length=200, blank=True)
    reference_sealed = models.BinaryField(null=True)
    next_at = models.DateTimeField(null=True)
    next_act = models.CharField(max_length=10, blank=True)
    answered_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            # One reminder, and one notice a step and receiver, follow from one silence.
            models.UniqueConstraint(
                fields=["parent", "kind", "step", "receiver"],
                name="one_follower_per_silence",
                condition=~models.Q(receiver=b""),
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_at"], name="notices_due", condition=models.Q(next_at__isnull=False)
            ),
            models.Index(fields=["state", "created_at"], name="notices_by_state"),
        ]

    def __str__(self) -> str:
        return f"notice {self.id}"

    @property
    def runs(self) -> bool:
        """True while silence has a consequence."""
        return self.next_at is not None


class NoticeItem(models.Model):
    """One place of a notice, and what its receiver says became of it.

    number    that of the location, also after the location is gone
    outcome   "" until the receiver said; answered_by "receiver", or who read it at the desk
    """

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="items")
    location = models.ForeignKey(
        Location, on_delete=models.SET_NULL, null=True, related_name="notice_items"
    )
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar = ["notice", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notice", "number"], name="one_item_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} item {self.number}"


class Heard(models.TextChoices):
    """What became of one attempt."""

    BEGUN = "begun", _("begun; what became of it is not known")
    TAKEN = "taken", _("taken")
    LATER = "later", _("not taken now")
    REFUSED = "refused", _("refused for good")


class Attempt(models.Model):
    """One attempt to hand a notice over.

    heard   BEGUN stays where the process died between the server's answer and our commit: the
            next attempt sends the same message under the same name
    code    reply code, naming nothing; said, all of it, sealed to the report
    digest  SHA-256 of the bytes that were handed over
    """

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    heard = models.CharField(max_length=10, choices=Heard.choices, default=Heard.BEGUN)
    code = models.CharField(max_length=60, blank=True)
    said = models.BinaryField(null=True)
    digest = models.BinaryField(max_length=32)

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"attempt {self.pk} at {self.notice_id}"


class ReplyKind(models.TextChoices):
    """What came back."""

    ANSWER = "answer", _("Answer")
    RECEIPT = "receipt", _("Receipt")
    AUTOMATIC = "automatic", _("Automatic reply")
    DELAYED = "delayed", _("Still under way")
    BOUNCE = "bounce", _("Came back: it could not be delivered")


class Reply(models.Model):
    """Something that came back about a notice.

    sealed   age envelope of the mail or document as it came, to the report
    digest   SHA-256 of it: the same mail twice is one reply
    matched  "address" (the notice's own), "thread" (In-Reply-To), "haechi" (signed)
    read_at  when a person at the desk said what it means for each place
    """

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="replies")
    kind = models.CharField(max_length=10, choices=ReplyKind.choices)
    received_at = models.DateTimeField()
    sealed = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    matched = models.CharField(max_length=10)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["notice", "digest"], name="one_reply_per_mail")
        ]

    def __str__(self) -> str:
        return f"reply {self.pk} to {self.notice_id}"


class Standing(models.Model):
    """What this installation says of itself to other Haechis: one row, written by the worker.

    The public site publishes it (/.well-known/haechi.json) and holds no key itself.
    """

    key = models.CharField(max_length=60)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
