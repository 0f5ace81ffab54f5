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
from haechi.server.withheld import (
    WithheldBinaryField,
    WithheldCharField,
    WithheldJSONField,
)


def new_token() -> str:
    """128 random bits for an address that only its receiver knows."""
    return secrets.token_urlsafe(16)


class Platform(models.Model):
    """A service that asks the match service and obeys our webhooks.

    webhook_url      "" where the platform asks by itself (docs/platforms.md)
    webhook_secret   shared secret of the signatures, as bytes
    previous_secret  the one before, with which messages are signed too until previous_until
    testing          it is sent test actions when somebody says so
    """

    name = models.CharField(max_length=80, unique=True)
    base_url = models.URLField()
    webhook_url = models.URLField(blank=True)
    webhook_secret = WithheldBinaryField()
    previous_secret = WithheldBinaryField(null=True)
    previous_until = models.DateTimeField(null=True)
    testing = models.BooleanField(default=False, db_default=False)
    enabled = models.BooleanField(default=True)

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
    BENIGN = "benign", _("harmless: takes matches back")


class Bank(models.Model):
    """A collection of known pictures with one policy.

    enabled_ratio   0 to 1; the share of questions in HMA's form that it answers
    deleted_at      HMA's API deleted it: disabled, renamed, and listed there no more
    thresholds      where it differs from index.DEFAULT (index.thresholds)
    flood           when a member of it is held back (matching.floods)
    trusted         what others send counts as confirmed although nobody here has seen it
    """

    name = models.CharField(max_length=80, unique=True)
    policy = models.CharField(max_length=10, choices=BankPolicy.choices)
    enabled = models.BooleanField(default=True)
    enabled_ratio = models.FloatField(default=1.0, db_default=1.0)
    deleted_at = models.DateTimeField(null=True)
    thresholds = models.JSONField(default=dict, db_default={})
    flood = models.JSONField(default=dict, db_default={})
    trusted = models.BooleanField(default=False, db_default=False)
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Source(models.Model):
    """What one bank thinks of one source of members.

    trusted      its members count as confirmed although nobody here has seen them
    thresholds   laid over those of the bank
    """

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="sources")
    name = models.CharField(max_length=80)
    trusted = models.BooleanField(default=False, db_default=False)
    thresholds = models.JSONField(default=dict, db_default={})
    seq = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "name"], name="one_row_per_source")
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.bank}"


class MemberStatus(models.TextChoices):
    """Only confirmed members block: a person has seen them."""

    PENDING = "pending", _("pending")
    CONFIRMED = "confirmed", _("confirmed")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Held(models.TextChoices):
    """Why a confirmed member does not block for now: a person looks first."""

    NO = "", _("no")
    FLOOD = "flood", _("more hits than usual")
    DISPUTED = "disputed", _("disputed")
    STAFF = "staff", _("held by a person")


class Member(FingerprintFields):
    """One known picture, by fingerprint only.

    case_number      of the case it came from, if it came from one of ours
    note, metadata   what its source wrote beside it
    paused_until     it matches nothing before
    expires_at       it matches nothing from then on
    held, held_at    why, and since when, matches with it go to a person
    released_at      when a person last let it go on: hits before that are no flood any more
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
    note = WithheldCharField(max_length=255, blank=True, default="", db_default="")
    metadata = WithheldJSONField(null=True)
    paused_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    held = models.CharField(
        max_length=10, choices=Held.choices, blank=True, default="", db_default=""
    )
    held_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    case_number = models.BigIntegerField(null=True)
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
        indexes: ClassVar = [models.Index(fields=["bank", "pdq", "md5"], name="members_by_pdq")]

    def __str__(self) -> str:
        return f"member {self.pk} of {self.bank}"


class Judgement(models.TextChoices):
    """What somebody here thinks of a member, in words that its source understands."""

    TRUE_POSITIVE = "true_positive", _("rightly listed")
    FALSE_POSITIVE = "false_positive", _("wrongly listed")
    DISPUTED = "disputed", _("in doubt")


class Opinion(models.Model):
    """One judgement of one member; kept for its source, newest last. Never changed."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="opinions")
    verdict = models.CharField(max_length=20, choices=Judgement.choices)
    by = models.CharField(max_length=60)
    at = models.DateTimeField()
    note = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.verdict} on {self.member_id}"


class BackSearch(models.Model):
    """A member that must be looked for in what is hosted already.

    A trigger writes the row in the transaction that brings it into force, whoever does that.

    due_at    at once, or when its pause ends
    """

    member = models.OneToOneField(
        Member, on_delete=models.PROTECT, primary_key=True, related_name="back_search"
    )
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], condition=models.Q(done_at=None), name="back_searches_due"
            )
        ]

    def __str__(self) -> str:
        return f"search for {self.member_id}"


class BankSearch(models.Model):
    """A bank all of whose members must be looked for, in slices: one row, however many they are.

    A trigger writes it when the bank is switched on or begins to act, when it or a source of it is
    trusted, and when thresholds let more be found.

    source     only members of this source; "" for all
    reached    the number of the last member that was looked at
    """

    bank = models.ForeignKey(Bank, on_delete=models.PROTECT, related_name="searches")
    source = models.CharField(max_length=80, blank=True)
    asked_at = models.DateTimeField()
    reached = models.BigIntegerField(default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["bank", "source"], name="one_search_per_bank_and_source"
            )
        ]

    def __str__(self) -> str:
        return f"search for {self.bank_id} {self.source}".rstrip()


class Surge(models.Model):
    """A member that hit far more than usual, put before a person.

    pictures    distinct edited pictures it blocked in the window
    usual       the same in a window of the time before, on average
    held        False where it went on blocking: those were the same file or picture all over
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="surges")
    at = models.DateTimeField()
    pictures = models.IntegerField()
    usual = models.FloatField()
    held = models.BooleanField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member"],
                condition=models.Q(settled_at=None),
                name="one_open_surge_per_member",
            )
        ]

    def __str__(self) -> str:
        return f"surge of {self.member_id}"


class Check(FingerprintFields):
    """One upload that a platform asked about, and what it was told.

    veto           the harmless member that took the match back
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
    veto = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, related_name="vetoed")
    verdict = models.CharField(max_length=20)
    found_by = models.CharField(max_length=20, blank=True)
    distance_bits = models.IntegerField(null=True)
    similarity = models.FloatField(null=True)
    label = models.CharField(max_length=120, blank=True)
    # NULL, not "", where there is none: the column is unique.
    appeal_token = models.CharField(max_length=40, unique=True, null=True)  # noqa: DJ001

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["outcome", "at"]),
            models.Index(
                fields=["at", "member"],
                condition=models.Q(outcome="block"),
                name="checks_that_blocked",
            ),
        ]

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


class Sighting(models.Model):
    """A confirmed member, and content that was hosted before it was confirmed.

    settled_at    a removal was asked for, or a person looked
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="sightings")
    hosted = models.ForeignKey(Hosted, on_delete=models.PROTECT, related_name="sightings")
    verdict = models.CharField(max_length=20)
    found_by = models.CharField(max_length=20)
    distance_bits = models.IntegerField(null=True)
    similarity = models.FloatField(null=True)
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "hosted"], name="one_sighting_per_pair")
        ]

    def __str__(self) -> str:
        return f"{self.member_id} at {self.hosted_id}"
