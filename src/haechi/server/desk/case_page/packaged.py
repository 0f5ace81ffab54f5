"""Evidence that was, or may be, handed to police or a court."""

from haechi.server.desk.case_page.page import Page


def part(page: Page) -> dict[str, object]:
    """How many packages there are, and how many of them wait for a second person."""
    found = page.case.packages.all()
    return {
        "package_count": found.count(),
        "package_waiting": found.waiting().count(),
    }
