"""One table that only grows."""

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
    """A signed statement of the log's size and Merkle root, so that its past cannot be rewritten."""

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    note = models.TextField()

    class Meta:
        ordering: ClassVar = ["size"]

    def __str__(self) -> str:
        return f"{self.size} entries"
