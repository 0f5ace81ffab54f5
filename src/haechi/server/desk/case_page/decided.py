"""The decision that stands, and those that an appeal overturned."""

from haechi.server.cases import reviews
from haechi.server.cases.citing import cited_in
from haechi.server.cases.deciding import reason_of
from haechi.server.cases.models import Decision, Opinion
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.examined import cited


def part(page: Page) -> dict[str, object]:
    """Decisions; why is shown only where the case is open to whoever reads."""
    case, decision = page.case, page.case.decision
    return {
        "decision": decision,
        "decision_reason": reason_of(decision) if decision and page.opened else "",
        "decision_cites": [cited(one) for one in cited_in(decision)]
        if decision and page.opened
        else [],
        "decide_opinions": _opinions(decision, page) if decision else [],
        "overturned": [
            (earlier, reason_of(earlier) if page.opened else "")
            for earlier in case.decisions.exclude(overturned_at=None).select_related("actor")
        ],
    }


def _opinions(decision: Decision, page: Page) -> list[tuple[Opinion, str]]:
    """What each of several people concluded, once nobody's opinion is wanted any more."""
    review = getattr(decision, "review", None)
    if review is None or review.settled_at is None:
        return []
    given = review.opinions.select_related("user")
    return [(each, reviews.reason_of(each) if page.opened else "") for each in given]
