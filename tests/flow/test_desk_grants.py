"""Who may open what a case holds (B17), who learns who reported (B18), how much one looks (B26)."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, submit

from haechi.errors import BreakNeeded, NotAllowed
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import grants, wellbeing
from haechi.server.cases.models import Case, Grant, Purpose, Scope
from haechi.server.desk.case_page.exhibits import BUDGET
from haechi.server.evidence.models import Exhibit
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(astronaut: bytes) -> Case:
    report, _ = submit(astronaut, places=(BOARD_URL,))
    flow.examine(report, last_try=True)
    return Case.objects.get(report=report)


@pytest.fixture
def administrator(db: None) -> User:
    made = staff.add("ada", "Ada", Role.ADMINISTRATOR, "a long pass phrase", actor="test", now=NOON)
    return made[0]


@pytest.fixture
def look(desk: Client) -> Callable[[User, Case], str]:
    """The page of a case as somebody sees it."""

    def page(user: User, case: Case) -> str:
        desk.force_login(user)
        return desk.get(f"/case/{case.pk}").content.decode()

    return page


def test_nothing_is_read_before_somebody_says_why(
    desk: Client, reviewer: User, case: Case, look: Callable[[User, Case], str]
) -> None:
    """B17: neither words nor places nor pictures, and no reading in the log."""
    exhibit = Exhibit.objects.get()
    page = look(reviewer, case)
    assert "Somebody posted this." not in page
    assert BOARD_URL not in page
    assert desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift").status_code == 403
    assert (
        desk.post(f"/case/{case.pk}/decide", {"verdict": "keep", "reason": "x"}).status_code == 403
    )
    assert not Entry.objects.filter(tag__in=("report:opened", "exhibit:lifted")).exists()

    assert desk.post(f"/case/{case.pk}/open", {"purpose": "because"}).status_code == 403
    assert desk.post(f"/case/{case.pk}/open", {"purpose": "appeal"}).status_code == 302

    assert "Somebody posted this." in look(reviewer, case)
    given = Entry.objects.get(tag="grant:given")
    assert (given.actor, given.subject) == (reviewer.name_in_log, audit.name_of(case))
    assert given.detail["purpose"] == "appeal"


def test_taking_a_case_opens_it_and_giving_it_back_closes_it(
    desk: Client, reviewer: User, case: Case, look: Callable[[User, Case], str]
) -> None:
    """B17, B26: no mark stays with who gives it back."""
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/claim")
    assert "Somebody posted this." in look(reviewer, case)
    desk.post(f"/case/{case.pk}/release")
    assert "Somebody posted this." not in look(reviewer, case)
    assert not Grant.objects.taken_away().exists()
    desk.post(f"/case/{case.pk}/claim")
    assert "Somebody posted this." in look(reviewer, case)


def test_a_right_ends_by_itself(reviewer: User, case: Case) -> None:
    now = timezone.now()
    grants.open_content(case, reviewer, Purpose.REVIEW, now=now)
    almost = now + grants.CONTENT_FOR - timedelta(seconds=1)
    assert grants.holds(case, reviewer, Scope.CONTENT, now=almost)
    assert not grants.holds(case, reviewer, Scope.CONTENT, now=now + grants.CONTENT_FOR)
    grants.open_content(case, reviewer, Purpose.REVIEW, now=almost)
    assert grants.holds(case, reviewer, Scope.CONTENT, now=now + grants.CONTENT_FOR)
    assert Grant.objects.count() == 1


def test_what_is_taken_away_is_gone_at_the_next_request(
    desk: Client,
    reviewer: User,
    administrator: User,
    case: Case,
    look: Callable[[User, Case], str],
) -> None:
    """B17: a picture that was lifted a moment ago too; only another person gives it again."""
    exhibit = Exhibit.objects.get()
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/claim")
    assert desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift").status_code == 204
    assert desk.get(f"/exhibit/{exhibit.pk}/picture").status_code == 200
    grant = Grant.objects.get()

    other = Client(headers={"accept-language": "en"})
    other.force_login(administrator)
    assert other.post(f"/grant/{grant.pk}/end").status_code == 302

    assert desk.get(f"/exhibit/{exhibit.pk}/picture").status_code == 403
    assert "Somebody posted this." not in look(reviewer, case)
    for address, fields in (("open", {"purpose": "review"}), ("claim", {})):
        answer = desk.post(f"/case/{case.pk}/{address}", fields)
        assert answer.status_code == 403
        assert b"case.grant_revoked" in answer.content
    assert desk.post(f"/grant/{grant.pk}/again").status_code == 403

    other.force_login(administrator)
    assert other.post(f"/grant/{grant.pk}/again").status_code == 302
    assert "Somebody posted this." in look(reviewer, case)


def test_who_reported_needs_a_second_person(
    desk: Client,
    reviewer: User,
    second_reviewer: User,
    case: Case,
    look: Callable[[User, Case], str],
) -> None:
    """B18, B23: with a reason, and never by oneself; the reading says what it opened."""
    signature = "<dd>K.</dd>"
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/claim")
    assert signature not in look(reviewer, case)
    bare = desk.post(f"/case/{case.pk}/identity", {"purpose": "law", "note": ""})
    assert bare.status_code == 422
    asked = {"purpose": "law", "note": "The host wants a name."}
    assert desk.post(f"/case/{case.pk}/identity", asked).status_code == 302
    grant = Grant.objects.get(scope=Scope.IDENTITY)
    assert b"The host" not in bytes(grant.note)
    own = desk.post(f"/grant/{grant.pk}/approve")
    assert (own.status_code, b"staff.own_request" in own.content) == (403, True)
    assert signature not in look(reviewer, case)

    desk.force_login(second_reviewer)
    assert "The host wants a name." in desk.get("/grants").content.decode()
    readings = Entry.objects.filter(tag="grant:note_read")
    assert (readings.get().actor, readings.get().detail["grant"]) == (
        second_reviewer.name_in_log,
        grant.pk,
    )
    desk.get("/grants")
    assert readings.count() == 2
    assert desk.post(f"/grant/{grant.pk}/approve").status_code == 302

    assert signature in look(reviewer, case)
    assert Entry.objects.filter(tag="report:opened").latest("position").detail["identity"] is True
    over = timezone.now() + grants.IDENTITY_FOR
    assert not grants.holds(case, reviewer, Scope.IDENTITY, now=over)


def test_only_what_was_taken_away_is_given_again(
    reviewer: User, second_reviewer: User, administrator: User, case: Case
) -> None:
    """B17: once; neither what runs, nor what was given back, nor a name."""
    now = timezone.now()
    own = grants.open_content(case, reviewer, Purpose.REVIEW, now=now)

    def again(grant: Grant) -> Grant:
        return grants.give_again(Grant.objects.get(pk=grant.pk), actor=administrator, now=now)

    with pytest.raises(NotAllowed):
        again(own)
    asked = grants.ask_identity(case, reviewer, Purpose.LAW, "A host asks.", now=now)
    grants.end(asked, actor=second_reviewer, now=now)
    with pytest.raises(NotAllowed):
        again(asked)
    grants.end(own, actor=reviewer, now=now)
    with pytest.raises(NotAllowed):
        again(own)
    taken = grants.open_content(case, reviewer, Purpose.REVIEW, now=now)
    grants.end(taken, actor=administrator, now=now)
    new = again(taken)
    assert again(taken) == new
    grants.end(new, actor=reviewer, now=now)
    with pytest.raises(NotAllowed):
        again(taken)


def test_a_refused_request_opens_nothing_and_may_be_asked_again(
    reviewer: User, second_reviewer: User, case: Case
) -> None:
    now = timezone.now()
    grants.open_content(case, reviewer, Purpose.REVIEW, now=now)
    first = grants.ask_identity(case, reviewer, Purpose.LAW, "A host asks.", now=now)
    assert grants.ask_identity(case, reviewer, Purpose.LAW, "Again.", now=now) == first
    assert grants.end(first, actor=second_reviewer, now=now)
    assert not grants.approve(first, actor=second_reviewer, now=now)
    assert not grants.holds(case, reviewer, Scope.IDENTITY, now=now)
    assert grants.ask_identity(case, reviewer, Purpose.LAW, "Once more.", now=now) != first


def test_an_administrator_gives_no_names_and_reads_no_notes(
    desk: Client, reviewer: User, administrator: User, case: Case
) -> None:
    """B11: rights are theirs to take away, content is not theirs to read."""
    now = timezone.now()
    grants.open_content(case, reviewer, Purpose.REVIEW, now=now)
    grant = grants.ask_identity(case, reviewer, Purpose.LAW, "A host asks.", now=now)
    desk.force_login(administrator)
    assert "A host asks." not in desk.get("/grants").content.decode()
    assert desk.post(f"/grant/{grant.pk}/approve").status_code == 403
    assert desk.post(f"/case/{case.pk}/open", {"purpose": "review"}).status_code == 403
    assert desk.post(f"/grant/{grant.pk}/anything").status_code == 403


def test_a_run_of_looks_ends_in_a_pause_and_a_day_in_rest(reviewer: User, case: Case) -> None:
    """B26: each look counts; a pause is a pause however it came about."""
    exhibit = Exhibit.objects.get()
    budget = wellbeing.Budget(a_day=7, a_run=3, pause=timedelta(minutes=10))
    minute = timedelta(minutes=1)

    def seen(at: int) -> None:
        wellbeing.look(exhibit, reviewer, budget, now=NOON + at * minute)

    for at in (0, 1, 2):
        seen(at)
    with pytest.raises(BreakNeeded) as rest:
        seen(3)
    assert rest.value.args[0] == NOON + 12 * minute
    for at in (12, 13, 24, 25):
        seen(at)
    with pytest.raises(BreakNeeded) as rest:
        seen(60)
    assert rest.value.args[0] == NOON + timedelta(hours=24)
    assert Entry.objects.filter(tag="exhibit:lifted").count() == 7
    seen(24 * 60)


def test_the_desk_says_until_when_to_rest(desk: Client, reviewer: User, case: Case) -> None:
    """B26: no picture, plain words, and the way to give the case back."""
    exhibit = Exhibit.objects.get()
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/claim")
    for _ in range(BUDGET.a_run):
        assert desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift").status_code == 204
    answer = desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift", {"page": "1"})
    assert answer.status_code == 429
    assert re.search(rb"Please rest until \d\d:\d\d UTC", answer.content)
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert f"You have looked {BUDGET.a_run} times" in page


@pytest.mark.parametrize("change", ["password", "role", "second factor", "closed"])
def test_a_change_of_an_account_ends_its_sessions(
    desk: Client, reviewer: User, change: str
) -> None:
    """B09: at once, and a closed account that is opened again starts from the login."""
    desk.force_login(reviewer)
    assert desk.get("/").status_code == 200
    now = timezone.now()
    if change == "password":
        staff.set_password(reviewer, "another long phrase", actor="test", now=now)
    elif change == "role":
        staff.set_role(reviewer, Role.ADMINISTRATOR, actor="test", now=now)
    elif change == "second factor":
        staff.new_second_factor(reviewer, actor="test", now=now)
    else:
        staff.set_active(reviewer, active=False, actor="test", now=now)
        staff.set_active(reviewer, active=True, actor="test", now=now)
    assert desk.get("/").status_code == 302


def test_a_racing_request_brings_no_session_back(
    desk: Client, reviewer: User, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B09: a lift that is under way while the same person logs out writes no session."""
    exhibit = Exhibit.objects.get()
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/claim")
    real = wellbeing.look

    def slow(*args: object, **kwargs: object) -> None:
        real(*args, **kwargs)  # type: ignore[arg-type]
        Session.objects.all().delete()

    monkeypatch.setattr(wellbeing, "look", slow)
    assert desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift").status_code == 400
    assert not Session.objects.exists()
    assert desk.get("/").status_code == 302
