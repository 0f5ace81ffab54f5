"""The desk asks which account made a file; a second person allows that it is named."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import host, submit

from haechi import fingerprint
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Recusal
from haechi.server.matching.models import Platform
from haechi.server.staff.models import User
from haechi.server.tracing import registry
from haechi.server.tracing.models import Finding, Inquiry, Naming
from haechi.server.tracing.registry import Look, Made

pytestmark = pytest.mark.django_db
ACCOUNT = "mina-4410@mail.example"


@pytest.fixture(autouse=True)
def _recorded(board: Platform, astronaut: bytes) -> None:
    made = Made(ACCOUNT, "painter 2", NOON)
    registry.record(board, made, Look.of(fingerprint.image(astronaut)), now=timezone.now())


def ask(desk: Client, picture: bytes, **more: str) -> str:
    """The address of the answer."""
    file = SimpleUploadedFile("a.jpg", picture, content_type="image/jpeg")
    form = {"purpose": "law", "reason": "The police ask.", "file": file, **more}
    answer = desk.post("/trace", form)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["location"])


def test_from_the_file_to_the_account_by_two_people(
    desk: Client, board: Platform, astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    """B17, B18, B23: the whole way, and the account is on no page before."""
    host(board, astronaut)
    desk.force_login(reviewer)
    where = ask(desk, astronaut)
    page = desk.get(where).content.decode()
    assert "Made with board" in page
    assert "painter 2" in page
    finding = Finding.objects.get()
    desk.post(f"{where}/name", {"finding": finding.pk, "reason": "An order of a court."})
    naming = Naming.objects.get()
    assert desk.post(f"/naming/{naming.pk}/approve").status_code == 403
    assert desk.post(f"/naming/{naming.pk}/open").status_code == 403

    desk.force_login(second_reviewer)
    assert f"/naming/{naming.pk}" in desk.get("/trace").content.decode()
    page = desk.get(f"/naming/{naming.pk}").content.decode()
    assert "The police ask." in page
    assert "An order of a court." in page
    assert "that very file" in page
    assert "strong" in page
    assert ACCOUNT not in page
    assert desk.get(where).status_code == 404
    desk.post(f"/naming/{naming.pk}/approve")
    assert desk.post(f"/naming/{naming.pk}/open").status_code == 403

    desk.force_login(reviewer)
    opened = desk.post(f"/naming/{naming.pk}/open").content.decode()
    assert ACCOUNT in opened
    assert "1 file on record" in opened
    assert Entry.objects.filter(tag="trace:account_opened", actor=reviewer.name_in_log).count() == 1
    where_it_is = desk.post(f"/naming/{naming.pk}/hangs", {"generation": finding.generation_id})
    assert "board: <code>1</code>" in where_it_is.content.decode()
    assert desk.post(f"/naming/{naming.pk}/hangs", {"generation": "7" * 30}).status_code == 403

    desk.force_login(second_reviewer)
    desk.post(f"/naming/{naming.pk}/end")
    desk.force_login(reviewer)
    assert desk.post(f"/naming/{naming.pk}/open").status_code == 403


def test_a_second_person_agrees_that_records_are_held(
    desk: Client, astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    """B23: with the reason before their eyes, and not by who asked."""
    desk.force_login(reviewer)
    where = ask(desk, astronaut)
    assert "only when a second person agrees" in desk.get(where).content.decode()
    assert f"{where}/hold" not in desk.get("/trace").content.decode()
    assert desk.post(f"{where}/hold").status_code == 404

    desk.force_login(second_reviewer)
    assert f"{where}/hold" in desk.get("/trace").content.decode()
    assert desk.post(f"{where}/hold").status_code == 403, "nobody agrees without having read why"
    page = desk.get(f"{where}/hold").content.decode()
    assert "The police ask." in page
    assert ACCOUNT not in page
    assert Entry.objects.filter(tag="trace:hold_read").count() == 1
    assert desk.post(f"{where}/hold").status_code == 302
    assert Inquiry.objects.get().held_by == second_reviewer
    assert f"{where}/hold" not in desk.get("/trace").content.decode()
    desk.force_login(reviewer)
    assert "only when a second person agrees" not in desk.get(where).content.decode()


def test_where_a_found_file_hangs_needs_no_name(
    desk: Client, board: Platform, astronaut: bytes, reviewer: User
) -> None:
    host(board, astronaut)
    desk.force_login(reviewer)
    where = ask(desk, astronaut)
    answer = desk.post(f"{where}/hangs", {"finding": Finding.objects.get().pk})
    assert "board: <code>1</code>" in answer.content.decode()
    assert Entry.objects.filter(tag="trace:generation_opened").exists()
    assert desk.post(f"{where}/hangs", {"finding": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"reason": " "}, "reason"),
        ({"case": "987654321"}, "There is no such case."),
        ({"purpose": "curiosity"}, "Select a valid choice"),
        ({"file": SimpleUploadedFile("a.jpg", b"no picture")}, "not a picture"),
        ({"file": SimpleUploadedFile("a.jpg", b"")}, "empty"),
    ],
)
def test_a_question_that_cannot_be_asked_says_why(
    desk: Client, astronaut: bytes, reviewer: User, changed: dict[str, object], says: str
) -> None:
    desk.force_login(reviewer)
    file = SimpleUploadedFile("a.jpg", astronaut)
    answer = desk.post("/trace", {"purpose": "case", "reason": "Why", "file": file} | changed)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Inquiry.objects.exists()


def test_nothing_found_accuses_nobody(desk: Client, cat: bytes, reviewer: User) -> None:
    """That no record is found says nothing of whether a machine made it, and the page says so."""
    desk.force_login(reviewer)
    page = desk.get(ask(desk, cat)).content.decode()
    assert "No record was found." in page
    assert "nobody can tell from this" in page


def test_a_question_about_a_case_somebody_asked_not_to_see_is_not_there_for_them(
    desk: Client, astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    report, _ = submit(places=("https://photos.outside.example/a/1.jpg",))
    case = flow.open_case(report, now=NOON)
    desk.force_login(reviewer)
    where = ask(desk, astronaut, case=str(case.pk))
    finding = Finding.objects.get()
    desk.post(f"{where}/name", {"finding": finding.pk, "reason": "An order of a court."})
    naming = Naming.objects.get()
    desk.force_login(second_reviewer)
    assert desk.get(f"/naming/{naming.pk}").status_code == 200
    Recusal.objects.create(case=case, user=second_reviewer, at=NOON)
    assert desk.get(f"/naming/{naming.pk}").status_code == 404
    assert desk.post(f"/naming/{naming.pk}/approve").status_code == 404
    assert f"/naming/{naming.pk}" not in desk.get("/trace").content.decode()
