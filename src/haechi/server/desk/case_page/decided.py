"""The decision that stands, and those that an appeal overturned."""

from haechi.server.cases.services import reason_of
from haechi.server.desk.case_page.page import Page


def part(page: Page) -> dict[str, object]:
    """Decisions; why is shown only where the case is open to whoever reads."""
    case, decision = page.case, page.case.decision
    return {
        "decision": decision,
        "decision_reason": reason_of(decision) if decision and page.opened else "",
        "overturned": [
            (earlier, reason_of(earlier) if page.opened else "")
            for earlier in case.decisions.exclude(overturned_at=None).select_related("actor")
        ],
    }
