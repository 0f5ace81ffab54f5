"""Who works on the case."""

from haechi.server.desk.case_page.page import Page


def part(page: Page) -> dict[str, object]:
    """Who has taken it, if anybody has."""
    case = page.case
    held = case.claimed_until is not None and case.claimed_until >= page.now
    return {
        "holder": case.claimed_by if held else None,
        "mine": held and case.claimed_by_id == page.user.pk,
    }
