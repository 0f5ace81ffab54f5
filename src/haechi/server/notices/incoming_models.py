"""Notices that come in: who is known to send them, what arrived, item by item, what we answered."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from haechi.server.reports.models import Location, Report
from haechi.server.withheld import WithheldBinaryField


class SenderKind(models.TextChoices):
    """What a known sender is."""

    REGULATOR = "regulator", _("An authority")
    HOTLINE = "hotline", _("A hotline or a support centre")
    HAECHI = "haechi", _("Another house that runs Haechi")
    PERSON = "person", _("A person, such as a lawyer or a trusted flagger")


class SenderEvent(models.TextChoices):
    """What a notice of a known sender starts, once it is proven to be theirs."""

    REPORT = "report", _("a report: the clocks of a report run")
    ORDER = "order", _("an order: the clocks of an order run too")


class NoticeSender(models.Model):
    """Somebody whose notices we know by more than a name.

    public_key   Ed25519, Base64, of documents haechi-notice/1; "" for none
    key_digest   SHA-256 of the API key that XARF documents come with; None for none
    mail_domain  domain whose DKIM signature proves a mail theirs, or one whole address; "" for none
    base_url     where their own Haechi takes answers; "" for none
    address      our own mailbox that only they were told, in full; "" for none
    within_h     hours within which we promised them an answer; None for no promise
    language     of receipts and answers by mail
    """

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=SenderKind.choices)
    event = models.CharField(max_length=10, choices=SenderEvent.choices, default=SenderEvent.REPORT)
    public_key = models.CharField(max_length=44, blank=True)
    key_digest = models.BinaryField(max_length=32, null=True, unique=True)
    mail_domain = models.CharField(max_length=254, blank=True)
    base_url = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=254, blank=True)
    within_h = models.PositiveIntegerField(null=True)
    language = models.CharField(max_length=10, default="en")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "notices_sender"
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[name], condition=~Q(**{name: ""}), name=f"one_sender_{name}"
            )
            for name in ("public_key", "mail_domain", "address")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name_in_log(self) -> str:
        """As the log names who did something."""
        return f"sender:{self.pk}"


class Way(models.TextChoices):
    """How a notice came."""

    MAIL = "mail", pgettext_lazy("incoming", "by e-mail")
    SIGNED = "signed", _("from another Haechi, signed")
    XARF = "xarf", _("as XARF, with a key")


class Proof(models.TextChoices):
    """What is known of who sent it."""

    KEY = "key", _("Its signature is that of the known sender.")
    API_KEY = "api_key", _("It came with the key that the known sender was given.")
    DKIM = "dkim", _("Its DKIM signature is good and belongs to the sender's domain.")
    RELAY = "relay", _("Our mail relay checked it: it is from the sender's domain.")
    NONE = "none", _("Nothing proves who sent it. Anybody can write any name as sender.")
    BAD = "bad", _("It bears a DKIM signature that does not fit. It may be forged.")
    UNCLEAR = "unclear", _("Its DKIM signature could not be checked: no answer from the DNS.")


class Stage(models.TextChoices):
    """How far a notice has come."""

    RECEIVED = "received", _("received")
    TAKEN = "taken", _("a case")
    FOLDED = "folded", _("the same as an earlier one")
    WAITING = "waiting", _("waits for a person")
    ASIDE = "aside", _("set aside by a person")
    REPLY = "reply", _("an answer to a notice of ours")


class Form(models.TextChoices):
    """What it was written as."""

    UNREAD = "", _("not read yet")
    NOTICE = "notice", "haechi-notice/1"
    XARF = "xarf", "XARF"
    ARF = "arf", "ARF"
    TEXT = "text", _("free text")


class Incoming(models.Model):
    """One notice as it arrived. Its id becomes that of its report, and is the number we give.

    id           follows from a keyed digest of what names this delivery: come twice, it is one row
    raw          what arrived, sealed to the vault; once there is a report, to that; empty when over
    reading      keyed digest of sender and message (or document); the same again is folded
    items_digest keyed digest of sender and items; the same again within the window is folded
    claimed      whose own address it came to, where nothing proves it theirs
    document     id of the haechi-notice/1 document, or None
    answered     the decision that every item was answered under, or None
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    way = models.CharField(max_length=10, choices=Way.choices)
    received_at = models.DateTimeField()
    raw = WithheldBinaryField()
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.RECEIVED)
    form = models.CharField(max_length=10, choices=Form.choices, blank=True, default=Form.UNREAD)
    proof = models.CharField(max_length=10, choices=Proof.choices, default=Proof.NONE)
    sender = models.ForeignKey(
        NoticeSender, on_delete=models.PROTECT, null=True, related_name="sent"
    )
    claimed = models.ForeignKey(NoticeSender, on_delete=models.PROTECT, null=True, related_name="+")
    report = models.OneToOneField(
        Report, on_delete=models.CASCADE, null=True, related_name="came_as"
    )
    same_as = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="again")
    reading = models.BinaryField(max_length=32, null=True)
    items_digest = models.BinaryField(max_length=32, null=True)
    document = models.UUIDField(null=True)
    unread_parts = models.PositiveIntegerField(default=0)
    taken_at = models.DateTimeField(null=True)
    answered = models.PositiveBigIntegerField(null=True)

    class Meta:
        ordering: ClassVar = ["received_at", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["reading"], name="incoming_reading"),
            models.Index(fields=["items_digest"], name="incoming_items"),
            models.Index(fields=["stage", "received_at"], name="incoming_stage"),
        ]

    def __str__(self) -> str:
        return f"notice in {self.id}"

    @property
    def short(self) -> str:
        """Eight characters that people can say to each other; those of its report."""
        return self.id.hex[:8]

    @property
    def proven(self) -> bool:
        """True where we know that the known sender sent it."""
        return self.sender_id is not None


class Outcome(models.TextChoices):
    """What became of one item; the words of haechi-notice/1."""

    OPEN = "", _("being looked at")
    REMOVED = "removed", _("removed")
    RESTRICTED = "restricted", _("restricted")
    KEPT = "kept", _("not removed")
    NOT_FOUND = "not_found", _("not found here")
    NEED_MORE = "need_more", _("we need to know more")
    REFERRED = "referred", _("referred to who hosts it")


class IncomingItem(models.Model):
    """One item of a notice: one place.

    number   the sender's own number of it, or its place in the list
    settled_at  when `outcome` was last written
    """

    incoming = models.ForeignKey(Incoming, on_delete=models.CASCADE, related_name="items")
    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    outcome = models.CharField(
        max_length=10, choices=Outcome.choices, blank=True, default=Outcome.OPEN
    )
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["incoming", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["incoming", "number"], name="one_number_per_incoming_item"
            )
        ]

    def __str__(self) -> str:
        return f"item {self.number} of {self.incoming_id}"


class AnswerKind(models.TextChoices):
    """What we say to a sender."""

    RECEIPT = "receipt", _("receipt")
    ANSWER = "answer", _("answer")


class IncomingAnswer(models.Model):
    """One receipt or answer. Its id is that of the document, or the name in the Message-ID (B21).

    sealed      age envelope, to the report (or the vault, before there is one), of what is sent;
                empty once the report is erased
    last_error  reply code or kind of the last failure
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    incoming = models.ForeignKey(Incoming, on_delete=models.CASCADE, related_name="answers")
    kind = models.CharField(max_length=10, choices=AnswerKind.choices)
    sealed = models.BinaryField()
    items = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["incoming"], condition=Q(kind="receipt"), name="one_receipt_per_notice"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class ReceiptCount(models.Model):
    """How many receipts one unknown address was sent on one day; so that nobody is flooded.

    address   keyed digest of the address and the day
    """

    address = models.BinaryField(max_length=32, primary_key=True)
    day = models.DateField(db_index=True)
    sent = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"receipts of {self.day}"
