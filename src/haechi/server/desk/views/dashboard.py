"""How the work goes, in charts with a table behind each. For staff; nothing of one case or reporter."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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


@require_safe
@staff_only
def dashboard_page(request: HttpRequest) -> HttpResponse:
    """Time left, inflow, backlog, times to decision and removal, laws, platforms, reviewers."""
    now, actor = timezone.now(), actor_of(request)
    asked = request.GET.get("days", "")
    period = int(asked) if asked in map(str, PERIODS) else PERIODS[1]
    since = datetime.combine(
        now.astimezone(UTC).date() - timedelta(days=period - 1), datetime.min.time(), UTC
    )
    left = dashboard.time_left(now=now)
    decided, removed = dashboard.to_decision(since=since), dashboard.to_removal(since=since)
    context = {
        "period": period,
        "periods": [(days, _in_days(days)) for days in PERIODS],
        "waiting": sum(left.values()),
        "missed": left["missed"],
        "decided": charts.spell(decided.whole.median_s),
        "removed": charts.spell(removed.whole.median_s),
        "shown": [
            _shown(chart)
            for chart in _charts(left, decided.parts, removed.parts, since=since, now=now)
        ],
        "load": _load(actor, since=since, now=now),
        "everybody": actor.role == Role.ADMINISTRATOR,
        "budget": BUDGET,
        "now": now,
    }
    return render(request, "desk/dashboard.html", context)


def _in_days(days: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def _charts(
    left: dict[str, int],
    weeks: list[dashboard.Spell],
    platforms: list[dashboard.Spell],
    *,
    since: datetime,
    now: datetime,
) -> list[charts.Chart]:
    by_day = dashboard.days(since=since.date(), now=now.astimezone(UTC))
    return [
        charts.time_left(left),
        charts.inflow(by_day),
        charts.backlog(by_day),
        charts.to_decision(weeks),
        charts.to_removal(platforms),
        charts.by_law(dashboard.by_law(since=since, now=now)),
        charts.answers(dashboard.answers(since=since)),
    ]


def _shown(chart: charts.Chart) -> Shown:
    # Drawn by us from escaped words; the SVG is a part of the page so that it has its colours.
    drawn = drawing.svg(chart.spec) if chart.spec else ""
    return Shown(chart, mark_safe(drawn))  # noqa: S308


def _load(actor: User, *, since: datetime, now: datetime) -> list[dashboard.Load]:
    """An administrator sees everybody's, a reviewer the own: nobody is compared in public."""
    rows = dashboard.load(since=since, now=now)
    if actor.role == Role.ADMINISTRATOR:
        return rows
    return [row for row in rows if row.user == actor.pk]
