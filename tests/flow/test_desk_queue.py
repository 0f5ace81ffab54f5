"""What waits, in the order of the law."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import submit

from haechi.server.cases import services as cases
from haechi.server.cases.models import Case, Clock
from haechi.server.desk.time_left import read
from haechi.server.reports.models import Age, Report
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


def opened(due: datetime | None, *, minor: bool = False, at: datetime = NOON) -> Case:
    """A case with one running clock, or none."""
    report, _ = submit(places=("https://x.example/1",))
    case = Case.objects.create(report=report, opened_at=at, minor=minor)
    if due is not None:
        clock(case, due)
    return case


def clock(case: Case, due: datetime, *, rule: str = "us_tida_remove") -> Clock:
    """A clock of 48 hours that ends at `due`."""
    return Clock.objects.create(
        case=case,
        rule=rule,
        law="An Act",
        jurisdiction="US",
        stopped_by="removal",
        started_at=due - timedelta(hours=48),
        due_at=due,
    )


def order(desk: Client) -> list[int]:
    """Cases as the page lists them."""
    return [int(key) for key in re.findall(r'href="/case/(\d+)"', desk.get("/").content.decode())]


def test_children_first_then_least_time_then_the_oldest(desk: Client, reviewer: User) -> None:
    """The order the page explains; stopped clocks and decided cases count no more."""
    desk.force_login(reviewer)
    soon, later = timezone.now() + timedelta(hours=2), timezone.now() + timedelta(hours=30)
    none = opened(None)
    adult, minor = opened(later), opened(later, minor=True)
    old = opened(later, at=NOON - timedelta(days=1))
    first = opened(soon)
    stopped = opened(later + timedelta(hours=1))
    Clock.objects.filter(pk=clock(stopped, soon, rule="other").pk).update(stopped_at=NOON)
    Case.objects.filter(pk=opened(soon).pk).update(state="decided")

    expected = [minor, first, old, adult, stopped, none]
    assert order(desk) == [case.pk for case in expected]


def test_danger_comes_first_and_silence_about_age_before_adults(
    desk: Client, reviewer: User
) -> None:
    """Who did not say how old they are may be a child; danger is read before any clock."""
    desk.force_login(reviewer)
    due = timezone.now() + timedelta(hours=30)
    adult, unsaid, danger, child = opened(due), opened(due), opened(None), opened(None, minor=True)
    Report.objects.filter(case=unsaid).update(age=Age.UNSAID)
    Report.objects.filter(case=danger).update(danger=True)

    assert order(desk) == [case.pk for case in (child, danger, unsaid, adult)]
    page = desk.get("/").content.decode()
    assert page.index("People under 18") < page.index("All others")
    assert "age not said" in page
    assert page.count(">danger<") == 1


def test_children_have_a_list_of_their_own_on_every_page_of_the_queue(
    desk: Client, reviewer: User
) -> None:
    """A child's report never waits behind the adults' second page, and help stands beside it."""
    desk.force_login(reviewer)
    adult, child = opened(NOON), opened(None, minor=True)

    page = desk.get("/?page=9").content.decode()

    lists = page.split("All others")
    assert f'href="/case/{child.pk}"' in lists[0]
    assert f'href="/case/{adult.pk}"' not in lists[0]
    assert f'href="/case/{adult.pk}"' in lists[1]
    assert "takeitdown.ncmec.org" in lists[0]


def test_the_number_of_queries_does_not_grow(desk: Client, reviewer: User) -> None:
    """Three cases or thirty."""
    desk.force_login(reviewer)
    counts = []
    for wanted in (3, 30):
        while Case.objects.count() < wanted:
            case = opened(timezone.now() + timedelta(hours=5))
            clock(case, timezone.now() + timedelta(days=14), rule="kr_tba_report_result")
            cases.claim(case, reviewer, now=timezone.now())
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(order(desk)) == wanted
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7


def test_the_queue_says_what_one_needs_and_nothing_more(
    desk: Client, reviewer: User, second_reviewer: User
) -> None:
    """Time, law, age, harms, who; never her words, and no reading is logged for a list."""
    desk.force_login(reviewer)
    case = opened(timezone.now() + timedelta(hours=4, minutes=30), minor=True)
    cases.claim(case, second_reviewer, now=timezone.now())

    page = desk.get("/").content.decode()

    for words in (
        "4 h 29 min left",
        'data-state="soon"',
        "under 18",
        "fake made",
        "Sol",
        "TAKE IT DOWN",
    ):
        assert words in page, words
    assert "Somebody posted this" not in page


def test_an_empty_queue_says_so(desk: Client, reviewer: User) -> None:
    """No table without rows."""
    desk.force_login(reviewer)
    page = desk.get("/").content.decode()
    assert "Nothing waits." in page
    assert "<table" not in page


@pytest.mark.parametrize(
    ("left", "state", "words", "used"),
    [
        (timedelta(days=1, hours=3, seconds=1), "ok", "1 d 3 h left", 44),
        (timedelta(hours=6, seconds=1), "ok", "6 h 0 min left", 87),
        (timedelta(hours=6), "soon", "6 h 0 min left", 88),
        (timedelta(seconds=59), "soon", "0 min left", 100),
        (timedelta(0), "overdue", "0 min over", 100),
        (-timedelta(hours=49), "overdue", "2 d 1 h over", 100),
    ],
)
def test_a_clock_reads_as_the_script_reads_it(
    left: timedelta, state: str, words: str, used: int
) -> None:
    """The same values as web/src/clock.ts: rounded down, soon from six hours."""
    reading = read(Clock(started_at=NOON + left - timedelta(hours=48), due_at=NOON + left), NOON)
    assert (reading.state, reading.words) == (state, words)
    assert abs(reading.used_percent - used) <= 1
