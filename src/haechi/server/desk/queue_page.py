"""The lists of the queue as its page shows them. The number of queries is the same for any number of cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.utils.functional import Promise

from haechi.server.cases import queue, urgency
from haechi.server.cases.models import Case, CaseQuerySet, SavedView
from haechi.server.cases.queue import Asked
from haechi.server.desk import vocabulary, why
from haechi.server.desk.time_left import Reading, read
from haechi.server.matching.models import Hit
from haechi.server.staff.models import User

# More lines take longer to draw than anybody takes to choose one.
PER_PAGE = 30
CHILDREN_PER_PAGE = 20
# A list shows nothing of these, and they are most of a row.
_UNSEEN = ("report__sealed", "report__wrap_vault", "report__wrap_code", "report__lookup")


@dataclass(frozen=True)
class Row:
    """One line of the queue.

    reading  of the running clock that ends first, or None
    why      why it stands here, line by line
    holder   who works on it now, or None; kept_for: whom a colleague gave it to
    """

    case: Case
    reading: Reading | None
    harms: list[Promise | str]
    hits: int
    holder: User | None
    kept_for: User | None
    why: list[str]

    @property
    def hint(self) -> str:
        """The same on hover."""
        return "\n".join(self.why)


@dataclass(frozen=True)
class Listed:
    """One page of a list.

    start   False where it continues another
    later   number of the last case here, where more come after it, or None
    count   how many there are in all; `many` where they are more than are counted
    """

    rows: list[Row]
    start: bool
    later: int | None
    count: int

    @property
    def many(self) -> bool:
        """True where counting stopped."""
        return self.count > queue.COUNTED_AT_MOST


def listed(found: CaseQuerySet, after: int, size: int, *, now: datetime) -> Listed:
    """`size` cases that come after the case numbered `after` (0: from the start)."""
    later = queue.after(found, after) if after else found
    cases = list(later.defer(*_UNSEEN).prefetch_related("clocks")[: size + 1])
    more = len(cases) > size
    cases = cases[:size]
    rows = rows_of(cases, now=now)
    # What fits on the first page needs no counting.
    count = len(cases) if not after and not more else queue.count(found)
    return Listed(rows, not after, cases[-1].pk if more else None, count)


def rows_of(cases: list[Case], *, now: datetime) -> list[Row]:
    """Lines for cases that were read with `report` and `clocks`."""
    hours = urgency.weights() if cases else {}
    reports = [case.report_id for case in cases]
    hits = Hit.objects.filter(report__in=reports).values_list("report").annotate(Count("pk"))
    found = dict(hits) if cases else {}
    return [_row(case, found, hours, now) for case in cases]


def views_of(user: User) -> list[SavedView]:
    """Their own and those that are shared."""
    return list(SavedView.objects.filter(Q(owner=user) | Q(shared=True)).select_related("owner"))


def children_and_others(
    asked: Asked, user: User, after: Mapping[str, int], *, now: datetime
) -> tuple[Listed | None, Listed | None]:
    """Both lists, or None for one that the filters leave no case in."""
    found = queue.waiting(asked, user, now=now)
    no_children, no_others = asked.age in ("adult", "unsaid"), asked.age == "minor"
    return (
        None
        if no_children
        else listed(found.filter(minor=True), after["children"], CHILDREN_PER_PAGE, now=now),
        None
        if no_others
        else listed(found.filter(minor=False), after["others"], PER_PAGE, now=now),
    )


def _row(case: Case, found: Mapping[object, int], hours: Mapping[str, int], now: datetime) -> Row:
    first = next(
        (one for one in case.clocks.all() if one.stopped_at is None and one.paused_at is None), None
    )
    kept = case.kept_until is not None and case.kept_until >= now
    return Row(
        case=case,
        reading=read(first, now) if first else None,
        harms=vocabulary.harms(case.report.harms),
        hits=found.get(case.report_id, 0),
        holder=case.holder(now),
        kept_for=case.kept_for if kept else None,
        why=why.lines(case, first, hours),
    )
