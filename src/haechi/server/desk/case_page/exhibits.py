"""The pictures, covered, and how much has been looked at (B25, B26)."""

from haechi.server.cases import wellbeing
from haechi.server.desk.case_page.page import Page

BUDGET = wellbeing.Budget()


def part(page: Page) -> dict[str, object]:
    """The exhibits, and where this person stands with the budget of looks."""
    return {
        "exhibits": list(page.case.report.exhibits.all()),
        "budget": BUDGET,
        "spent": wellbeing.spent(page.user, BUDGET, now=page.now),
    }
