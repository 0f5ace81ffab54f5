"""Clocks: the version they run under, time they stand, and that none runs out in silence (B24)."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client, override_settings
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, playing, submit
from tests.flow.status import visit_of

from haechi import law
from haechi.errors import NothingMissing
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases import clocks, rules
from haechi.server.cases import services as cases
from haechi.server.cases.models import Case, Clock
from haechi.server.flow import hours
from haechi.server.reports import messages
from haechi.server.reports.models import Report, Sender
from haechi.server.reports.return_code import ReturnCode
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User
from haechi.server.transparency import services as transparency

pytestmark = pytest.mark.django_db

KR = law.Version(
    rule="kr_tba_report_result",
    version=1,
    runs=True,
    amount=7,
    unit="days",
    event="report",
    stopped_by="decision",
    paused_by=law.ASKED,
    only_minors=False,
    in_force_from=date(2021, 12, 10),
    in_force_until=None,
    source="Decree as read on 2026-11-20",
)


@pytest.fixture
def administrator(db: None) -> User:
    """Somebody who confirms rules."""
    return staff.add("ada", "Ada", Role.ADMINISTRATOR, "a long pass phrase", actor="t", now=NOON)[0]


def opened(*, places: tuple[str, ...] = (BOARD_URL,)) -> tuple[Case, ReturnCode]:
    """A report of which the law of Korea lacks the contact."""
    report, code = submit(places=places)
    return flow.open_case(report, now=NOON), code


def korean(case: Case) -> Clock:
    return case.clocks.get(rule="kr_tba_report_result")


def test_a_case_keeps_the_version_it_started_under(administrator: User) -> None:
    before, _ = opened()
    rules.confirm(KR, reason="The decree changed.", actor=administrator, now=NOON)
    after, _ = opened()
    assert (korean(before).rule_version, korean(after).rule_version) == (0, 1)
    assert korean(before).due_at == NOON + timedelta(days=14)
    assert korean(after).due_at == NOON + timedelta(days=7)
    rules.confirm(
        replace(KR, version=2, runs=False), reason="Ended.", actor=administrator, now=NOON
    )
    none, _ = opened()
    assert not none.clocks.filter(rule="kr_tba_report_result").exists()
    assert korean(after).due_at == NOON + timedelta(days=7)


def test_a_hotline_has_no_deadline_of_a_platform() -> None:
    with override_settings(HAECHI=replace(django_settings.HAECHI, bound=frozenset())):
        case, _ = opened()
    assert not case.clocks.exists()


def test_what_is_missing_is_asked_once_and_named(reviewer: User) -> None:
    """The law of Korea has no rule on pausing that we know, and the message says so."""
    case, code = opened()
    assert flow.ask_for_missing(case, actor=reviewer, now=NOON)
    assert flow.ask_for_missing(case, actor=reviewer, now=NOON) is None
    [said] = messages.thread(case.report, visit_of(code).identity)
    assert said.sender == Sender.STAFF
    assert "통신" in said.text
    assert "이름" in said.text
    assert "기한은 계속" in said.text
    assert korean(case).paused_at is None
    assert Entry.objects.get(tag="report:asked").detail == {"paused": []}


def test_a_complete_request_is_not_asked_for_more(reviewer: User) -> None:
    case, _ = opened()
    only = replace(django_settings.HAECHI, jurisdictions=("US",))
    with override_settings(HAECHI=only), pytest.raises(NothingMissing):
        flow.ask_for_missing(case, actor=reviewer, now=NOON)
    assert not case.report.messages.exists()


def run_jobs(task: str) -> None:
    """What the worker would do with the jobs of one name that wait."""
    for job in ProcrastinateJob.objects.filter(task_name=task).order_by("id"):
        flow.complete_request(**job.args)


@pytest.mark.parametrize("answer", ["message", "place"])
def test_a_clock_stands_where_the_law_says_so_and_runs_on_when_she_answers(
    administrator: User, reviewer: User, answer: str
) -> None:
    """Due as much later as it stood; the time between the answer and the worker is not added."""
    rules.confirm(KR, reason="It pauses now.", actor=administrator, now=NOON)
    case, code = opened()
    due = korean(case).due_at
    asked = NOON + timedelta(days=1)
    flow.ask_for_missing(case, actor=reviewer, now=asked)
    assert korean(case).paused_at == asked
    # However long it stands, it is not missed.
    late = due + timedelta(days=30)
    assert "kr_tba_report_result" not in {clock.rule for clock in clocks.find_missed(now=late)}
    answered = asked + timedelta(days=2, hours=3)
    with playing("public"):
        if answer == "message":
            flow.write_message(visit_of(code), "Here it is.", now=answered)
        else:
            flow.add_to_report(visit_of(code), [OUTSIDE_URL], [], now=answered)
    run_jobs("complete_request")
    clock = korean(case)
    assert (clock.paused_at, clock.due_at) == (None, due + timedelta(days=2, hours=3))
    assert Entry.objects.filter(tag="clock:paused").count() == 1
    assert Entry.objects.filter(tag="clock:resumed").count() == 1
    run_jobs("complete_request")
    assert korean(case).due_at == due + timedelta(days=2, hours=3)


def test_a_message_costs_no_job_where_nothing_stands() -> None:
    _, code = opened()
    flow.write_message(visit_of(code), "Hello.", now=NOON)
    assert not ProcrastinateJob.objects.filter(task_name="complete_request").exists()


def test_a_decision_after_the_end_leaves_no_deadline_unnoticed(reviewer: User) -> None:
    """B24: no worker ran between the end and the act, so nobody had seen it run out."""
    case, _ = opened()
    late = NOON + timedelta(days=15)
    cases.stop_clocks(case, "decision", now=late)
    clock = korean(case)
    assert (clock.stopped_at, clock.missed_at) == (late, late)
    assert Entry.objects.filter(tag="clock:missed").count() == 1
    assert clocks.find_missed(now=late + timedelta(days=1)) == [
        case.clocks.get(rule="us_tida_remove")
    ]
    assert transparency.count(now=late + timedelta(days=1)).clocks_missed == 2


def test_the_zone_of_database_and_process_changes_nothing() -> None:
    """B24: a server is moved, or its clock set to summer time."""
    case, _ = opened()
    due = korean(case).due_at
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'Pacific/Kiritimati'")
    try:
        with override_settings(TIME_ZONE="America/St_Johns"):
            assert korean(case).due_at == due
            found = clocks.overdue(due).values_list("rule", flat=True)
            assert "kr_tba_report_result" not in found
            after = clocks.overdue(due + timedelta(microseconds=1))
            assert after.filter(rule="kr_tba_report_result").count() == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")


def test_every_page_of_the_desk_says_that_a_deadline_is_missed(
    desk: Client, reviewer: User, administrator: User
) -> None:
    """B24: also while no worker runs, to everybody, until it is met."""
    case, _ = opened()
    long_ago = NOON - timedelta(days=400)
    desk.force_login(administrator)
    assert 'href="/missed"' not in desk.get("/log").content.decode()
    Clock.objects.filter(case=case).update(started_at=long_ago, due_at=long_ago)
    assert not Entry.objects.filter(tag="clock:missed").exists()
    for who, pages in ((administrator, ("/log", "/law", "/grants")), (reviewer, ("/", "/banks"))):
        desk.force_login(who)
        for page in pages:
            assert 'href="/missed"' in desk.get(page).content.decode(), page
        listed = desk.get("/missed").content.decode()
        assert f"Case {case.pk}" in listed
    for ended_by in law.ENDS:
        cases.stop_clocks(case, ended_by, now=NOON)
    assert 'href="/missed"' not in desk.get("/banks").content.decode()


class Server:
    """A mail server that refuses at first."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Refuse, then accept."""
        if self.refusals:
            self.refusals -= 1
            return "451 4.3.0 not now"
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return "250 2.0.0 queued"


type Serving = Callable[[int], AbstractContextManager[Server]]


@pytest.fixture
def mail() -> Serving:
    """A mail server, and HAECHI_ALERT_MAIL."""

    @contextmanager
    def serving(refusals: int) -> Iterator[Server]:
        server = Server(refusals)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(server, hostname="127.0.0.1", port=port)
        controller.start()
        told = replace(
            django_settings.HAECHI,
            smtp_host="127.0.0.1", smtp_port=port, alert_mail="duty@haechi.example",
        )  # fmt: skip
        with override_settings(HAECHI=told):
            yield server
        controller.stop()

    return serving


def test_missed_deadlines_are_mailed_once_each_whatever_the_server_does(
    mail: Serving,
) -> None:
    """B24: in three languages, by number and law; a refusal is tried again by the job."""
    first, _ = opened()
    long_ago = NOON - timedelta(days=400)
    Clock.objects.filter(case=first).update(started_at=long_ago, due_at=long_ago)
    with mail(1) as server:
        hours.watch_clocks(0)
        hours.watch_clocks(0)
        assert ProcrastinateJob.objects.filter(task_name="tell_of_missed").count() == 1
        with pytest.raises(Exception, match="451"):
            hours.tell_of_missed()
        hours.tell_of_missed()
        hours.tell_of_missed()
        [sent] = server.taken
        second, _ = opened()
        Clock.objects.filter(case=second).update(due_at=long_ago)
        hours.watch_clocks(0)
        hours.tell_of_missed()
    text = message_from_bytes(sent).get_payload(decode=True).decode()
    assert text.count(f"{first.pk}") >= 6
    assert "법정 기한" in text
    assert "法定时限" in text
    assert "deadlines of law" in text
    assert len(server.taken) == 2
    assert message_from_bytes(sent)["To"] == "duty@haechi.example"


def test_without_an_address_nobody_is_mailed() -> None:
    case, _ = opened()
    Clock.objects.filter(case=case).update(due_at=NOON - timedelta(days=400))
    hours.watch_clocks(0)
    assert not ProcrastinateJob.objects.filter(task_name="tell_of_missed").exists()
    assert Entry.objects.filter(tag="clock:missed").count() == case.clocks.count()
    assert Report.objects.get(pk=case.report_id)
