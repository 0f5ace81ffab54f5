"""Who works on the case, and what colleagues wrote with it when they gave it on."""

from haechi.errors import HaechiError
from haechi.server.cases import claims
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.queue_forms import HandOverForm
from haechi.server.words import words_for


def part(page: Page) -> dict[str, object]:
    """Who has taken it, if anybody has; to whom it was given; notes, for who may open the case."""
    case, now = page.case, page.now
    holder = case.holder(now)
    notes, problem = [], ""
    if page.may_read:
        try:
            notes = claims.notes_of(case, actor=page.user, now=now)
        except HaechiError as error:
            problem = error.code
    return {
        "holder": holder,
        "mine": holder == page.user,
        "kept_for": case.kept_for if case.kept_until and case.kept_until >= now else None,
        "hand_over_form": HandOverForm(None, page.user),
        "hand_over_notes": notes,
        "hand_over_problem": words_for(problem) if problem else "",
    }
