"""How the work goes, in charts with a table behind each. For staff; nothing of one case or reporter."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from haechi.server.cases import wellbeing
from haechi.server.desk import dashboard_charts as charts
from haechi.server.desk.access import actor_of, staff_only
from haechi.server.staff.models import Role, User
from haechi.server.transparency import dashboard, drawing

PERIODS = (7, 30, 90)
BUDGET = wellbeing.Budget()


@dataclass(frozen=True)
class Shown:
    """One chart on the page: what it says in a sentence, the drawing, the numbers behind it."""

    chart: charts.Chart
    drawn: SafeString

    @property
    def key(self) -> str:
        """Stable name, for the page."""
        return self.chart.key


@dataclass(frozen=True)
class Numbers:
    """What one reading of the database gave, as it stood at `at`."""

    at: datetime
    left: dict[str, int]
    days: list[dashboard.Day]
    decided: dashboard.Spells
    removed: dashboard.Spells
    laws: list[dashboard.ByLaw]
    answers: list[dashboard.Answers]
    receivers: list[dashboard.Answers]
    load: list[dashboard.Load]


@lru_cache(maxsize=2 * len(PERIODS))
def read(period: int, at: datetime) -> Numbers:
    """The numbers of a minute, kept while it lasts: whoever reloads does not count anew."""
    first = at.date() - timedelta(days=period - 1)
    since = datetime.combine(first, datetime.min.time(), UTC)
    return Numbers(
        at=at,
        left=dashboard.time_left(now=at),
        days=dashboard.days(since=first, now=at),
        decided=dashboard.to_decision(since=since),
        removed=dashboard.to_removal(since=since),
        laws=dashboard.by_law(since=since, now=at),
        answers=dashboard.answers(since=since),
        receivers=dashboard.receivers(since=since),
        load=dashboard.load(since=since, now=at),
    )


@require_safe
@staff_only
def dashboard_page(request: HttpRequest) -> HttpResponse:
    """Time left, inflow, backlog, times to decision and removal, laws, platforms, reviewers."""
    actor = actor_of(request)
    asked = request.GET.get("days", "")
    period = int(asked) if asked in map(str, PERIODS) else PERIODS[1]
    minute = timezone.now().astimezone(UTC).replace(second=0, microsecond=0)
    found = read(period, minute)
    context = {
        "period": period,
        "periods": [(days, _in_days(days)) for days in PERIODS],
        "waiting": sum(found.left.values()),
        "missed": found.left["missed"],
        "decided": charts.spell(found.decided.whole.median_s),
        "removed": charts.spell(found.removed.whole.median_s),
        "shown": [_shown(chart) for chart in _charts(found)],
        "load": _seen_by(actor, found.load),
        "everybody": actor.role == Role.ADMINISTRATOR,
        "budget": BUDGET,
        "now": found.at,
    }
    return render(request, "desk/dashboard.html", context)


def _in_days(days: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def _charts(found: Numbers) -> list[charts.Chart]:
    return [
        charts.time_left(found.left),
        charts.inflow(found.days),
        charts.backlog(found.days),
        charts.to_decision(found.decided.parts),
        charts.to_removal(found.removed.parts),
        charts.by_law(found.laws),
        charts.answers(found.answers),
        charts.receivers(found.receivers),
    ]


def _shown(chart: charts.Chart) -> Shown:
    # Drawn by us from escaped words; the SVG is a part of the page so that it has its colours.
    drawn = drawing.svg(chart.spec) if chart.spec else ""
    return Shown(chart, mark_safe(drawn))  # noqa: S308


def _seen_by(actor: User, rows: list[dashboard.Load]) -> list[dashboard.Load]:
    """An administrator sees everybody's, a reviewer the own: nobody is compared in public."""
    if actor.role == Role.ADMINISTRATOR:
        return rows
    return [row for row in rows if row.user == actor.pk]
