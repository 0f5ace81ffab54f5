"""What waits: people under 18 in a list of their own, the others in the order of the law."""

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Paginator
from django.db.models import Count, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from haechi.server.cases.models import Case, Clock
from haechi.server.contacts import serving
from haechi.server.desk import vocabulary
from haechi.server.desk.access import reviewers_only
from haechi.server.desk.time_left import PATTERNS, Reading, read
from haechi.server.matching.models import Hit
from haechi.server.staff.models import User

PER_PAGE = 50


@dataclass(frozen=True)
class Row:
    """One line of the queue.

    reading  of the running clock that ends first, or None
    holder   who works on it now, or None
    """

    case: Case
    reading: Reading | None
    harms: list[Promise | str]
    hits: int
    holder: User | None


@require_safe
@reviewers_only
def queue(request: HttpRequest) -> HttpResponse:
    """Open cases; the number of queries does not depend on the number of cases."""
    now = timezone.now()
    children = [_row(case, now) for case in _cases().filter(minor=True)]
    page = Paginator(_cases().filter(minor=False), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [_row(case, now) for case in page],
        # All of them on every page: a child's report never waits behind a link.
        "children": children,
        "contacts": serving("child", get_language() or "en") if children else [],
        "now": now,
        "patterns": PATTERNS,
    }
    return render(request, "desk/queue.html", context)


def _cases() -> QuerySet[Case]:
    counted = (
        Hit.objects.filter(report=OuterRef("report"))
        .values("report")
        .annotate(number=Count("pk"))
        .values("number")
    )
    running = Prefetch("clocks", Clock.objects.filter(stopped_at=None), to_attr="running")
    return (
        Case.objects.queue()
        .annotate(hit_count=Coalesce(Subquery(counted), 0, output_field=IntegerField()))
        .prefetch_related(running)
    )


def _row(case: Case, now: datetime) -> Row:
    running: list[Clock] = getattr(case, "running", [])
    held = case.claimed_until is not None and case.claimed_until >= now
    return Row(
        case=case,
        reading=read(running[0], now) if running else None,
        harms=vocabulary.harms(case.report.harms),
        hits=getattr(case, "hit_count", 0),
        holder=case.claimed_by if held else None,
    )
