"""The legal clocks of a case, and whom to call for a child."""

from django.utils.translation import get_language

from haechi.server.contacts import serving
from haechi.server.desk import vocabulary
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.time_left import PATTERNS, read
from haechi.server.desk.zones import there


def part(page: Page) -> dict[str, object]:
    """Every clock with the time left and its end on that law's own clock; what happened, in short."""
    case = page.case
    rows = sorted(case.clocks.all(), key=lambda clock: (clock.stopped_at is not None, clock.due_at))
    return {
        "patterns": PATTERNS,
        "clocks": [
            (read(clock, page.now), there(clock.due_at, clock.jurisdiction)) for clock in rows
        ],
        "harms": vocabulary.harms(case.report.harms),
        "contacts": serving("child", get_language() or "en") if case.minor else [],
    }
