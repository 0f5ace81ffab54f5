"""What was done with the case, from the audit log."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise

from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import ActionKind, Case
from haechi.server.desk.case_page.followed import actions_of
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.vocabulary import TAGS, Names
from haechi.server.matching import services as matching

if TYPE_CHECKING:
    from django.db.models import Model

AT_MOST = 60


@dataclass(frozen=True)
class Event:
    """One line of the history."""

    entry: Entry
    words: Promise | str
    actor: str


def part(page: Page) -> dict[str, object]:
    """The newest entries about anything that belongs to the case."""
    entries = list(
        Entry.objects.filter(subject__in=_subjects(page.case)).order_by("-position")[:AT_MOST]
    )
    names = Names(entries)
    events = [Event(entry, TAGS.get(entry.tag, entry.tag), names.of(entry)) for entry in entries]
    return {"history": events}


def _subjects(case: Case) -> list[str]:
    rows: list[Model] = [case, case.report, *case.clocks.all(), *case.report.exhibits.all()]
    rows += [*case.report.messages.all(), *case.decisions.exclude(overturned_at=None)]
    rows += case.report.told.all()
    # While another opinion is wanted, nobody reads who gave one (blind).
    rows += case.reviews.exclude(settled_at=None)
    rows += matching.members_of(case.report, case.pk)
    decision = case.decision
    if decision is not None:
        actions = list(actions_of(case))
        rows += [decision, *decision.notices.all(), *actions]
        # Putting something back is explained to nobody.
        rows += [action.statement for action in actions if action.kind != ActionKind.RESTORE]
    return [audit.name_of(row) for row in rows]
