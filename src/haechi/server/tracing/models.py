"""What AI services made, by whose account, and who asked.

The public process writes accounts and generations down and cannot open an account: that is sealed to
the vault. A generation has no word of a person; its prompt and its number are kept as keyed digests.
"""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from haechi.server.evidence.models import FingerprintFields
from haechi.server.matching.models import Platform
from haechi.server.staff.models import User
from haechi.server.withheld import WithheldBinaryField


class SealedToVault(models.Model):
    """Something that only who holds the vault reads.

    sealed     age, to the vault's recipients
    sealed_to  which recipients those were (reports.vault.recipients_mark)
    """

    sealed = WithheldBinaryField()
    sealed_to = models.CharField(max_length=16)

    class Meta:
        abstract = True


class Account(SealedToVault):
    """One account of one service, as the service names it.

    digest   keyed; of service and account together, so that equal names at two services are two
    """

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="accounts")
    digest = models.BinaryField(max_length=32)
    first_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform", "digest"], name="one_row_per_account")
        ]

    def __str__(self) -> str:
        return f"account {self.pk} of {self.platform_id}"


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Reads of generations."""

    def over(self, now: datetime) -> Self:
        """Those whose time is over, and that no law keeps."""
        return self.filter(expires_at__lte=now).free(now)

    def free(self, now: datetime) -> Self:
        """Those that no law keeps."""
        return self.filter(Q(held_until=None) | Q(held_until__lte=now))


class Generation(FingerprintFields):
    """One file that a service made.

    The fingerprint is of the file as it was given out; all of it may be missing.

    platform         the service, as in `account`
    trace_id         48 random bits; what the watermark carries
    produce_digest   keyed; of the number in its AIGC label (GB 45438), which the service may choose
    manifest_digest  keyed; of the name of its C2PA manifest
    source_sha256    of the file before it was labelled
    turns            PDQ in eight turns, 32 bytes each
    media_type       as told from the content; "" where no file was sent
    model            which one made it, in the service's words
    prompt_digest    keyed, of the SHA-256 of the prompt: who has the prompt can compare, nobody can read
    held_until       asked about because of a law or a court: kept until then, whatever else is said
    """

    # A service may write down what it made without telling a fingerprint.
    sha256 = models.BinaryField(  # type: ignore[assignment]  # the others need one
        max_length=32, null=True, db_index=True
    )
    # The public process could not have a database's default told back: it reads nothing of this.
    frames = models.BinaryField(default=b"")
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="generations")
    trace_id = models.BigIntegerField(unique=True)
    produce_digest = models.BinaryField(max_length=32, db_index=True)
    manifest_digest = models.BinaryField(max_length=32, null=True, db_index=True)
    source_sha256 = models.BinaryField(max_length=32, null=True, db_index=True)
    turns = models.BinaryField(default=b"")
    media_type = models.CharField(max_length=40, blank=True, default="")
    model = models.CharField(max_length=120)
    prompt_digest = models.BinaryField(max_length=32, null=True)
    made_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    held_until = models.DateTimeField(null=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["platform", "produce_digest"], name="one_row_per_produce_id"
            )
        ]
        # Those that are compared one by one, the newest first (tracing.known).
        indexes: ClassVar = [
            models.Index(
                fields=["-id"], condition=Q(embedding__isnull=False), name="generation_embedded"
            )
        ]

    def __str__(self) -> str:
        return f"generation {self.pk}"


BAND_COLUMNS = tuple(f"band_{number}" for number in range(11))


class Likeness(models.Model):
    """One hash that a record is found by: its PDQ, that of an inset, or of a frame of a video.

    band_0 ..  all of the hash in eleven numbers (tracing.bands), each with an index of its own
    place      0 for the first, and counted on
    """

    pk = models.CompositePrimaryKey("generation", "place")
    generation = models.ForeignKey(
        Generation, on_delete=models.CASCADE, related_name="likenesses", db_index=False
    )
    place = models.PositiveSmallIntegerField()
    band_0 = models.IntegerField(db_index=True)
    band_1 = models.IntegerField(db_index=True)
    band_2 = models.IntegerField(db_index=True)
    band_3 = models.IntegerField(db_index=True)
    band_4 = models.IntegerField(db_index=True)
    band_5 = models.IntegerField(db_index=True)
    band_6 = models.IntegerField(db_index=True)
    band_7 = models.IntegerField(db_index=True)
    band_8 = models.IntegerField(db_index=True)
    band_9 = models.IntegerField(db_index=True)
    band_10 = models.IntegerField(db_index=True)

    def __str__(self) -> str:
        return f"likeness {self.place} of {self.generation_id}"


class Erasure(models.Model):
    """A service asks that all records of one of its accounts be erased; the worker does it.

    done_at   when the last of them was gone; those that a law keeps go when that is over
    erased    how many generations that were
    """

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField(max_length=32)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    erased = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["platform", "digest"],
                condition=Q(done_at=None),
                name="one_waiting_erasure_per_account",
            )
        ]

    def __str__(self) -> str:
        return f"erasure {self.pk} asked by {self.platform_id}"


class Purpose(models.TextChoices):
    """Why somebody asks who made a file."""

    CASE = "case", _("because of a case here")
    LAW = "law", _("because a law or a court asks for it")
    SERVICE = "service", _("because the service that may have made it asks")


class Inquiry(SealedToVault):
    """Somebody asked which service and account made a file. The file itself is not kept.

    sealed        why, in their own words
    asked_by      None where the operator asked on the command line
    case_number   of the case it is about, if it is about one of ours
    file_digest   keyed; of the file's SHA-256
    held_by       who agreed that what it met is held for a law or a court (holding)
    """

    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    case_number = models.BigIntegerField(null=True)
    file_digest = models.BinaryField(max_length=32)
    held_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    held_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"inquiry {self.pk}"


class Way(models.TextChoices):
    """By what a record was found, the surest first."""

    FILE = "file", _("it is that very file")
    WATERMARK = "watermark", _("the invisible mark in the picture")
    C2PA = "c2pa", _("the signed statement in the file (C2PA)")
    AIGC = "aigc", _("the number in the file's AI label")
    FINGERPRINT = "fingerprint", _("it looks like the recorded picture")


class Strength(models.TextChoices):
    """How far that goes."""

    STRONG = "strong", _("strong")
    FAIR = "fair", _("fair")
    WEAK = "weak", _("weak")


class Finding(models.Model):
    """One record that an inquiry met.

    ways    every way that leads to it, the surest first, separated by spaces
    alike   what the fingerprints of the two say; None where there is nothing to compare
    """

    inquiry = models.ForeignKey(Inquiry, on_delete=models.CASCADE, related_name="findings")
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="findings")
    ways = models.CharField(max_length=60)
    strength = models.CharField(max_length=10, choices=Strength.choices)
    alike = models.BooleanField(null=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["inquiry", "generation"], name="one_finding_per_generation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.inquiry_id} met {self.generation_id}"

    @property
    def way_words(self) -> list[str]:
        """The ways, in words."""
        return [str(Way(each).label) for each in self.ways.split()]


class NamingQuerySet(models.QuerySet["Naming"]):
    """Reads of namings."""

    def waiting(self) -> Self:
        """Asked for, and neither given nor refused."""
        return self.filter(given_at=None, ended_at=None)

    def in_force(self, now: datetime) -> Self:
        """Given, not ended, and not over."""
        return self.filter(given_at__isnull=False, ended_at=None, until__gt=now)


class Naming(SealedToVault):
    """One person's right to be told which account made something (B18, B23).

    sealed    why the account must be named
    given_by  a second person, always
    """

    inquiry = models.ForeignKey(Inquiry, on_delete=models.CASCADE, related_name="namings")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="namings")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = NamingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["inquiry", "account", "asked_by"],
                condition=Q(given_at=None, ended_at=None),
                name="one_waiting_naming_per_person",
            )
        ]

    def __str__(self) -> str:
        return f"naming {self.pk} of account {self.account_id}"
