"""Why a case stands where it stands, in words."""

from collections.abc import Mapping
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from haechi.server.cases import urgency
from haechi.server.cases.models import Case, Clock

CAUSES: Mapping[str, Promise] = {
    "danger": _("somebody is in danger"),
    "minor": _("under 18"),
    "age_unsaid": _("age not said"),
    "threat": _("threat or extortion"),
    "doxxed": _("personal data shown, or somebody watched or followed"),
    "spreading": _("it was shared or sold"),
    "new": _("no known picture: this person is new to us"),
    urgency.NO_CLOCK: _("no legal clock: due so long after it was opened"),
}


def lines(case: Case, running: Clock | None, hours: Mapping[str, int]) -> list[str]:
    """What decides, in the order it is added up; the last line is the sum."""
    said = [_ends(case, running, hours)]
    for name, number in urgency.causes(case.facets, hours).items():
        forward = ngettext(
            "{number} hour earlier: {cause}", "{number} hours earlier: {cause}", number
        )
        said.append(forward.format(number=number, cause=CAUSES[name]))
    place = gettext("So it stands with what is due on {time} UTC.")
    return [*said, place.format(time=f"{case.urgent_at:%Y-%m-%d %H:%M}")]


def _ends(case: Case, running: Clock | None, hours: Mapping[str, int]) -> str:
    if running is not None:
        ends = gettext("{law} ends on {time} UTC")
        return ends.format(law=running.law_in_words, time=f"{running.due_at:%Y-%m-%d %H:%M}")
    due = case.opened_at + timedelta(hours=hours[urgency.NO_CLOCK])
    return gettext("No legal clock; it counts as due on {time} UTC").format(
        time=f"{due:%Y-%m-%d %H:%M}"
    )
