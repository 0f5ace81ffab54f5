"""Seal every report's identity to other vault recipients. No exhibit is opened for it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from haechi import seal
from haechi.errors import CannotOpen
from haechi.server.audit import services as audit
from haechi.server.reports import vault
from haechi.server.reports.models import Report, State

BATCH = 500


def stale(recipients: Sequence[str]) -> QuerySet[Report]:
    """Reports whose identity is not known to be sealed to exactly these recipients."""
    mark = vault.recipients_mark(tuple(recipients))
    return Report.objects.exclude(state=State.ERASED).exclude(wrapped_to=mark)


def rewrap_all(
    recipients: Sequence[str], *, actor: str, now: datetime
) -> Iterator[tuple[Report, bool]]:
    """Re-wrap what is stale, and yield each report once it is committed, with True.

    With False a report whose wrap does not open: it is left as it was, and the others go on. Stop
    it anywhere and call it again: it goes on where it was. Also reports that came in meanwhile are
    done. Raises KeyMissing.
    """
    closed: list[Report] = []
    while found := list(
        stale(recipients).exclude(pk__in=[one.pk for one in closed]).order_by("pk")[:BATCH]
    ):
        for report in found:
            try:
                rewrap(report, recipients, actor=actor, now=now)
            except CannotOpen:
                closed.append(report)
                yield report, False
            else:
                yield report, True


@transaction.atomic
def rewrap(report: Report, recipients: Sequence[str], *, actor: str, now: datetime) -> None:
    """Seal one report's identity anew. The old wrap is replaced in the same statement."""
    locked = Report.objects.select_for_update().get(pk=report.pk)
    if locked.state == State.ERASED:
        return
    identity = vault.identity_of(locked)
    if seal.recipient_of(identity) != locked.recipient:
        raise CannotOpen(f"report {locked.short}: its wrap holds another identity")
    Report.objects.filter(pk=locked.pk).update(
        wrap_vault=seal.seal(identity.encode(), *recipients),
        wrapped_to=vault.recipients_mark(tuple(recipients)),
    )
    audit.record(
        "report:rewrapped", subject=locked, actor=actor, at=now, detail={"to": list(recipients)}
    )


def unopened_by(identity: str) -> Iterator[tuple[Report, bool]]:
    """Every report, with True where this identity alone does not open its wrap."""
    for report in Report.objects.exclude(state=State.ERASED).iterator(chunk_size=BATCH):
        yield report, not _opens(report, identity)


def _opens(report: Report, identity: str) -> bool:
    try:
        own = seal.open_sealed(bytes(report.wrap_vault), identity).decode()
    except CannotOpen:
        return False
    return seal.recipient_of(own) == report.recipient
