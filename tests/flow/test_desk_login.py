"""Into the desk, and who may see what there."""

from datetime import timedelta

import pyotp
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import OUTSIDE_URL, submit

from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Case
from haechi.server.desk import urls
from haechi.server.evidence.models import Exhibit
from haechi.server.matching.models import Check, Platform
from haechi.server.staff import services as staff
from haechi.server.staff.models import LoginAttempt, Role, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long pass phrase"
OPEN_TO_ALL = {"login"}
OPEN_TO_ADMINISTRATORS = {"login", "logout", "log"}
POST_ONLY = {"logout", "claim", "release", "decide", "lift"}


@pytest.fixture
def secret(db: None) -> str:
    """Somebody with a second factor; its secret."""
    return staff.add("min", "Min", Role.REVIEWER, PASSWORD, actor="test", now=NOON)[1]


@pytest.fixture
def administrator(db: None) -> User:
    """Somebody who manages people, not content."""
    return staff.add("ada", "Ada", Role.ADMINISTRATOR, PASSWORD, actor="test", now=NOON)[0]


@pytest.fixture
def arguments(astronaut: bytes, board: Platform) -> dict[str, list[object]]:
    """A case, an exhibit and an appeal that exist, as arguments of every route."""
    report, _ = submit(astronaut, places=(OUTSIDE_URL,))
    case = flow.open_case(report, now=NOON)
    exhibit = Exhibit.objects.get()
    check = Check.objects.create(platform=board, at=NOON, outcome="block", appeal_token="t")
    appeal = appeals.receive(appeals.find("t"), "This is mine.", now=NOON)
    assert check.pk
    given: dict[str, list[object]] = {str(route.name): [] for route in urls.urlpatterns}
    given |= {name: [case.pk] for name in ("case", "claim", "release", "decide")}
    given |= {"lift": [case.pk, exhibit.pk], "exhibit": [exhibit.pk], "picture": [exhibit.pk]}
    return given | {"appeal": [appeal.pk]}


def attempt(desk: Client, token: str, password: str = PASSWORD, next_page: str = "") -> object:
    """One login of Min."""
    data = {"username": "min", "password": password, "token": token, "next": next_page}
    return desk.post("/login", data)


def test_login_needs_all_three_and_starts_a_new_session(desk: Client, secret: str) -> None:
    """B09: whoever knew the session id before knows nothing after."""
    session = desk.session
    session["kept"] = "from before"
    session.save()
    before = session.session_key

    answer = attempt(desk, pyotp.TOTP(secret).now(), next_page="/appeals")

    assert (answer.status_code, answer["location"]) == (302, "/appeals")
    assert desk.session.session_key != before
    assert desk.get("/").status_code == 200
    assert Entry.objects.filter(tag="staff:login").count() == 1


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_login_leads_nowhere_else(desk: Client, secret: str, elsewhere: str) -> None:
    """An address in the login link cannot send people away."""
    answer = attempt(desk, pyotp.TOTP(secret).now(), next_page=elsewhere)
    assert answer["location"] == "/"


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(
    desk: Client, secret: str
) -> None:
    """Words, code, the name is kept, the password is not."""
    answer = attempt(desk, pyotp.TOTP(secret).now(), password="another phrase")
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "staff.login_refused" in page
    assert 'value="min"' in page
    assert "another phrase" not in page
    assert desk.get("/").status_code == 302


def test_a_token_is_accepted_once_also_after_a_failed_login(desk: Client, secret: str) -> None:
    """B10: a token seen over a shoulder is worth nothing."""
    token = pyotp.TOTP(secret).now()
    assert attempt(desk, token, password="wrong").status_code == 403
    assert attempt(desk, token).status_code == 403


def test_guessing_is_throttled_with_its_own_words(desk: Client, secret: str) -> None:
    """B10: the eleventh attempt within a quarter of an hour is not even looked at."""
    assert attempt(desk, "000000", password="wrong").status_code == 403
    known = LoginAttempt.objects.get()
    LoginAttempt.objects.bulk_create(
        LoginAttempt(
            account_digest=known.account_digest,
            prefix_digest=known.prefix_digest,
            at=timezone.now(),
        )
        for _ in range(staff.ATTEMPTS - 1)
    )

    answer = attempt(desk, pyotp.TOTP(secret).now())

    assert answer.status_code == 429
    assert b"staff.throttled" in answer.content
    LoginAttempt.objects.update(at=timezone.now() - timedelta(hours=1))
    assert attempt(desk, pyotp.TOTP(secret).now()).status_code == 302


def test_logout_ends_the_session(desk: Client, reviewer: User) -> None:
    """After it, the same browser is a stranger."""
    desk.force_login(reviewer)
    assert desk.get("/logout").status_code == 405
    assert desk.post("/logout").status_code == 302
    assert desk.get("/").status_code == 302


def test_an_account_that_is_closed_ends_at_the_next_request(desk: Client, reviewer: User) -> None:
    """Nobody stays in by having been in."""
    desk.force_login(reviewer)
    assert desk.get("/").status_code == 200
    User.objects.filter(pk=reviewer.pk).update(is_active=False)
    assert desk.get("/")["location"].startswith("/login")


def ask(desk: Client, name: str, arguments: dict[str, list[object]]) -> object:
    """The route as it is meant to be asked."""
    address = reverse(f"desk:{name}", args=arguments[name])
    return desk.post(address) if name in POST_ONLY else desk.get(address)


def test_every_page_sends_strangers_to_the_login(
    desk: Client, arguments: dict[str, list[object]]
) -> None:
    """Every route in urls.py, so that a new one cannot be forgotten."""
    entries = Entry.objects.count()
    for name in arguments.keys() - OPEN_TO_ALL:
        answer = ask(desk, name, arguments)
        assert (answer.status_code, answer["location"].split("?")[0]) == (302, "/login"), name
    assert Entry.objects.count() == entries


def test_administrators_see_no_content(
    desk: Client, administrator: User, arguments: dict[str, list[object]]
) -> None:
    """B11: every page with content refuses, and no reading is left in the log."""
    desk.force_login(administrator)
    entries = Entry.objects.count()
    for name in arguments.keys() - OPEN_TO_ADMINISTRATORS:
        answer = ask(desk, name, arguments)
        assert answer.status_code == 403, name
        assert b"staff.not_allowed" in answer.content, name
    assert Entry.objects.count() == entries
    assert Case.objects.get().claimed_by is None


def test_everybody_at_the_desk_may_read_the_log(
    desk: Client, administrator: User, arguments: dict[str, list[object]]
) -> None:
    """It holds no content: acts, names, hashes; older pages begin below a position."""
    desk.force_login(administrator)
    first, last = Entry.objects.earliest("position"), Entry.objects.latest("position")

    page = desk.get("/log").content.decode()
    assert bytes(last.hash).hex()[:12] in page
    assert "Somebody posted this" not in page

    older = desk.get(f"/log?before={last.position}").content.decode()
    assert bytes(last.hash).hex()[:12] not in older
    assert bytes(first.hash).hex()[:12] in older
    assert desk.get("/log?before=none").status_code == 200
    assert desk.get("/log?before=99999999999999999999999").status_code == 200
