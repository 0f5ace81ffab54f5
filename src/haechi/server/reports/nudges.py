"""Whether, and where, a reporter wants to be told that something changed. Never what."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from haechi import seal
from haechi.server.audit import services as audit
from haechi.server.reports import holds, vault
from haechi.server.reports.models import Nudge, Report

APART = timedelta(days=1)


@transaction.atomic
def want(report: Report, address: str, *, now: datetime) -> None:
    """Tell her at `address` from now on, at most once a day. Raises ReportErased."""
    held = holds.lock(report)
    sealed = seal.seal(address.encode(), held.recipient)
    Nudge.objects.update_or_create(report=held, defaults={"sealed": sealed, "changed_at": None})
    audit.record("nudge:wanted", subject=report, actor="reporter", at=now)


@transaction.atomic
def stop(report: Report, *, now: datetime) -> None:
    """Tell her nothing more, and forget the address."""
    if Nudge.objects.filter(report=report).delete()[0]:
        audit.record("nudge:stopped", subject=report, actor="reporter", at=now)


def changed(report: Report, *, now: datetime) -> None:
    """Something changed that she would want to read; without a wish of hers nothing happens."""
    Nudge.objects.filter(report=report).update(changed_at=now)


def seen(report: Report) -> None:
    """She is reading; there is nothing to tell her."""
    Nudge.objects.filter(report=report).exclude(changed_at=None).update(changed_at=None)


def due(*, now: datetime) -> QuerySet[Nudge]:
    """Those to be told now."""
    rested = Q(sent_at=None) | Q(sent_at__lte=now - APART)
    return Nudge.objects.filter(rested).exclude(changed_at=None).select_related("report")


def take(nudge: Nudge, *, now: datetime) -> bool:
    """Claim one telling. False if another worker has, or if she has looked meanwhile.

    Claimed before it is sent: a process that dies in between tells her later, never twice a day.
    """
    return bool(due(now=now).filter(pk=nudge.pk).update(sent_at=now))


def told(nudge: Nudge) -> None:
    """The mail server has it. A change that came while it was sent is told another day."""
    Nudge.objects.filter(pk=nudge.pk, changed_at__lte=F("sent_at")).update(changed_at=None)


def address_of(nudge: Nudge, identity: str | None = None) -> str:
    """The address, opened with `identity` or, in the worker, with the vault's."""
    opened = identity or vault.identity_of(nudge.report)
    return seal.open_sealed(bytes(nudge.sealed), opened).decode()
