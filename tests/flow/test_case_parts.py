"""The parts of the case page: side by side, elsewhere, notes, the next step; and whom they open to."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, submit

from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases import claims, elsewhere, grants
from haechi.server.cases.elsewhere import Kind
from haechi.server.cases.models import Case, Look, Purpose
from haechi.server.evidence import custody
from haechi.server.evidence.models import Exhibit, State
from haechi.server.matching import services as matching
from haechi.server.matching.models import Platform
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


def case_of(*pictures: bytes, places: tuple[str, ...] = ()) -> Case:
    """A case, examined."""
    report, _code = submit(*pictures, places=places)
    flow.examine(report, last_try=True)
    return Case.objects.get(report=report)


@pytest.fixture
def earlier(cat: bytes) -> Case:
    """A case whose picture is in our bank."""
    case = case_of(cat, places=(OUTSIDE_URL,))
    exhibit = Exhibit.objects.get(report=case.report)
    matching.add_member(exhibit, seen=True, case_number=case.pk, actor="test", now=NOON)
    return case


@pytest.fixture
def case(earlier: Case, board: Platform, cat: bytes, reviewer: User) -> Case:
    """Another case about the same picture, with a copy on the board; the reviewer works on it."""
    host(board, cat)
    case = case_of(cat, places=(OUTSIDE_URL, BOARD_URL))
    claims.claim(case, reviewer, now=timezone.now())
    return case


def test_a_picture_of_a_case_that_is_not_open_stays_away(
    desk: Client, reviewer: User, earlier: Case, case: Case
) -> None:
    """B17, B25: both cases open, one look, both pictures in custody; a grant ended shows nothing."""
    own, theirs = (Exhibit.objects.get(report=one.report) for one in (case, earlier))
    beside = f"/case/{case.pk}/beside/{own.pk}/{theirs.pk}"
    desk.force_login(reviewer)
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert "That case is not open to you" in page
    assert str(theirs.pk) not in page
    assert desk.post(f"{beside}/lift").status_code == 403
    assert not Look.objects.exists()

    grants.open_content(earlier, reviewer, Purpose.HELP, now=timezone.now())
    assert beside in desk.get(f"/case/{case.pk}").content.decode()
    assert desk.get(f"{beside}/picture").status_code == 403, "nobody has lifted it"
    assert desk.post(f"{beside}/lift").status_code == 204
    shown = desk.get(f"{beside}/picture")
    assert (shown.status_code, shown["content-type"], shown["cache-control"]) == (
        200, "image/jpeg", "no-store",
    )  # fmt: skip
    assert Look.objects.count() == 1
    lifted = Entry.objects.filter(tag=custody.LIFTED).values_list("subject", flat=True)
    assert len(set(lifted)) == 2

    grants.give_back(earlier, reviewer, now=timezone.now())
    assert desk.get(f"{beside}/picture").status_code == 403


def test_only_pairs_that_the_page_offers_can_be_asked_for(
    desk: Client, reviewer: User, case: Case, astronaut: bytes
) -> None:
    """A number of a picture that has nothing to do with the case leads nowhere."""
    own = Exhibit.objects.get(report=case.report)
    stranger = Exhibit.objects.get(report=case_of(astronaut).report)
    desk.force_login(reviewer)
    assert desk.post(f"/case/{case.pk}/beside/{own.pk}/{stranger.pk}/lift").status_code == 404


def test_what_two_cases_share_is_found_by_digests_alone(earlier: Case, case: Case) -> None:
    """An account, a place and a known picture lead to the other case; nothing was opened."""
    before = Entry.objects.count()

    found = elsewhere.of(case)

    assert found.cases == [earlier]
    shared = {tie.source.kind for tie in found.ties if tie.case_id == earlier.pk}
    assert {Kind.PLACE, Kind.PICTURE} <= shared
    account = next(source for source in found.sources if source.kind == Kind.ACCOUNT)
    assert (account.on, account.copies, account.up, len(account.short)) == ("board", 1, 1, 6)
    assert Entry.objects.count() == before


def test_an_account_leads_to_cases_about_other_pictures_of_it(
    board: Platform, cat: bytes, astronaut: bytes, case: Case
) -> None:
    host(board, astronaut, content_id="second", url="https://board.example/post/2")
    other = case_of(astronaut)
    assert other in elsewhere.of(case).cases


def test_places_of_a_sealed_case_have_numbers_for_names(
    desk: Client, second_reviewer: User, case: Case
) -> None:
    """B17: the drawing names what may be read, and nothing else."""
    desk.force_login(second_reviewer)
    sealed = desk.get(f"/case/{case.pk}").content.decode()
    assert "place 1, sealed" in sealed
    assert OUTSIDE_URL not in sealed
    grants.open_content(case, second_reviewer, Purpose.REVIEW, now=timezone.now())
    assert OUTSIDE_URL in desk.get(f"/case/{case.pk}").content.decode()


def test_a_note_is_written_and_read_where_the_case_is_open(
    desk: Client, reviewer: User, second_reviewer: User, case: Case
) -> None:
    """What was typed comes back with a mistake; without a grant nothing is read or written."""
    desk.force_login(second_reviewer)
    refused = desk.post(f"/case/{case.pk}/note", {"text": "Typed without a right."})
    assert refused.status_code == 403
    desk.force_login(reviewer)
    assert desk.post(f"/case/{case.pk}/note", {"text": " "}).status_code == 422
    assert desk.post(f"/case/{case.pk}/note", {"text": "The board knows it."}).status_code == 302
    assert "The board knows it." in desk.get(f"/case/{case.pk}").content.decode()
    desk.force_login(second_reviewer)
    assert "The board knows it." not in desk.get(f"/case/{case.pk}").content.decode()


def test_the_next_step_is_said_on_top(
    desk: Client, reviewer: User, second_reviewer: User, case: Case
) -> None:
    """Take it; wait for a colleague; decide; done."""
    for who, words in ((reviewer, "then decide."), (second_reviewer, "Rim is working on it.")):
        desk.force_login(who)
        assert words in desk.get(f"/case/{case.pk}").content.decode()
    Case.objects.filter(pk=case.pk).update(claimed_until=timezone.now() - timedelta(minutes=1))
    assert "Nobody works on it." in desk.get(f"/case/{case.pk}").content.decode()


def test_a_file_too_long_to_show_says_how_to_see_it(
    desk: Client, reviewer: User, case: Case
) -> None:
    Exhibit.objects.filter(report=case.report).update(
        state=State.KEPT, refusal="media.too_many_bytes"
    )
    desk.force_login(reviewer)
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert f"haechi evidence export {case.pk}" in page
