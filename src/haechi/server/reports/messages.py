"""Messages both ways between a reporter and the people who work on her report, sealed to it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from haechi import seal
from haechi.server.audit import services as audit
from haechi.server.reports import holds, vault
from haechi.server.reports.models import Message, Report, Sender

LONGEST_MESSAGE = 5_000


@dataclass(frozen=True)
class Said:
    """One message, opened."""

    number: int
    sender: Sender
    text: str
    sent_at: datetime
    read_at: datetime | None


def send(report: Report, sender: Sender, text: str, *, actor: str, now: datetime) -> Message:
    """Seal a message and keep it, inside the caller's transaction. Raises ReportErased."""
    # Locked: two messages at once must not take the same number.
    held = holds.lock(report)
    message = Message.objects.create(
        report=held,
        number=held.messages.count() + 1,
        sender=sender,
        sealed=seal.seal(text.encode(), held.recipient),
        sent_at=now,
    )
    audit.record("message:sent", subject=message, actor=actor, at=now)
    return message


def thread(report: Report, identity: str | None = None) -> list[Said]:
    """All messages in order, opened with `identity` or, at the desk, with the vault's."""
    messages = list(report.messages.all())
    if not messages:
        return []
    opened = identity or vault.identity_of(report)
    return [
        Said(
            message.number,
            Sender(message.sender),
            seal.open_sealed(bytes(message.sealed), opened).decode(),
            message.sent_at,
            message.read_at,
        )
        for message in messages
    ]


def unread(report: Report, sender: Sender) -> int:
    """How many messages of `sender` the other side has not opened."""
    return report.messages.filter(sender=sender, read_at=None).count()


@transaction.atomic
def mark_read(report: Report, sender: Sender, *, actor: str, now: datetime) -> int:
    """Note and log that the other side has opened what `sender` wrote; returns how many were new."""
    fresh = list(report.messages.filter(sender=sender, read_at=None))
    for message in fresh:
        if Message.objects.filter(pk=message.pk, read_at=None).update(read_at=now):
            audit.record("message:read", subject=message, actor=actor, at=now)
    return len(fresh)
