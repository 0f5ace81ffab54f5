"""Pictures side by side, with what they share drawn in; covered like exhibits."""

from haechi.server.desk import comparing
from haechi.server.desk.case_page.page import Page


def part(page: Page) -> dict[str, object]:
    """The pairs, where the case is open; a picture of a case that is not stays away."""
    if not page.opened:
        return {"pairs": []}
    return {"pairs": comparing.pairs(page.case, page.user, now=page.now)}
