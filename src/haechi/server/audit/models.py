"""Tables that only grow."""

from typing import ClassVar

from django.db import models


class Entry(models.Model):
    """One act or one read of evidence, chained to the one before.

    position   1, 2, 3 ... without gaps
    at         UTC
    tag        what happened, for instance "case:decided"
    actor      who: "staff:7", "reporter", "platform:2", "worker"
    subject    on what: "cases.case:12"
    detail     facts that point at no person: codes, counts, digests
    previous   hash of the entry before (32 zero bytes for the first)
    hash       SHA-256 over `previous` and the canonical form of the rest (haechi.ledger)
    """

    position = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    tag = models.CharField(max_length=60)
    actor = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    detail = models.JSONField(default=dict)
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        ordering: ClassVar = ["position"]
        indexes: ClassVar = [models.Index(fields=["subject", "position"])]

    def __str__(self) -> str:
        return f"{self.position} {self.tag} {self.subject}"


class Checkpoint(models.Model):
    """A signed statement of the log's size and Merkle root, so that its past cannot be rewritten.

    note       as it was signed (haechi.ledger.Checkpoint)
    verifier   the public key that it was signed with, as tools for signed notes read it
    """

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    note = models.TextField()
    verifier = models.TextField(default="", db_default="")

    class Meta:
        ordering: ClassVar = ["size"]

    def __str__(self) -> str:
        return f"{self.size} entries"


class Node(models.Model):
    """The root over 2**level entries, kept so that proofs need not hash everything (audit.tree).

    level    8, 16, 24 ...
    number   from 0: the entries from number * 2**level on
    """

    pk = models.CompositePrimaryKey("level", "number")
    level = models.PositiveSmallIntegerField()
    number = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"node {self.number} of level {self.level}"


class AnchorKind(models.TextChoices):
    """Where a checkpoint was laid down, outside of this house."""

    MAIL = "mail"
    STAMP = "stamp"


class Anchor(models.Model):
    """A checkpoint in other hands: mailed to somebody, or stamped by an authority (RFC 3161).

    to      the mail address or the authority's address
    proof   the mail server's answer, or the authority's whole reply for `openssl ts -verify`
    """

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="anchors")
    kind = models.CharField(max_length=5, choices=AnchorKind.choices)
    to = models.CharField(max_length=254)
    proof = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["checkpoint", "kind"], name="one_anchor_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.checkpoint_id} {self.kind}"
