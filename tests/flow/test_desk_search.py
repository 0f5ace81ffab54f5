"""Finding a case again, views that are kept, and weights that are changed, at the desk's pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.flow.conftest import OUTSIDE_URL, host, submit
from tests.flow.queued import somebody, waits

from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases import urgency
from haechi.server.cases.models import Case
from haechi.server.evidence.models import Exhibit
from haechi.server.matching.models import Platform
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db


def test_a_case_is_found_by_number_place_account_and_picture(
    desk: Client, reviewer: User, board: Platform, astronaut: bytes, cat: bytes
) -> None:
    """By keyed digests and fingerprints; that somebody searched is logged, not for what."""
    host(board, astronaut)
    report, _ = submit(astronaut, places=(OUTSIDE_URL,))
    flow.examine(report, last_try=True)
    case, kept = Case.objects.get(), Exhibit.objects.count()
    desk.force_login(reviewer)

    def found(**fields: object) -> bool:
        page = desk.post("/queue/search", fields).content.decode()
        return f'href="/case/{case.pk}"' in page

    for words in (
        f"#{case.pk}",
        report.short,
        OUTSIDE_URL,
        OUTSIDE_URL.upper()[:8] + OUTSIDE_URL[8:],
    ):
        assert found(words=words), words
    assert found(words="@somebody")
    assert not found(words="https://photos.outside.example/another")
    assert found(picture=SimpleUploadedFile("a.jpg", astronaut))
    assert not found(picture=SimpleUploadedFile("b.jpg", cat))
    assert desk.post("/queue/search", {"picture": SimpleUploadedFile("c", b"x")}).status_code == 422
    logged = Entry.objects.filter(tag="queue:searched")
    assert {tuple(sorted(entry.detail)) for entry in logged} == {("by", "found")}
    assert Exhibit.objects.count() == kept


def test_a_view_is_kept_shared_and_forgotten(
    desk: Client, reviewer: User, second_reviewer: User
) -> None:
    """Filters only: nothing else of an address gets into it."""
    desk.force_login(reviewer)
    asked = "danger=yes&words=secret&age=minor"
    for name, shared in (("mine", ""), ("ours", "on")):
        desk.post("/queue/view", {"name": name, "asked": asked, "shared": shared})
    view = reviewer.views.get(name="ours")
    assert view.asked == "age=minor&danger=yes"
    desk.force_login(second_reviewer)
    page = desk.get("/").content.decode()
    assert ">ours" in page
    assert ">mine" not in page
    assert desk.post(f"/queue/view/{view.pk}/drop").status_code == 404
    desk.force_login(reviewer)
    desk.post(f"/queue/view/{view.pk}/drop")
    assert not reviewer.views.filter(name="ours").exists()


def test_only_administrators_change_the_order(desk: Client, reviewer: User) -> None:
    """With a reason; everybody reads it."""
    waits()
    change = {"name": "threat", "hours": "90", "reason": "We see more."}
    desk.force_login(reviewer)
    assert desk.post("/queue/order", change).status_code == 403
    desk.force_login(somebody("ada", Role.ADMINISTRATOR))
    assert desk.post("/queue/order", {**change, "reason": ""}).status_code == 422
    assert urgency.weights()["threat"] == urgency.USUAL["threat"]
    assert desk.post("/queue/order", change).status_code == 302
    assert urgency.weights()["threat"] == 90
    desk.force_login(reviewer)
    assert "We see more." in desk.get("/queue/order").content.decode()
