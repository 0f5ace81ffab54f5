"""The notice that a case came as: who sent it, what proves that, where its items stand."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haechi.server.desk.case_page.page import Page
from haechi.server.notices.incoming_models import Incoming, IncomingAnswer, Outcome

if TYPE_CHECKING:
    from django.utils.functional import Promise


@dataclass(frozen=True)
class NoticeIn:
    """One notice. counts: how many items stand where; again: how often the same came later."""

    notice: Incoming
    counts: "list[tuple[str | Promise, int]]"
    answers: list[IncomingAnswer]
    again: int


def part(page: Page) -> dict[str, object]:
    """The notice, or None for a report of a person."""
    rows = Incoming.objects.select_related("sender", "claimed")
    found = rows.filter(report=page.case.report_id).first()
    return {"notice_in": read(found) if found else None}


def read(found: Incoming) -> NoticeIn:
    """How far one notice is."""
    outcomes = Counter(found.items.values_list("outcome", flat=True))
    return NoticeIn(
        notice=found,
        counts=[(Outcome(each).label, outcomes[each]) for each in Outcome.values if outcomes[each]],
        answers=list(found.answers.all()),
        again=found.again.count(),
    )
