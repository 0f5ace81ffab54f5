"""One case: read, taken, looked at, decided."""

import cv2
import numpy as np
import pytest
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, submit

from haechi.errors import MediaError
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import grants
from haechi.server.cases import services as cases
from haechi.server.cases.models import Action, Case, Decision, Opinion, Purpose
from haechi.server.desk import lifted
from haechi.server.desk.views import exhibit as exhibit_views
from haechi.server.evidence import services as evidence
from haechi.server.evidence.models import Exhibit
from haechi.server.matching.models import Hosted, Member, Platform
from haechi.server.notices.models import Notice
from haechi.server.reports import services as reports
from haechi.server.staff.models import User
from haechi.server.transparency import services as transparency
from haechi.server.transparency.models import Statement

pytestmark = pytest.mark.django_db

CONSEQUENCES: tuple[type[Model], ...] = (Decision, Action, Statement, Notice, Member)
PLACES = (BOARD_URL, OUTSIDE_URL, "@someone")


@pytest.fixture
def case(astronaut: bytes, board: Platform, reviewer: User) -> Case:
    """A case with a copy on the board, a place outside and a place nobody can be written to.

    The reviewer has said why it is opened.
    """
    host(board, astronaut)
    report, _ = submit(astronaut, places=PLACES)
    flow.examine(report, last_try=True)
    case = Case.objects.get(report=report)
    grants.open_content(case, reviewer, Purpose.REVIEW, now=timezone.now())
    return case


def decided(case: Case, **changed: object) -> dict[str, object]:
    """The form as somebody fills it in to remove everything."""
    hosted = list(Hosted.objects.values_list("pk", flat=True))
    filled = {"verdict": "remove", "ground": "deepfake", "reason": "I saw it.", "remove": hosted}
    return {key: value for key, value in (filled | changed).items() if value is not None}


def nothing_was_written(entries: int) -> bool:
    """True when no row, job or entry came of it, readings of the page aside."""
    jobs = ProcrastinateJob.objects.filter(task_name__startswith="deliver").exists()
    rows = [model.__name__ for model in CONSEQUENCES if model.objects.exists()]
    written = Entry.objects.exclude(tag="report:opened").count()
    return (jobs, rows, written) == (False, [], entries)


def acts() -> int:
    """Entries in the log, readings of the page aside."""
    return Entry.objects.exclude(tag="report:opened").count()


def test_the_case_shows_what_one_needs_and_logs_the_reading(
    desk: Client, reviewer: User, case: Case
) -> None:
    """Clock, words, places with their state, finding, and what a removal will cause."""
    desk.force_login(reviewer)

    page = desk.get(f"/case/{case.pk}").content.decode()

    for words in (
        "TAKE IT DOWN",
        "Somebody posted this.",
        BOARD_URL,
        "up on board",
        "nobody to write to",
        "The request is complete.",
        "The same file",
        "1 removal on board",
        "1 notice to photos.outside.example",
        "1 picture joins the bank",
        "Pictures that nobody has looked at will not block uploads.",
    ):
        assert words in page, words
    entry = Entry.objects.get(tag="report:opened")
    assert (entry.subject, entry.actor) == (audit.name_of(case.report), reviewer.name_in_log)
    assert entry.detail == {"reason": "review", "identity": False}


def test_what_a_valid_request_lacks_is_named(
    desk: Client, reviewer: User, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither statement nor signature, so the page says which."""
    story = reports.story_of(case.report)
    bare = type(story)(told=story.told)
    monkeypatch.setattr(reports, "story_of", lambda _report: bare)
    desk.force_login(reviewer)
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert "A name or a sign under the statement" in page
    assert "TAKE IT DOWN Act: The request is complete." not in page


def test_a_report_that_cannot_be_opened_is_said_with_its_code(
    desk: Client, reviewer: User, case: Case
) -> None:
    """A damaged wrap: the page still stands, with the code in place of the words."""
    type(case.report).objects.update(wrap_vault=b"damaged")
    desk.force_login(reviewer)
    answer = desk.get(f"/case/{case.pk}")
    assert answer.status_code == 200
    assert b"seal.cannot_open" in answer.content


def test_claim_and_release(desk: Client, reviewer: User, second_reviewer: User, case: Case) -> None:
    """Only the button takes a case; what is taken cannot be taken or decided by others."""
    desk.force_login(second_reviewer)
    desk.get(f"/case/{case.pk}")
    case.refresh_from_db()
    assert case.claimed_by is None
    assert desk.post(f"/case/{case.pk}/claim").status_code == 302
    desk.force_login(reviewer)
    entries = acts()

    claimed = desk.post(f"/case/{case.pk}/claim")
    answer = desk.post(f"/case/{case.pk}/decide", decided(case, reason="Mine, typed."))

    for refused in (claimed, answer):
        assert refused.status_code == 409
        assert b"case.claimed" in refused.content
    assert b"Mine, typed." in answer.content
    assert nothing_was_written(entries)
    desk.force_login(second_reviewer)
    assert desk.post(f"/case/{case.pk}/release").status_code == 302
    desk.force_login(reviewer)
    assert desk.post(f"/case/{case.pk}/decide", decided(case)).status_code == 302


def test_a_removal_and_all_that_follows(desk: Client, reviewer: User, case: Case) -> None:
    """B20: one press; afterwards the page shows where everything stands."""
    desk.force_login(reviewer)

    answer = desk.post(f"/case/{case.pk}/decide", decided(case))

    assert (answer.status_code, answer["location"]) == (302, f"/case/{case.pk}")
    assert [model.objects.count() for model in CONSEQUENCES] == [1, 1, 1, 1, 1]
    jobs = ProcrastinateJob.objects.values_list("task_name", flat=True)
    assert {"deliver_action", "deliver_notice"} <= set(jobs)
    page = desk.get(f"/case/{case.pk}").content.decode()
    for words in ("I saw it.", "Removal on board: 1", "Takedown notice: photos.outside.example"):
        assert words in page, words
    assert 'name="verdict"' not in page
    waiting = desk.get("/deliveries").content.decode()
    assert "Removal on board: 1" in waiting
    assert "Notice about 1 place" in waiting


def test_deliveries_show_the_last_answer_and_then_nothing(
    desk: Client, reviewer: User, case: Case
) -> None:
    """B21: a receiver that fails stays on the page until it does not."""
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/decide", decided(case))
    Action.objects.update(attempts=3, last_error="503 from the board")
    assert b"503 from the board" in desk.get("/deliveries").content

    cases.confirm_action(Action.objects.get(), now=timezone.now())
    Notice.objects.update(state="sent", sent_at=timezone.now(), answer="250 taken")

    assert b"Everything has arrived." in desk.get("/deliveries").content
    assert b"250 taken" in desk.get(f"/case/{case.pk}").content


def test_what_is_unticked_stays_up(desk: Client, reviewer: User, case: Case) -> None:
    """The reviewer, not the machine, says what is removed."""
    desk.force_login(reviewer)
    assert desk.post(f"/case/{case.pk}/decide", decided(case, remove=None)).status_code == 302
    assert not Action.objects.exists()
    assert Notice.objects.count() == 1


def test_not_removing_needs_no_ground_and_sends_nothing(
    desk: Client, reviewer: User, case: Case
) -> None:
    """Ticked boxes of a changed mind do nothing."""
    desk.force_login(reviewer)
    answer = desk.post(f"/case/{case.pk}/decide", decided(case, verdict="keep", ground=None))
    assert answer.status_code == 302
    opinion = Opinion.objects.get()
    assert (opinion.verdict, opinion.ground) == ("keep", "none")
    assert not Decision.objects.exists()
    assert not Action.objects.exists()
    assert not Member.objects.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reason": "  "}, "case.reason_required"),
        ({"reason": None}, "case.reason_required"),
        ({"ground": None}, "A removal needs a ground."),
        ({"ground": "none"}, "Select a valid choice"),
        ({"verdict": None}, "Choose one of these."),
        ({"remove": [999_999]}, "Select a valid choice"),
    ],
)
def test_a_form_with_a_gap_changes_nothing_and_keeps_what_was_typed(
    desk: Client, reviewer: User, case: Case, changed: dict[str, object], words: str
) -> None:
    """The page comes back with words; the rest of the form is as it was."""
    desk.force_login(reviewer)
    entries = acts()

    answer = desk.post(f"/case/{case.pk}/decide", decided(case, **changed))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    if "reason" not in changed:
        assert "I saw it." in page
    assert nothing_was_written(entries)


def test_the_second_decision_is_refused_and_leaves_no_trace(
    desk: Client, reviewer: User, second_reviewer: User, case: Case
) -> None:
    """B19: the other one is told, keeps the words, and nothing of theirs is written."""
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/decide", decided(case))
    before = ([model.objects.count() for model in CONSEQUENCES], acts())
    jobs = ProcrastinateJob.objects.count()

    desk.force_login(second_reviewer)
    typed = decided(case, verdict="keep", reason="I think otherwise.")
    answer = desk.post(f"/case/{case.pk}/decide", typed)

    assert answer.status_code == 409
    assert b"case.closed" in answer.content
    assert b"I think otherwise." in answer.content
    assert ([model.objects.count() for model in CONSEQUENCES], acts()) == before
    assert ProcrastinateJob.objects.count() == jobs
    assert Decision.objects.get().actor == reviewer


def test_a_step_that_fails_takes_everything_back(
    desk: Client, reviewer: User, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B20: no statement, so no decision, action, member, notice, entry or job."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no statement")

    monkeypatch.setattr(transparency, "state_reasons", fail)
    desk.force_login(reviewer)
    entries = acts()

    with pytest.raises(RuntimeError):
        desk.post(f"/case/{case.pk}/decide", decided(case))

    case.refresh_from_db()
    assert case.state == "open"
    assert nothing_was_written(entries)
    assert not case.clocks.exclude(stopped_at=None).exists()


def test_nothing_of_a_picture_is_in_the_page(desk: Client, reviewer: User, case: Case) -> None:
    """B25: no <img> has an address before its veil is lifted."""
    desk.force_login(reviewer)
    page = desk.get(f"/case/{case.pk}").content.decode()
    exhibit = Exhibit.objects.get()
    assert " src=" not in page.split("data-veil-media", 1)[1].split(">", 1)[0]
    assert f'data-src="/exhibit/{exhibit.pk}/picture"' in page
    assert "<noscript>" in page


def test_a_covered_picture_is_not_served(desk: Client, reviewer: User, case: Case) -> None:
    """Knowing its address is not enough, and asking opens nothing."""
    desk.force_login(reviewer)
    exhibit = Exhibit.objects.get()
    entries = Entry.objects.count()
    for address in (f"/exhibit/{exhibit.pk}", f"/exhibit/{exhibit.pk}/picture"):
        answer = desk.get(address)
        assert answer.status_code == 403
        assert b"lift the veil first" in answer.content
    assert desk.post(f"/case/{case.pk + 1}/exhibit/{exhibit.pk}/lift").status_code == 404
    assert Entry.objects.count() == entries


def test_lifting_is_counted_and_shows_a_working_copy(
    desk: Client, reviewer: User, case: Case, astronaut: bytes
) -> None:
    """B25, B17: one entry per lift, one per opening; what comes is a fresh JPEG, never kept."""
    desk.force_login(reviewer)
    exhibit = Exhibit.objects.get()
    assert desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift").status_code == 204

    answer = desk.get(f"/exhibit/{exhibit.pk}/picture")

    assert (answer.status_code, answer["content-type"]) == (200, "image/jpeg")
    assert "no-store" in answer["cache-control"]
    assert answer.content != astronaut
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (512, 512, 3)
    for tag in ("exhibit:lifted", "exhibit:opened"):
        mine = Entry.objects.filter(tag=tag, actor=reviewer.name_in_log)
        assert [entry.subject for entry in mine] == [audit.name_of(exhibit)], tag
    desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift")
    assert Entry.objects.filter(tag="exhibit:lifted").count() == 2


def test_a_lift_is_one_persons_in_one_session_for_a_while(
    desk: Client, reviewer: User, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another session, or a forgotten screen, has to lift again."""
    monkeypatch.setattr(evidence, "working_copy", lambda *_, **__: b"jpeg")
    desk.force_login(reviewer)
    exhibit = Exhibit.objects.get()
    desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift")
    assert desk.get(f"/exhibit/{exhibit.pk}/picture").status_code == 200
    later = timezone.now() + lifted.LIFTED_FOR * 1.1
    with monkeypatch.context() as patch:
        patch.setattr(exhibit_views.timezone, "now", lambda: later)
        assert desk.get(f"/exhibit/{exhibit.pk}/picture").status_code == 403
    Session.objects.all().delete()
    desk.force_login(reviewer)
    assert desk.get(f"/exhibit/{exhibit.pk}/picture").status_code == 403


def test_without_scripts_a_plain_button_leads_to_the_picture(
    desk: Client, reviewer: User, case: Case
) -> None:
    """The same act, then a page of its own."""
    desk.force_login(reviewer)
    exhibit = Exhibit.objects.get()
    answer = desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift", {"page": "1"}, follow=True)
    assert answer.redirect_chain == [(f"/exhibit/{exhibit.pk}", 302)]
    assert f'<img src="/exhibit/{exhibit.pk}/picture"' in answer.content.decode()


def test_a_picture_that_cannot_be_shown_says_why(
    desk: Client, reviewer: User, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code and words, not a broken page."""

    def fail(*_: object, **__: object) -> bytes:
        raise MediaError("cannot")

    monkeypatch.setattr(evidence, "working_copy", fail)
    desk.force_login(reviewer)
    exhibit = Exhibit.objects.get()
    desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift")
    answer = desk.get(f"/exhibit/{exhibit.pk}/picture")
    assert answer.status_code == 422
    assert b"media.error" in answer.content


def test_a_file_that_is_no_picture_shows_its_code_and_no_veil(
    desk: Client, reviewer: User, case: Case
) -> None:
    """Refused by the worker: nothing to lift."""
    Exhibit.objects.update(state="refused", refusal="media.broken")
    desk.force_login(reviewer)
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert "media.broken" in page
    assert "data-veil" not in page
