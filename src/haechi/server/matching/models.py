"""Platforms, what they host, what we know, and what was found.

The match service reads and writes these tables by SQL (match_service/store.py); their columns are
its contract. Rows of members and hosted content are never deleted, so that `seq`, which a trigger
sets from one sequence, is all a reader needs to catch up (migration 0002).
"""

import secrets
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from haechi.server.evidence.models import Exhibit, FingerprintFields
from haechi.server.reports.models import Report


def new_token() -> str:
    """128 random bits for an address that only its receiver knows."""
    return secrets.token_urlsafe(16)


class Platform(models.Model):
    """A service that asks the match service and obeys our webhooks.

    key_digest       SHA-256 of its API key
    may_curate       the key may change banks through HMA's API (docs/hma.md)
    webhook_secret   shared secret of the signatures, as bytes
    """

    name = models.CharField(max_length=80, unique=True)
    base_url = models.URLField()
    webhook_url = models.URLField()
    webhook_secret = models.BinaryField()
    key_digest = models.BinaryField(max_length=32, unique=True)
    enabled = models.BooleanField(default=True)
    may_curate = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return self.name

    @property
    def name_in_log(self) -> str:
        """How the audit log names this platform."""
        return f"platform:{self.pk}"


class BankPolicy(models.TextChoices):
    """What a match with a confirmed member does."""

    BLOCK = "block", _("block")
    REVIEW = "review", _("send to review")
    RECORD = "record", _("record only")


class Bank(models.Model):
    """A collection of known pictures with one policy.

    enabled_ratio   0 to 1; the share of questions in HMA's form that it answers
    deleted_at      HMA's API deleted it: disabled, renamed, and listed there no more
    """

    name = models.CharField(max_length=80, unique=True)
    policy = models.CharField(max_length=10, choices=BankPolicy.choices)
    enabled = models.BooleanField(default=True)
    enabled_ratio = models.FloatField(default=1.0, db_default=1.0)
    deleted_at = models.DateTimeField(null=True)
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class MemberStatus(models.TextChoices):
    """Only confirmed members block: a person has seen them."""

    PENDING = "pending", _("pending")
    CONFIRMED = "confirmed", _("confirmed")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Member(FingerprintFields):
    """One known picture, by fingerprint only.

    note, metadata   what a client of HMA's API wrote beside it
    paused_until     it matches nothing before
    """

    # A client of HMA's API may know a hash alone.
    sha256 = models.BinaryField(  # type: ignore[assignment]  # the others need one
        max_length=32, null=True
    )
    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="members")
    status = models.CharField(max_length=10, choices=MemberStatus.choices)
    source = models.CharField(max_length=80)
    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, null=True)
    created_at = models.DateTimeField()
    note = models.CharField(max_length=255, blank=True, default="", db_default="")
    metadata = models.JSONField(null=True)
    paused_until = models.DateTimeField(null=True)
    seq = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "sha256"], name="no_doubles_in_a_bank"),
            models.UniqueConstraint(
                fields=["bank", "pdq", "md5"],
                condition=models.Q(sha256=None),
                nulls_distinct=False,
                name="no_double_hashes_in_a_bank",
            ),
        ]

    def __str__(self) -> str:
        return f"member {self.pk} of {self.bank}"


class Check(FingerprintFields):
    """One upload that a platform asked about, and what it was told.

    label          what the platform calls the upload
    appeal_token   names a refusal in the address where it can be appealed
    """

    # A platform may ask with a PDQ alone.
    sha256 = models.BinaryField(  # type: ignore[assignment]  # the others need one
        max_length=32, null=True
    )
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True)
    verdict = models.CharField(max_length=20)
    found_by = models.CharField(max_length=20, blank=True)
    distance_bits = models.IntegerField(null=True)
    similarity = models.FloatField(null=True)
    label = models.CharField(max_length=120, blank=True)
    # NULL, not "", where there is none: the column is unique.
    appeal_token = models.CharField(max_length=40, unique=True, null=True)  # noqa: DJ001

    class Meta:
        indexes: ClassVar = [models.Index(fields=["outcome", "at"])]

    def __str__(self) -> str:
        return f"check {self.pk}: {self.outcome}"


class Hosted(FingerprintFields):
    """One picture a platform publishes, registered by fingerprint."""

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT)
    content_id = models.CharField(max_length=200)
    url_digest = models.BinaryField(max_length=32, db_index=True)
    account_digest = models.BinaryField(max_length=32, db_index=True)
    registered_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    seq = models.BigIntegerField(default=0, db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform", "content_id"], name="one_row_per_content")
        ]

    def __str__(self) -> str:
        return f"{self.platform} {self.content_id}"


class Hit(models.Model):
    """A report's exhibit or location meets something hosted or known.

    found_by       "location" where the reporter named the place, otherwise the fingerprint
    """

    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="hits")
    hosted = models.ForeignKey(Hosted, on_delete=models.PROTECT, null=True)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True)
    verdict = models.CharField(max_length=20)
    found_by = models.CharField(max_length=20)
    distance_bits = models.IntegerField(null=True)
    similarity = models.FloatField(null=True)
    found_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["report", "hosted", "member"],
                name="one_hit_per_pair",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"hit of {self.report}: {self.verdict}"


class ApiKey(models.Model):
    """One of a platform's keys to the match service, which reads this table by itself.

    name         what the platform calls it, such as "upload servers"
    key_digest   SHA-256 of the key; the key itself is kept nowhere
    scopes       what it may do (match_service/keys.py)
    expires_at   it stops then by itself
    revoked_at   somebody stopped it; rows stay, so that what it did can be told
    """

    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    key_digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=20))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"key {self.pk} of {self.platform}"
