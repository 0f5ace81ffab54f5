"""What must be done with the case, until when: the line that stays on top of the page."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from haechi.server.cases import reviews
from haechi.server.cases.models import State
from haechi.server.desk.case_page.followed import actions_of
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.time_left import Reading, read
from haechi.server.desk.zones import there

DONE: dict[str, Promise] = {
    State.WITHDRAWN: _("Nothing to do: the reporter took it back."),
    State.CLOSED: _("Nothing to do: it was closed without a decision."),
}


@dataclass(frozen=True)
class Step:
    """The next thing to do.

    link    the part of this page where it is done, or ""
    claim   True where it is done with the button that takes the case
    """

    words: str
    link: str = ""
    claim: bool = False


def part(page: Page) -> dict[str, object]:
    """The next step, and the running clock that ends first."""
    clocks = page.case.clocks.filter(stopped_at=None).order_by("due_at")
    first: Reading | None = next((read(clock, page.now) for clock in clocks[:1]), None)
    return {
        "step": _step(page),
        "most_urgent": first,
        "most_urgent_there": there(first.clock.due_at, first.clock.jurisdiction) if first else "",
        "further_clocks": max(0, clocks.count() - 1),
    }


def _step(page: Page) -> Step:
    case = page.case
    if case.state in DONE:
        return Step(str(DONE[State(case.state)]))
    if case.decision is not None:
        return _after(page)
    if case.state == State.PAUSED:
        return Step(gettext("Waiting for an answer"), "#pause")
    if reviews.heard(case, page.user):
        return Step(gettext("Waiting for a second look"), "#second")
    held = case.claimed_until is not None and case.claimed_until >= page.now
    if held and case.claimed_by_id != page.user.pk:
        return Step(gettext("{name} is working on it.").format(name=case.claimed_by))
    if not held:
        return Step(gettext("Nobody works on it."), claim=True)
    if page.request.problem:
        return Step(gettext("The report cannot be opened."), "#told")
    return Step(gettext("Read the request, compare what was found, then decide."), "#decide")


def _after(page: Page) -> Step:
    if page.request.late:
        return Step(gettext("Places were added after the decision."), "#places")
    waiting = actions_of(page.case).filter(done_at=None, withdrawn_at=None).count()
    if waiting:
        said = ngettext(
            "Decided. {number} removal is not confirmed yet.",
            "Decided. {number} removals are not confirmed yet.",
            waiting,
        )
        return Step(said.format(number=waiting), "#outcome")
    return Step(gettext("Decided. Nothing is left to do here."))
