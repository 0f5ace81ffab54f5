"""What was seen when places outside were looked at again."""

from dataclasses import dataclass

from django.conf import settings

from haechi.server.desk.case_page.page import Page
from haechi.server.notices.rechecks import services as rechecks
from haechi.server.notices.rechecks.models import Recheck, Seen

AT_MOST = 50
TONES = {Seen.GONE: "ok", Seen.THERE: "error", Seen.EDITED: "error"}


@dataclass(frozen=True)
class Looked:
    """One place: its number, its newest look, how many there were, and whether it counts as removed."""

    number: int
    last: Recheck
    times: int
    removed: bool
    captured: Recheck | None

    @property
    def tone(self) -> str:
        """The badge's."""
        return TONES.get(Seen(self.last.seen), "warn")


def part(page: Page) -> dict[str, object]:
    """Places that were looked at, by number; nothing before a decision."""
    decision = page.case.decision
    places = page.case.report.locations.filter(rechecks__isnull=False).distinct()
    shown = []
    if decision is not None:
        for location in places.order_by("number").prefetch_related("rechecks")[:AT_MOST]:
            looks = list(location.rechecks.all())
            kept = next((look for look in reversed(looks) if look.warc_sha256), None)
            removed = rechecks.removed(looks)
            shown.append(Looked(location.number, looks[-1], len(looks), removed, kept))
    on = settings.HAECHI.rechecks and decision is not None and decision.notices.exists()
    return {"rechecked": shown, "recheck_on": on}
