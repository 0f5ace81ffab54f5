"""Sealed exhibits and their fingerprints."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from haechi.server.evidence import origin_models  # noqa: F401  # Django finds models from here
from haechi.server.evidence.told import ToldKind
from haechi.server.evidence.way import Way
from haechi.server.reports.models import Report


class State(models.TextChoices):
    """How far an exhibit has come."""

    SEALED = "sealed", _("received and sealed")
    FINGERPRINTED = "fingerprinted", _("fingerprinted")
    KEPT = "kept", _("kept, not fingerprinted: it is too long")
    REFUSED = "refused", _("cannot be used as a picture")


class Exhibit(models.Model):
    """One file as it was handed in, kept bit-exact inside an age envelope (B15).

    blob           name in the blob store; the file there is `cipher_sha256`
    way            who sealed it
    sha256, kind   of the plaintext; kind is a haechi.media.Kind, or "" where it is none
    size           of the plaintext, in bytes
    verified_at    since when sha256 and kind are known to be true. What was sealed on the sender's
                   device comes with what her browser says of it; the worker looks when it opens it
    refusal        stable error code where the worker could not use it
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="exhibits")
    number = models.PositiveIntegerField()
    blob = models.CharField(max_length=32, unique=True)
    sha256 = models.BinaryField(max_length=32)
    cipher_sha256 = models.BinaryField(max_length=32)
    size = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    sealed_at = models.DateTimeField()
    way = models.CharField(
        max_length=10, choices=Way.choices, default=Way.SERVER, db_default=Way.SERVER
    )
    verified_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=15, choices=State.choices, default=State.SEALED)
    refusal = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar = ["report", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "number"], name="one_number_per_exhibit")
        ]

    def __str__(self) -> str:
        return f"{self.report_id} exhibit {self.number}"


class Upload(models.Model):
    """A file that a browser seals and sends in pieces; no part of a report yet.

    Nothing of what is in it is known here, not even its name: the page tells that when the report
    is sent (`evidence.uploads`). The row goes when a report takes the file over, or with the file.

    id_digest      SHA-256 of the random id that only the page knows
    page_digest    digest of the page's secret: whose upload it is
    blob           name of the part, and later of the blob
    length         of the whole envelope, as told at the start
    received       bytes that are on the disk
    touched_at     when a page last spoke of it
    cipher_sha256  of the whole envelope, once finished
    """

    id_digest = models.BinaryField(max_length=32, unique=True)
    page_digest = models.BinaryField(max_length=32, db_index=True)
    blob = models.CharField(max_length=32, unique=True)
    length = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    cipher_sha256 = models.BinaryField(max_length=32, null=True)
    started_at = models.DateTimeField()
    touched_at = models.DateTimeField(db_index=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"upload of {self.started_at:%H:%M}"


class FingerprintFields(models.Model):
    """The columns of an image fingerprint, wherever one is kept (haechi.fingerprint).

    sha256, md5   of the file; md5 is None where only fingerprints were told
    pdq           32 bytes, or None where the picture is too uniform to tell
    pdq_quality   0 to 100; under 50 it says little
    embedding     512 int8 values, or None without the copy-detection model
    views         embeddings of crops, 512 bytes each, one after another
    frames        of a video, 37 bytes each (haechi.fingerprint.frames); empty for a still
    """

    sha256 = models.BinaryField(max_length=32)
    md5 = models.BinaryField(max_length=16, null=True)
    pdq = models.BinaryField(max_length=32, null=True)
    pdq_quality = models.PositiveSmallIntegerField(default=0)
    embedding = models.BinaryField(max_length=512, null=True)
    views = models.BinaryField(default=b"")
    frames = models.BinaryField(default=b"", db_default=b"")

    class Meta:
        abstract = True


class Fingerprint(FingerprintFields):
    """The fingerprint of one exhibit.

    turns    PDQ in eight turns, 32 bytes each, upright first; eight more for every further frame
    insets   how many of the last groups of eight are of pictures within the picture
    """

    exhibit = models.OneToOneField(
        Exhibit, on_delete=models.PROTECT, related_name="fingerprint", primary_key=True
    )
    turns = models.BinaryField()
    insets = models.PositiveSmallIntegerField(default=0, db_default=0)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"fingerprint of {self.exhibit_id}"


class Stamp(models.Model):
    """What a time stamp authority answered about the receipt of an exhibit (RFC 3161).

    token       its whole answer, as `openssl ts -verify` reads it
    authority   the address that was asked
    """

    exhibit = models.OneToOneField(
        Exhibit, on_delete=models.CASCADE, related_name="stamp", primary_key=True
    )
    token = models.BinaryField()
    authority = models.CharField(max_length=200)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"stamp of {self.exhibit_id}"


class Flag(models.TextChoices):
    """Why a told fingerprint is in doubt; such a one never becomes a member."""

    NO = "", _("no")
    MANY = "many", _("fits many different pictures")
    HARMLESS = "harmless", _("fits a picture known to be harmless")


class ToldFingerprint(FingerprintFields):
    """A fingerprint that the reporter told instead of sending the file.

    It blocks nothing: nobody here has seen what it stands for (matching.told).

    turns          PDQ in eight turns, 32 bytes each; empty where the browser could not open the file
    flag           why it is in doubt, if it is
    confirmed_at   when a reviewer looked at hosted content that it fits, and had that removed
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="told")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=ToldKind.choices)
    turns = models.BinaryField(default=b"")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    told_at = models.DateTimeField()
    flag = models.CharField(max_length=10, choices=Flag.choices, blank=True, default=Flag.NO)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["report", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["report", "number"], name="one_number_per_told")
        ]

    def __str__(self) -> str:
        return f"{self.report_id} told fingerprint {self.number}"
