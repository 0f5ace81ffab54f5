"""What a reporter adds to her report later, corrects in it, or takes back."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from haechi import seal
from haechi.errors import ReportClosed
from haechi.server.audit import services as audit
from haechi.server.reports import holds
from haechi.server.reports import services as reports
from haechi.server.reports.models import EarlierStory, Report, State
from haechi.server.reports.story import Story


def open_for_more(report: Report) -> Report:
    """The report, locked for the caller's transaction.

    Raises ReportClosed where it was withdrawn, ReportErased where it was erased.
    """
    held = holds.lock(report)
    if held.state == State.WITHDRAWN:
        raise ReportClosed(held.short)
    return held


def add_places(report: Report, addresses: Sequence[str], identity: str, *, now: datetime) -> int:
    """Add places she has not named yet, inside the caller's transaction; returns how many."""
    held = open_for_more(report)
    known = set(reports.addresses_of(held, identity).values())
    new = [address for address in dict.fromkeys(addresses) if address not in known]
    last = held.locations.aggregate(last=Max("number"))["last"] or 0
    for number, address in enumerate(new, start=last + 1):
        reports.add_location(held, number, address, now=now)
    if new:
        audit.record(
            "report:places_added",
            subject=held,
            actor="reporter",
            at=now,
            detail={"locations": len(new)},
        )
    return len(new)


@transaction.atomic
def correct(report: Report, story: Story, *, now: datetime) -> None:
    """Put `story` in place of what was written; what stood there is kept, sealed as it was."""
    held = open_for_more(report)
    EarlierStory.objects.create(
        report=held,
        number=held.earlier.count() + 1,
        sealed=bytes(held.sealed),
        replaced_at=now,
    )
    Report.objects.filter(pk=held.pk).update(
        sealed=seal.seal(story.to_bytes(), held.recipient), corrected_at=now
    )
    audit.record("report:corrected", subject=held, actor="reporter", at=now)


def earlier_stories(report: Report, identity: str) -> list[tuple[datetime, Story]]:
    """What she corrected, oldest first, each with the moment it was replaced."""
    return [
        (row.replaced_at, Story.from_bytes(seal.open_sealed(bytes(row.sealed), identity)))
        for row in report.earlier.all()
    ]


def withdraw(report: Report, *, now: datetime) -> bool:
    """Take the report back, inside the caller's transaction. False if it was before."""
    over = (State.WITHDRAWN, State.ERASED)
    won = Report.objects.filter(pk=report.pk).exclude(state__in=over)
    if not won.update(state=State.WITHDRAWN, settled_at=now):
        return False
    audit.record("report:withdrawn", subject=report, actor="reporter", at=now)
    return True


def news(report: Report, *, now: datetime) -> None:
    """There is something at the desk to be opened."""
    Report.objects.filter(pk=report.pk).update(news_at=now)


def news_opened(report: Report, *, now: datetime) -> None:
    """Somebody at the desk has opened what there was up to now."""
    Report.objects.filter(pk=report.pk, news_at__lte=now).update(news_at=None)
