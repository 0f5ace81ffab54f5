"""Places outside, looked at again: by schedule, by a person, until they are seen to be gone."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import OUTSIDE_URL, submit

from haechi import seal
from haechi.reach import Reply
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Ground, Purpose, Verdict
from haechi.server.flow import rechecking
from haechi.server.notices.models import Notice
from haechi.server.notices.rechecks import services as rechecks
from haechi.server.notices.rechecks.looking import Look, Looker
from haechi.server.notices.rechecks.models import Basis, Recheck, Seen
from haechi.server.reports import vault
from haechi.server.reports.models import Location, Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db

PAGE = Reply(OUTSIDE_URL, 404, "Not Found", (("Content-Type", "text/html"),), b"<p>Gone.</p>")
GONE = Look(Seen.GONE, Basis.STATUS, 404, OUTSIDE_URL, reply=PAGE)


@pytest.fixture(autouse=True)
def on(settings: Settings) -> None:
    """Switched on."""
    settings.HAECHI = replace(settings.HAECHI, rechecks=True)


@pytest.fixture
def case(astronaut: bytes, reviewer: User) -> Case:
    """One place outside, about which a notice was sent at noon."""
    report, _ = submit(astronaut, places=(OUTSIDE_URL,))
    flow.examine(report, last_try=True)
    made = Case.objects.get()
    flow.decide(
        made,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="I saw it.",
        remove=(),
        actor=reviewer,
        now=NOON,
    )
    Notice.objects.update(sent_at=timezone.now(), state="sent")
    return made


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Look]:
    """What the next looks see; the last one stays. What really asks is in tests/unit/test_rechecks.py."""
    row = [GONE]
    monkeypatch.setattr(Looker, "look", lambda *_: row.pop(0) if len(row) > 1 else row[0])
    return row


def look(case: Case, step: int | None = None, *, keep: bool = False) -> None:
    """One look at the place of the case."""
    flow.look_at(case.report.locations.get().pk, step, keep, "worker")


def clocks(case: Case) -> set[str]:
    """Running clocks that only a removal ends."""
    running = case.clocks.filter(stopped_at=None, stopped_by="removal")
    return set(running.values_list("rule", flat=True))


def test_a_clock_ends_when_it_was_seen_to_be_gone_twice(case: Case, seen: list[Look]) -> None:
    """B24: not when the notice was sent, nor after one look, nor after two in one hour."""
    assert clocks(case)
    look(case, 0)
    look(case)
    assert clocks(case)
    Recheck.objects.update(at=timezone.now() - timedelta(hours=13))
    look(case)
    assert not clocks(case)
    assert rechecks.removed(list(Recheck.objects.all()))


def test_without_rechecks_the_notice_is_what_ends_it(
    astronaut: bytes, reviewer: User, settings: Settings
) -> None:
    settings.HAECHI = replace(settings.HAECHI, rechecks=False)
    report, _ = submit(astronaut, places=(OUTSIDE_URL,))
    flow.examine(report, last_try=True)
    case = Case.objects.get()
    assert clocks(case)
    flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="I saw it.",
        remove=(),
        actor=reviewer,
        now=NOON,
    )
    assert not clocks(case)
    Notice.objects.update(sent_at=timezone.now(), state="sent")
    flow.look_again(0)
    look(case, 0)
    assert not Recheck.objects.exists()
    assert not jobs()


def jobs() -> list[dict[str, Any]]:
    """What is to be looked at."""
    return list(ProcrastinateJob.objects.filter(task_name="look_at").values_list("args", flat=True))


def test_the_schedule_asks_once_for_each_look(case: Case, seen: list[Look]) -> None:
    flow.look_again(0)
    flow.look_again(0)
    [asked] = jobs()
    assert (asked["step"], asked["keep"]) == (0, False)
    ProcrastinateJob.objects.filter(task_name="look_at").delete()
    flow.look_at(**asked)
    flow.look_at(**asked)  # a job may run twice
    assert Recheck.objects.count() == 1
    flow.look_again(0)
    assert not jobs()
    Recheck.objects.update(at=timezone.now() - timedelta(hours=13))
    flow.look_again(0)
    assert [one["step"] for one in jobs()] == [None]  # to see whether it stays gone


@pytest.mark.parametrize("state", [ReportState.WITHDRAWN, ReportState.ERASED])
def test_it_stops_with_withdrawal_and_erasure(case: Case, seen: list[Look], state: str) -> None:
    Report.objects.update(state=state)
    flow.look_again(0)
    look(case, 0)
    assert not jobs()
    assert not Recheck.objects.exists()


def test_what_points_at_a_place_is_sealed_and_goes_with_it(case: Case, seen: list[Look]) -> None:
    look(case, 0, keep=True)
    row = Recheck.objects.get()
    stored = bytes(row.sealed) + bytes(row.warc_sealed or b"")
    assert b"outside.example" not in stored
    identity = vault.identity_of(case.report)
    assert json.loads(seal.open_sealed(bytes(row.sealed), identity))["url"] == OUTSIDE_URL
    assert "outside.example" not in json.dumps(list(Entry.objects.values_list("detail", flat=True)))
    Location.objects.all().delete()
    assert not Recheck.objects.exists()


def test_a_person_has_it_looked_at_now_and_takes_the_page(
    case: Case, seen: list[Look], desk: Client, reviewer: User, settings: Settings
) -> None:
    """B17: only who opened the case; both are in the log."""
    desk.force_login(reviewer)
    case.grants.update(ended_at=timezone.now())
    assert desk.post(f"/case/{case.pk}/look").status_code == 403
    grants.open_content(case, reviewer, Purpose.REVIEW, now=timezone.now())
    assert desk.post(f"/case/{case.pk}/look", {"keep": "1"}).status_code == 302
    [asked] = jobs()
    assert (asked["keep"], asked["actor"]) == (True, reviewer.name_in_log)
    flow.look_at(**asked)
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert "Looked at again" in page
    row = Recheck.objects.get()
    assert f"/recheck/{row.pk}" in page
    file = desk.get(f"/recheck/{row.pk}")
    assert file.headers["Content-Type"] == "application/warc"
    assert file.content.startswith(b"\x1f\x8b")
    assert Entry.objects.filter(tag="recheck:opened").count() == 1
    settings.HAECHI = replace(settings.HAECHI, rechecks=False)
    assert desk.post(f"/case/{case.pk}/look").status_code == 403
    case.grants.update(ended_at=timezone.now())
    assert desk.get(f"/recheck/{row.pk}").status_code == 403


@pytest.mark.parametrize(
    ("look_seen", "words"),
    [
        (Look(Seen.THERE, Basis.PICTURE, 200), "still there"),
        (Look(Seen.THERE, Basis.PAGE, 200), "A machine cannot see"),
        (Look(Seen.EDITED, Basis.PICTURE, 200), "a changed copy"),
        (Look(Seen.BLOCKED, Basis.STATUS, 403), "does not show it to us"),
        (Look(Seen.LOGIN, Basis.STATUS, 401), "behind a login"),
        (Look(Seen.UNREACHABLE, Basis.NONE), "could not be looked at"),
        (GONE, "We look once more before"),
    ],
)
def test_the_reporter_reads_what_was_seen(
    astronaut: bytes,
    reviewer: User,
    seen: list[Look],
    public: Client,
    look_seen: Look,
    words: str,
) -> None:
    report, code = submit(astronaut, places=(OUTSIDE_URL,))
    flow.examine(report, last_try=True)
    case = Case.objects.get()
    flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="I saw it.",
        remove=(),
        actor=reviewer,
        now=NOON,
    )
    Notice.objects.update(sent_at=timezone.now(), state="sent")
    seen[:] = [look_seen]
    look(case, 0)
    public.post("/return", {"code": code.digits()})
    page = public.get("/status").content.decode()
    assert words in page
    assert "We have not looked at the page again yet" not in page
    assert rechecks.latest(report)[case.report.locations.get().pk].seen == look_seen.seen
    assert rechecking.AT_ONCE > 0
