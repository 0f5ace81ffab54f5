"""The legal clocks of a case, and whom to call for a child."""

from django.utils.translation import get_language

from haechi.server.contacts import serving
from haechi.server.desk import vocabulary
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.time_left import PATTERNS, read


def part(page: Page) -> dict[str, object]:
    """Every clock with the time left, and what happened in short words."""
    case = page.case
    return {
        "patterns": PATTERNS,
        "clocks": [read(clock, page.now) for clock in case.clocks.all()],
        "harms": vocabulary.harms(case.report.harms),
        "contacts": serving("child", get_language() or "en") if case.minor else [],
    }
