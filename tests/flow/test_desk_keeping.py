"""Legal holds at the desk, and erasures that two people agree on (B23, B32)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import OUTSIDE_URL, submit

from haechi.errors import GrantNeeded, OwnRequest
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import erasures, grants, notes
from haechi.server.cases.models import Case, ErasureRequest, Note, Purpose
from haechi.server.reports import holds
from haechi.server.reports.holds import Grounds
from haechi.server.reports.models import ErasureReason, Hold, Report, State
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db

WHY = {"why": "An investigation is open.", "authority": "Police of Seoul, 2026-77", "until": ""}
WANTED = {"reason": "asked", "note": "She wrote from the address on file; checked by phone."}


@pytest.fixture
def administrator(db: None) -> User:
    """Somebody who manages people, not content."""
    return staff.add(
        "ada", "Ada", Role.ADMINISTRATOR, "a long pass phrase", actor="test", now=NOON
    )[0]


@pytest.fixture
def case(cat: bytes) -> Case:
    """A case that waits, with a picture and a place."""
    report, _code = submit(cat, places=(OUTSIDE_URL,))
    return flow.open_case(report, now=timezone.now())


def page(desk: Client, case: Case) -> str:
    return desk.get(f"/case/{case.pk}/keep").content.decode()


def test_a_hold_is_placed_read_and_ended_with_reasons(
    desk: Client, reviewer: User, administrator: User, case: Case
) -> None:
    """B32: while it is in force nothing erases; its grounds open with the case alone (B11, B17)."""
    desk.force_login(administrator)
    assert desk.post(f"/case/{case.pk}/keep/hold", {**WHY, "why": ""}).status_code == 422
    assert desk.post(f"/case/{case.pk}/keep/hold", WHY).status_code == 302
    hold = Hold.objects.get()
    assert (hold.placed_by, hold.until) == (administrator.name_in_log, None)
    said = page(desk, case)
    assert "must be kept" in said
    assert WHY["authority"] not in said, "administrators read no content"

    desk.force_login(reviewer)
    assert WHY["authority"] not in page(desk, case), "nobody said why the case is opened"
    grants.open_content(case, reviewer, Purpose.LAW, now=timezone.now())
    assert WHY["authority"] in page(desk, case)
    assert Entry.objects.filter(tag="hold:read", actor=reviewer.name_in_log).exists()
    assert desk.post(f"/case/{case.pk}/keep/erase", WANTED).status_code == 409

    assert desk.post(f"/hold/{hold.pk}/end", {"why": ""}).status_code == 422
    assert desk.post(f"/hold/{hold.pk}/end", {"why": "The case was dropped."}).status_code == 302
    hold.refresh_from_db()
    assert hold.released_by == reviewer.name_in_log
    assert "The case was dropped." in page(desk, case)


def test_the_last_day_of_a_hold_counts(desk: Client, reviewer: User, case: Case) -> None:
    """Until the end of that day, UTC."""
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/keep/hold", {**WHY, "until": "2027-01-31"})
    assert f"{Hold.objects.get().until:%Y-%m-%d %H:%M}" == "2027-02-01 00:00"


def test_an_erasure_needs_another_reviewer(
    desk: Client, reviewer: User, second_reviewer: User, administrator: User, case: Case
) -> None:
    """B23: who asked cannot agree, an administrator reads no note; a second reviewer erases."""
    desk.force_login(reviewer)
    assert desk.post(f"/case/{case.pk}/keep/erase", {**WANTED, "note": ""}).status_code == 422
    assert desk.post(f"/case/{case.pk}/keep/erase", WANTED).status_code == 302
    assert desk.post(f"/case/{case.pk}/keep/erase", WANTED).status_code == 302
    request = ErasureRequest.objects.get()
    assert WANTED["note"].encode() not in bytes(request.note)
    assert desk.post(f"/erasure/{request.pk}/agree").status_code == 403

    desk.force_login(administrator)
    assert WANTED["note"] not in page(desk, case)
    assert desk.post(f"/erasure/{request.pk}/agree").status_code == 403
    assert f"/case/{case.pk}/keep" in desk.get("/keeping").content.decode()

    desk.force_login(second_reviewer)
    assert "checked by phone" in page(desk, case)
    assert Entry.objects.filter(tag="erasure:note_read").count() == 1
    assert desk.post(f"/erasure/{request.pk}/agree").status_code == 302

    case.report.refresh_from_db()
    assert (case.report.state, bytes(case.report.wrap_vault)) == (State.ERASED, b"")
    flow.finish_erasure(str(case.report_id))
    request.refresh_from_db()
    assert (request.agreed, request.settled_by, bytes(request.note)) == (True, second_reviewer, b"")
    assert "Nobody can open it any more" in page(desk, case)
    assert audit.verify() > 0


def test_an_erasure_is_refused_or_taken_back(
    desk: Client, reviewer: User, second_reviewer: User, case: Case
) -> None:
    """Either way nothing is erased, and it can be asked for again."""
    for who in (second_reviewer, reviewer):
        desk.force_login(reviewer)
        desk.post(f"/case/{case.pk}/keep/erase", WANTED)
        desk.force_login(who)
        waiting = ErasureRequest.objects.waiting().get()
        assert desk.post(f"/erasure/{waiting.pk}/refuse").status_code == 302
    assert not ErasureRequest.objects.waiting().exists()
    assert Report.objects.get().state != State.ERASED


def test_a_hold_that_came_meanwhile_stops_the_erasure(
    desk: Client, reviewer: User, second_reviewer: User, case: Case
) -> None:
    """All or nothing: the request still waits, and nothing was agreed to."""
    now = timezone.now()
    request = erasures.ask(case, ErasureReason.ASKED, "She asked.", actor=reviewer, now=now)
    holds.place(case.report, Grounds("Why", "Who"), until=None, actor="test", now=now)
    desk.force_login(second_reviewer)

    answer = desk.post(f"/erasure/{request.pk}/agree")

    assert (answer.status_code, b"report.legal_hold" in answer.content) == (409, True)
    request.refresh_from_db()
    assert (request.agreed, request.settled_at) == (None, None)
    assert Report.objects.get().state != State.ERASED


def test_agreeing_is_for_another_person_below_the_pages_too(reviewer: User, case: Case) -> None:
    request = erasures.ask(case, ErasureReason.ORDERED, "A court.", actor=reviewer, now=NOON)
    with pytest.raises(OwnRequest):
        flow.agree_to_erasure(request, actor=reviewer, now=NOON)
    assert Report.objects.get().state != State.ERASED


def test_notes_are_sealed_kept_in_order_and_go_with_the_report(
    reviewer: User, second_reviewer: User, case: Case
) -> None:
    """Only who opened the case writes and reads; an erasure leaves none."""
    now = timezone.now()
    with pytest.raises(GrantNeeded):
        notes.write(case, "Unopened.", actor=reviewer, now=now)
    for who, text in ((reviewer, "I called the board."), (second_reviewer, "So did I.")):
        grants.open_content(case, who, Purpose.REVIEW, now=now)
        notes.write(case, text, actor=who, now=now + timedelta(minutes=who.pk % 2))
    assert [(one.author, one.text) for one in notes.of(case)] == [
        (reviewer, "I called the board."),
        (second_reviewer, "So did I."),
    ]
    assert b"board" not in bytes(Note.objects.order_by("pk")[0].sealed)
    flow.erase(case.report, actor="test", reason=ErasureReason.ASKED, now=now)
    flow.finish_erasure(str(case.report_id))
    assert not Note.objects.exists()
