"""Everything the page of one case shows, in the order one decides.

A part is a module here with a function `part`, which says what its template
(desk/templates/desk/parts/case_*.html) needs. A new part is one line in PARTS and one include in
desk/templates/desk/case.html. Keys of all parts are in one context: begin yours with its own word.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from haechi.errors import HaechiError
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Scope
from haechi.server.desk.case_page import (
    alike,
    clocks,
    comparing,
    custody,
    decided,
    deciding,
    elsewhere,
    exhibits,
    followed,
    found,
    history,
    neighbours,
    notes,
    notice_in,
    notices,
    origin,
    packaged,
    people,
    rechecked,
    request,
    summary,
)
from haechi.server.desk.case_page.page import Page, Typed
from haechi.server.desk.reading import Request, read_request
from haechi.server.staff.models import User
from haechi.server.words import words_for

PARTS: tuple[Callable[[Page], Mapping[str, object]], ...] = (
    summary.part,
    neighbours.part,
    clocks.part,
    notice_in.part,
    request.part,
    exhibits.part,
    origin.part,
    found.part,
    comparing.part,
    elsewhere.part,
    notes.part,
    custody.part,
    people.part,
    deciding.part,
    decided.part,
    alike.part,
    followed.part,
    rechecked.part,
    packaged.part,
    notices.part,
    history.part,
)


def context(
    case: Case,
    user: User,
    *,
    now: datetime,
    typed: Typed | None = None,
    error: HaechiError | None = None,
) -> dict[str, object]:
    """What the template needs. Reads the report where `user` may, which is logged.

    typed   forms as they were filled in, on a page that comes back
    error   what went wrong
    """
    may_read = grants.holds(case, user, Scope.CONTENT, now=now)
    read = read_request(case, user, now) if may_read else Request()
    page = Page(case, user, now, may_read, read, typed or Typed())
    context: dict[str, object] = {
        "case": case,
        "now": now,
        "may_read": may_read,
        "problem": error.code if error else "",
        "problem_words": words_for(error.code) if error else "",
    }
    for part in PARTS:
        context.update(part(page))
    return context
