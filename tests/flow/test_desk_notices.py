"""The desk's pages about notices and the directory."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import submit

from haechi.server import flow
from haechi.server.cases import grants
from haechi.server.cases.models import Decision, Ground, Purpose, Verdict
from haechi.server.notices.models import Notice, Receiver, State
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db

MAIL, FORM = "https://photos.example/a/1", "https://t.me/room/1"


@pytest.fixture
def decision(reviewer: User) -> Decision:
    """One place that is written to by e-mail, one with a form."""
    report, _code = submit(places=(MAIL, FORM))
    flow.examine(report, last_try=True)
    return flow.decide(
        report.case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="It is she.",
        remove=[],
        actor=reviewer,
        now=NOON,
    )


@pytest.fixture
def opened(desk: Client, reviewer: User, decision: Decision) -> Client:
    """A desk at which the case may be read."""
    grants.open_content(decision.case, reviewer, Purpose.REVIEW, now=timezone.now())
    desk.force_login(reviewer)
    return desk


def test_lists_tell_how_far_and_never_to_whom(opened: Client, decision: Decision) -> None:
    """B17: the receiver is sealed; counts and states are not."""
    by_hand = opened.get("/notices").content.decode()
    queued = opened.get("/notices?list=queued").content.decode()
    assert str(decision.notices.get(state=State.HELD).pk) in by_hand
    assert str(decision.notices.get(state=State.QUEUED).pk) in queued
    assert "photos.example" not in by_hand + queued
    assert opened.get("/notices?list=no-such&page=x").status_code == 200


def test_a_form_is_prepared_and_recorded_with_its_number(
    opened: Client, decision: Decision
) -> None:
    """The fields to copy, then who sent it; a second press changes nothing."""
    notice = decision.notices.get(state=State.HELD)
    page = opened.get(f"/notice/{notice.pk}").content.decode()
    assert FORM in page
    assert "https://telegram.org/dsa-report" in page
    opened.post(f"/notice/{notice.pk}/sent", {"reference": "T-5"})
    notice.refresh_from_db()
    assert (notice.state, notice.next_act) == (State.SENT, "remind")
    assert "T-5" in opened.get(f"/case/{decision.case_id}").content.decode()
    at = notice.sent_at
    opened.post(f"/notice/{notice.pk}/sent", {"reference": "T-6"})
    notice.refresh_from_db()
    assert notice.sent_at == at


def test_an_answer_is_written_down_place_by_place(opened: Client, decision: Decision) -> None:
    """Where every place is down, the notice is settled."""
    notice = decision.notices.get(state=State.HELD)
    number = notice.items.get().number
    opened.post(f"/notice/{notice.pk}/sent", {"reference": ""})
    wrong = opened.post(f"/notice/{notice.pk}/answer", {f"item_{number}": "eaten"})
    assert wrong.status_code == 422
    opened.post(f"/notice/{notice.pk}/answer", {f"item_{number}": "removed"})
    notice.refresh_from_db()
    assert notice.settled_at is not None
    assert notice.items.get().outcome == "removed"


def test_a_dead_letter_is_replayed_from_the_page(opened: Client, decision: Decision) -> None:
    """B21: what was refused stands in its list with a button."""
    notice = decision.notices.get(state=State.QUEUED)
    Notice.objects.filter(pk=notice.pk).update(state=State.REFUSED, last_error="550 5.1.1")
    assert "550 5.1.1" in opened.get("/notices?list=dead").content.decode()
    opened.post(f"/notice/{notice.pk}/send")
    notice.refresh_from_db()
    assert notice.state == State.QUEUED


def test_without_a_grant_nothing_is_opened(
    desk: Client, second_reviewer: User, decision: Decision
) -> None:
    """B17, B11: neither by a colleague who did not say why, nor by an administrator."""
    notice = decision.notices.get(state=State.HELD)
    desk.force_login(second_reviewer)
    assert desk.get(f"/notice/{notice.pk}").status_code == 403
    assert desk.post(f"/notice/{notice.pk}/sent", {"reference": "1"}).status_code == 403
    ada = staff.add("ada", "Ada", Role.ADMINISTRATOR, "a long pass phrase", actor="test", now=NOON)
    desk.force_login(ada[0])
    assert desk.get(f"/notice/{notice.pk}").status_code == 403
    notice.refresh_from_db()
    assert notice.state == State.HELD


def test_a_row_is_added_with_its_source_or_not_at_all(opened: Client, decision: Decision) -> None:
    """Never an invented address: without a source, or a way, nothing goes in."""
    row = {
        "host": "photos.example",
        "step": "platform",
        "name": "Photos",
        "email": "abuse@photos.example",
        "language": "ko",
        "source": "https://photos.example/imprint",
        "dated": (NOON - timedelta(days=1)).date().isoformat(),
    }
    for wrong in (
        {"source": ""},
        {"email": ""},
        {"host": "no host"},
        {"haechi_url": "https://h.example"},
    ):
        assert opened.post("/directory", row | wrong).status_code == 422, wrong
    assert not Receiver.objects.exists()
    assert opened.post("/directory", row).status_code == 302
    assert Receiver.objects.get().source == "https://photos.example/imprint"
    assert "abuse@photos.example" in opened.get("/directory").content.decode()
