"""Other cases that hold exactly the same pictures, for whoever decided this one."""

from haechi.server.cases import alike
from haechi.server.cases.models import ACTING
from haechi.server.desk.case_page.page import Page


def part(page: Page) -> dict[str, object]:
    """The cases that may be decided the same way; none for anybody but who decided."""
    decision = page.case.decision
    if decision is None or decision.actor != page.user or decision.verdict not in ACTING:
        return {"alike": []}
    found = alike.waiting(page.case, page.user, now=page.now)
    return {"alike": found[: alike.AT_MOST]}
