"""What came, and who has had it open since."""

from haechi.server.desk import custody_of
from haechi.server.desk.case_page.page import Page


def part(page: Page) -> dict[str, object]:
    """One row a file."""
    return {"custody": custody_of.rows(page.case.report.exhibits.select_related("stamp"))}
