"""What waits, in the order of the law."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.queued import clock, waits

from haechi.server.cases import claims, queue
from haechi.server.cases.models import Case, Clock
from haechi.server.desk.time_left import read
from haechi.server.reports.models import Age
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


def order(desk: Client) -> list[int]:
    """Cases as the page lists them."""
    return [int(key) for key in re.findall(r'href="/case/(\d+)"', desk.get("/").content.decode())]


def test_children_first_then_least_time_then_the_oldest(desk: Client, reviewer: User) -> None:
    """The order the page explains; stopped clocks and decided cases count no more."""
    desk.force_login(reviewer)
    soon, later = NOON + timedelta(hours=2), NOON + timedelta(hours=30)
    none = waits(None)
    adult, minor = waits(later), waits(later, age=Age.UNDER_18)
    old = waits(later, at=NOON - timedelta(days=1))
    first = waits(soon)
    stopped = waits(later + timedelta(hours=1))
    Clock.objects.filter(pk=clock(stopped, soon, rule="other").pk).update(stopped_at=NOON)
    queue.refresh(stopped)
    Case.objects.filter(pk=waits(soon).pk).update(state="decided")

    expected = [minor, first, old, adult, stopped, none]
    assert order(desk) == [case.pk for case in expected]


def test_danger_comes_first_and_silence_about_age_before_adults(
    desk: Client, reviewer: User
) -> None:
    """Who did not say how old they are may be a child; danger is read before any clock."""
    desk.force_login(reviewer)
    due = NOON + timedelta(hours=30)
    adult, unsaid = waits(due), waits(due, age=Age.UNSAID)
    danger, child = waits(danger=True), waits(age=Age.UNDER_18)

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
    adult, child = waits(NOON), waits(age=Age.UNDER_18)

    page = desk.get("/?others=999").content.decode()

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
            case = waits(timezone.now() + timedelta(hours=5))
            clock(case, timezone.now() + timedelta(days=14), rule="kr_tba_report_result")
            claims.claim(case, reviewer, now=timezone.now())
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(order(desk)) == wanted
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12


def test_the_queue_says_what_one_needs_and_nothing_more(
    desk: Client, reviewer: User, second_reviewer: User
) -> None:
    """Time, law, age, harms, who; never her words, and no reading is logged for a list."""
    desk.force_login(reviewer)
    due = timezone.now() + timedelta(hours=4, minutes=30)
    case = waits(due, age=Age.UNDER_18, harms=("made",))
    claims.claim(case, second_reviewer, now=timezone.now())

    page = desk.get("/").content.decode()

    for words in (
        "4 h 29 min left",
        'data-state="soon"',
        "under 18",
        "fake made",
        "Sol",
        "TAKE IT DOWN",
        "So it stands with what is due on",
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
