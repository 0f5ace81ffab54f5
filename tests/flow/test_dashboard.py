"""The dashboard: its numbers add up, its charts can be read, and who sees whose."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, host, submit

from haechi.server import flow
from haechi.server.cases import services as cases
from haechi.server.cases.models import Action, Case, Clock, Decision, Ground, State, Verdict
from haechi.server.desk import dashboard_charts as charts
from haechi.server.desk.views.dashboard import read
from haechi.server.matching.models import Platform
from haechi.server.notices import directory, letter
from haechi.server.notices.models import Notice
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User
from haechi.server.transparency import dashboard, drawing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _counted_anew() -> Iterator[None]:
    """The numbers of a minute are kept, and the next test has others."""
    read.cache_clear()
    yield
    read.cache_clear()


SINCE = NOON - timedelta(days=10)


def opened(at: datetime = NOON) -> Case:
    """A case that came in at `at`."""
    report, _ = submit(places=(BOARD_URL,))
    case = flow.open_case(report, now=at)
    type(report).objects.filter(pk=report.pk).update(received_at=at)
    return Case.objects.select_related("report").get(pk=case.pk)


def decided(case: Case, actor: User, at: datetime) -> Decision:
    """Decided to remove, at `at`."""
    Case.objects.filter(pk=case.pk).update(state=State.DECIDED, decided_at=at)
    return Decision.objects.create(
        case=case, verdict=Verdict.REMOVE, ground=Ground.DEEPFAKE, reason_sealed=b"",
        actor=actor, made_at=at,
    )  # fmt: skip


def test_open_cases_by_what_is_left_of_the_earliest_deadline() -> None:
    first = opened()
    Clock.objects.filter(case=first).update(due_at=NOON - timedelta(seconds=1))
    for hours in (5, 23, 70, 100):
        Clock.objects.filter(case=opened()).update(due_at=NOON + timedelta(hours=hours))
    opened().clocks.all().update(stopped_at=NOON)
    paused = opened()
    paused.clocks.all().update(paused_at=NOON, due_at=NOON - timedelta(days=1))
    assert dashboard.time_left(now=NOON) == {
        "missed": 1, "hours_6": 1, "day": 1, "days_3": 1, "more": 1, "none": 2,
    }  # fmt: skip


def test_what_came_in_less_what_was_settled_is_what_is_left(reviewer: User) -> None:
    for days in (20, 9, 9, 2, 0):
        opened(NOON - timedelta(days=days))
    old, early, *_ = Case.objects.order_by("opened_at")
    decided(old, reviewer, NOON - timedelta(days=15))
    decided(early, reviewer, NOON - timedelta(days=1))
    found = dashboard.days(since=SINCE.date(), now=NOON)
    assert len(found) == 11
    assert found[0].day == SINCE.date()
    left = 0
    for day in found:
        left += day.opened - day.settled
        assert day.backlog == left
    assert found[-1].backlog == Case.objects.queue().count() == 3


def test_times_are_the_middle_and_the_tail(
    reviewer: User, board: Platform, astronaut: bytes
) -> None:
    hosted = host(board, astronaut)
    for hours in range(1, 12):
        case = opened()
        decision = decided(case, reviewer, NOON + timedelta(hours=hours))
        Action.objects.create(
            decision=decision, platform=board, hosted=hosted, idempotency_key=f"k{hours}",
            created_at=decision.made_at, done_at=decision.made_at + timedelta(hours=hours),
        )  # fmt: skip
    decisions, removals = dashboard.to_decision(since=SINCE), dashboard.to_removal(since=SINCE)
    [week] = decisions.parts
    assert (week.count, week.median_s, week.tail_s) == (11, 6 * 3600, 10 * 3600)
    [removal] = removals.parts
    assert (removal.name, removal.median_s) == ("board", 12 * 3600)
    # What was put back is no removal.
    Action.objects.create(
        decision=decision, platform=board, hosted=hosted, idempotency_key="back", kind="restore",
        created_at=NOON, done_at=NOON,
    )  # fmt: skip
    [asked] = dashboard.answers(since=SINCE)
    assert (asked.asked, asked.done, asked.within_day, asked.rate) == (11, 11, 11, 1.0)
    assert (decisions.whole.median_s, removals.whole.count) == (6 * 3600, 11)


def test_who_is_in_the_directory_is_named_and_nobody_else(reviewer: User) -> None:
    """A receiver's name stands sealed; what the directory says in public may be counted."""
    known = directory.everybody()[0]
    decision = decided(opened(), reviewer, NOON)
    for receiver, answered in ((known, NOON + timedelta(hours=3)), (None, None)):
        notice = Notice.objects.create(
            decision=decision,
            receiver=letter.receiver_digest(known) if receiver else bytes(range(32)),
            step=known.step if receiver else "host",
            sealed=b"",
            from_directory=bool(receiver),
            created_at=NOON,
            sent_at=NOON,
        )
        for number in (1, 2):
            notice.items.create(number=number, answered_at=answered if number == 1 else None)

    found = {each.name: each for each in dashboard.receivers(since=SINCE)}

    assert set(found) == {known.name, "the company that hosts the site"}
    asked = found[known.name]
    assert (asked.asked, asked.done, asked.within_day, asked.rate) == (2, 1, 1, 0.5)
    assert found["the company that hosts the site"].done == 0


def test_a_missed_deadline_stays_one_whatever_happens_later() -> None:
    """B24: a line in the report."""
    late, in_time, running = opened(), opened(), opened()
    cases.stop_clocks(late, "decision", now=NOON + timedelta(days=20))
    cases.stop_clocks(in_time, "decision", now=NOON + timedelta(days=1))
    assert running.pk
    found = {
        each.rule: each for each in dashboard.by_law(since=SINCE, now=NOON + timedelta(days=3))
    }
    korea = found["kr_tba_report_result"]
    assert (korea.met, korea.missed, korea.running) == (1, 1, 1)
    america = found["us_tida_remove"]
    assert (america.met, america.missed, america.running) == (0, 3, 0)


def test_a_reviewer_sees_the_own_line_and_an_administrator_all(
    desk: Client, reviewer: User, second_reviewer: User
) -> None:
    ada = staff.add("ada", "Ada", Role.ADMINISTRATOR, "a long pass phrase", actor="t", now=NOON)[0]
    desk.force_login(reviewer)
    own = desk.get("/dashboard").context["load"]
    assert [row.name for row in own] == ["Rim"]
    desk.force_login(ada)
    assert [row.name for row in desk.get("/dashboard").context["load"]] == ["Rim", "Sol"]
    assert second_reviewer.pk


def test_the_page_shows_every_chart_with_its_table_and_as_many_queries_for_more_cases(
    desk: Client, reviewer: User, board: Platform, astronaut: bytes
) -> None:
    """Drawn once, the same numbers are not drawn again; nothing in it breaks the policy of style."""
    desk.force_login(reviewer)
    empty = desk.get("/dashboard")
    assert empty.status_code == 200
    read.cache_clear()
    host(board, astronaut)
    case = opened(timezone.now() - timedelta(days=3))
    decided(case, reviewer, timezone.now())
    Action.objects.create(
        decision=Decision.objects.get(), platform=board, hosted=board.hosted_set.get(),
        idempotency_key="k", created_at=timezone.now(), done_at=timezone.now(),
    )  # fmt: skip
    opened(timezone.now())
    with CaptureQueriesContext(connection) as few:
        page = desk.get("/dashboard?days=7").content.decode()
    for _ in range(4):
        opened(timezone.now())
    read.cache_clear()
    with CaptureQueriesContext(connection) as more:
        desk.get("/dashboard?days=7")
    assert len(more) == len(few)
    assert page.count('<svg class="drawing"') == 7
    assert page.count('<table class="numbers"') == 7
    for forbidden in ("style=", "<style", "<script>", "http://www.w3.org/1999/xlink", "aria-role"):
        assert forbidden not in page.partition('class="drawings"')[2], forbidden
    assert desk.get("/dashboard?days=9999").context["period"] == 30
    before = drawing._svg.cache_info().misses
    desk.get("/dashboard?days=7")
    read.cache_clear()
    desk.get("/dashboard?days=7")
    assert drawing._svg.cache_info().misses == before


def test_words_are_drawn_as_words_and_never_as_markup() -> None:
    """A platform's name is its own: Korean, Chinese, or something that tries to be a tag."""
    names = ["가온누리 게시판", "朋友圈", '<script>alert("1")</script>&']
    spec = drawing.bars(
        [{"name": name, "series": "done", "value": 3} for name in names],
        colours={"done": charts.OK},
        values="건",
    )
    drawn = drawing.svg(spec)
    tree = ET.fromstring(drawn)  # noqa: S314  # drawn by us
    said = {"".join(each.itertext()) for each in tree.iter() if each.tag.endswith("text")}
    assert set(names) <= said
    assert "<script" not in drawn
    assert 'fill="var(--ok)"' in drawn


def test_nobody_outside_sees_it(public: Client) -> None:
    assert public.get("/dashboard").status_code == 404


def test_an_overturned_decision_is_not_counted(reviewer: User) -> None:
    case = opened()
    decision = decided(case, reviewer, NOON + timedelta(hours=1))
    Decision.objects.filter(pk=decision.pk).update(overturned_at=NOON + timedelta(hours=2))
    found = dashboard.to_decision(since=SINCE)
    assert (found.parts, found.whole.count, found.whole.median_s) == ([], 0, None)
    assert charts.spell(None) == "none yet"
    assert charts.spell(90 * 60) == "1.5 h"
