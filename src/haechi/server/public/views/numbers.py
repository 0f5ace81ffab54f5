"""The public count."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from haechi.server.public.answers import calm
from haechi.server.transparency import services as transparency
from haechi.server.transparency.services import Counts

# Field of Counts: what it is called, and how it is counted.
ROWS: dict[str, tuple[Promise, Promise]] = {
    "reports": (_("Reports received"), _("Every report that was stored, once.")),
    "reports_minor": (
        _("of these, about a person under 18"),
        _("Reports whose sender said so."),
    ),
    "open_cases": (_("Cases waiting for a decision"), _("Cases no person has decided yet.")),
    "removals_decided": (
        _("Decisions to remove"),
        _("Cases in which a person decided that it must come down."),
    ),
    "restrictions_decided": (
        _("Decisions to restrict"),
        _("Cases in which a person decided that fewer people may see it."),
    ),
    "refusals_decided": (
        _("Decisions not to remove"),
        _("Cases in which two people, each on their own, found no ground for removal."),
    ),
    "refusals_not_our_remit": (
        _("of these, nothing we can deal with"),
        _("Others were named who can."),
    ),
    "cases_referred": (
        _("Referrals"),
        _("Times a case was referred to child protection, the police or another platform."),
    ),
    "reporters_asked_for_more": (
        _("Questions to reporters"),
        _("Times a case waited for something its reporter was asked for."),
    ),
    "pieces_removed": (
        _("Copies removed"),
        _("Copies a platform took down and confirmed; asked but unconfirmed ones do not count."),
    ),
    "notices_sent": (
        _("Notices sent to other hosts"),
        _("Notices that the receiving mail server accepted."),
    ),
    "uploads_checked": (
        _("Uploads checked"),
        _("Every upload a platform asked us about before publishing it."),
    ),
    "uploads_refused": (
        _("Uploads stopped"),
        _("Checked uploads stopped because they matched a picture on a list."),
    ),
    "clocks_started": (
        _("Legal deadlines started"),
        _("Each deadline of each case counts once."),
    ),
    "clocks_missed": (
        _("Legal deadlines missed"),
        _("Deadlines that ran out before they were met. They stay in this number for ever."),
    ),
    "log_entries": (
        _("Entries in the public log"),
        _("Every act is one entry; the signed log shows that none was changed or left out."),
    ),
}
BARS = (
    "reports",
    "removals_decided",
    "refusals_decided",
    "pieces_removed",
    "notices_sent",
    "uploads_refused",
)


@dataclass(frozen=True)
class Row:
    """One number. `share` is its part of the largest bar, 0 to 100."""

    name: str
    label: Promise
    how: Promise
    value: int
    share: float


@require_safe
@calm
def numbers(request: HttpRequest) -> HttpResponse:
    """The count in words, bars and a table."""
    counts = transparency.count(now=(now := timezone.now()))
    rows = {row.name: row for row in _rows(counts)}
    context = {
        "counts": counts,
        "now": now,
        "rows": list(rows.values()),
        "bars": [rows[name] for name in BARS],
    }
    return render(request, "public/numbers.html", context)


@require_safe
@calm
def numbers_json(_request: HttpRequest) -> HttpResponse:
    """The same count for programs."""
    return JsonResponse(transparency.count(now=timezone.now()).as_dict())


def _rows(counts: Counts) -> list[Row]:
    values = {name: value for name, value in counts.as_dict().items() if isinstance(value, int)}
    most = max(1, *(values[name] for name in BARS))
    return [
        Row(name, label, how, values[name], min(100.0, round(100 * values[name] / most, 1)))
        for name, (label, how) in ROWS.items()
    ]
