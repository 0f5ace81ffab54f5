"""Into the desk, and who may see what there."""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from uuid import uuid4

import pyotp
import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import OUTSIDE_URL, host, submit

from haechi import seal
from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import grants, packages, undoing
from haechi.server.cases.models import Case, ErasureRequest, Purpose, Recusal, Review, SavedView
from haechi.server.client import client_address
from haechi.server.desk import urls
from haechi.server.evidence.models import Exhibit
from haechi.server.matching import banks, listing
from haechi.server.matching.models import BankPolicy, Check, MemberStatus, Platform, Sighting
from haechi.server.notices.incoming_models import Incoming, NoticeSender
from haechi.server.reports import holds
from haechi.server.reports.holds import Grounds
from haechi.server.staff import services as staff
from haechi.server.staff.models import LoginAttempt, Role, User

pytestmark = pytest.mark.django_db

PASSWORD = "a long pass phrase"
OPEN_TO_ALL = {"login"}
OPEN_TO_ADMINISTRATORS = {
    "login", "logout", "log", "banks", "bank", "grants", "law", "rule", "policies", "policy", "missed", "order",
    "keeping", "keep", "place_hold", "end_hold", "ask_erasure", "dashboard",
    "platforms", "test_platform", "directory",
    "senders", "sender", "sender_key", "agreement", "undoing",
}  # fmt: skip
POST_ONLY = {
    "logout",
    "claim",
    "release",
    "renew",
    "hand_over",
    "set_aside",
    "undo_aside",
    "undoing",
    "next",
    "save_view",
    "drop_view",
    "open_content",
    "ask_identity",
    "decide",
    "preview",
    "go_on",
    "decide_alike",
    "write",
    "pursue",
    "ask_missing",
    "lift",
    "judge",
    "end",
    "settle",
    "grant",
    "note",
    "lift_pair",
    "examine_again",
    "place_hold",
    "end_hold",
    "ask_erasure",
    "settle_erasure",
    "delivery",
    "test_platform",
    "look",
    "package",
    "open_incoming",
    "aside_incoming",
    "sender_key",
    "notice_act",
    "ask_name",
    "hangs",
    "naming_act",
}

OF_A_CASE = (
    "claim", "release", "renew", "hand_over", "set_aside", "open_content", "ask_identity", "decide",
    "preview", "go_on", "decide_alike", "write", "pursue", "ask_missing",
    "note", "keep", "place_hold", "ask_erasure",
)  # fmt: skip


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
    """A case, an exhibit, an appeal, a bank that exist, as arguments of every route."""
    report, _ = submit(astronaut, places=(OUTSIDE_URL,))
    case = flow.open_case(report, now=NOON)
    exhibit = Exhibit.objects.get()
    check = Check.objects.create(
        platform=board, at=NOON, outcome="block", appeal_token="a-token-of-a-refusal"
    )
    appeal = appeals.receive(appeals.find("a-token-of-a-refusal"), "This is mine.", now=NOON)
    assert check.pk
    given: dict[str, list[object]] = {str(route.name): [] for route in urls.urlpatterns}
    given |= {name: [case.pk] for name in (*OF_A_CASE, "case")}
    given |= {"lift": [case.pk, exhibit.pk], "exhibit": [exhibit.pk], "picture": [exhibit.pk]}
    given |= {"examine_again": [case.pk, exhibit.pk]}
    given |= {"origin_picture": [case.pk, exhibit.pk, "pixels.noise"]}
    bank = banks.make("others", BankPolicy.BLOCK, actor="test", now=NOON)
    new = listing.New("partner", sha256=bytes(32))
    [added] = listing.add(bank, [new], status=MemberStatus.CONFIRMED, actor="test", now=NOON)
    found = Sighting.objects.create(
        member_id=added.member,
        hosted=host(board, astronaut),
        verdict="identical_file",
        found_by="sha256",
        found_at=NOON,
    )
    reader = User.objects.create(username="reader", created_at=NOON, role=Role.REVIEWER)
    grants.open_content(case, reader, Purpose.REVIEW, now=NOON)
    grant = grants.ask_identity(case, reader, Purpose.LAW, "A host asks.", now=NOON)
    other = User.objects.create(username="other", created_at=NOON, role=Role.REVIEWER)
    recusal = Recusal.objects.create(case=case, user=other, at=NOON)
    undone = undoing.ask(recusal, "A mistake.", now=NOON)
    given |= {"undo_aside": [recusal.pk], "undoing": [undone.pk]}
    view = SavedView.objects.create(owner=reader, name="mine")
    given |= {"drop_view": [view.pk]}
    given |= {"grant": [grant.pk, "approve"], "rule": ["us_tida_remove"], "policy": ["deepfake"]}
    hold = holds.place(report, Grounds("Why", "Who"), until=None, actor="test", now=NOON)
    wanted = ErasureRequest.objects.create(
        case=case, reason="asked", asked_by=reader, asked_at=NOON
    )
    given |= {"end_hold": [hold.pk], "settle_erasure": [wanted.pk, "agree"]}
    given |= {
        name: [case.pk, exhibit.pk, exhibit.pk] for name in ("lift_pair", "pair", "pair_picture")
    }
    given |= {"look": [case.pk], "capture": [1]}
    given |= {"delivery": [1, "again"], "test_platform": [board.pk]}
    purpose = packages.Purpose("Police", "A request.", "2026-77")
    key = seal.recipient_of(seal.new_identity())
    package = packages.ask(case, purpose, [key], actor=reader, now=NOON)
    given |= {"packages": [case.pk], "package": [package.pk, "agree"], "package_file": [package.pk]}
    waiting = Incoming.objects.create(way="mail", received_at=NOON, stage="waiting")
    given |= {name: [waiting.pk] for name in ("incoming", "open_incoming", "aside_incoming")}
    known = NoticeSender.objects.create(name="Known", kind="hotline", created_at=NOON)
    given |= {name: [known.pk] for name in ("sender", "sender_key")}
    given |= {"bank": [bank.pk], "settle": [found.pk]}
    drawn = Review.objects.create(case=case, occasion="sample", asked_at=NOON)
    given |= {"second": [drawn.pk]}
    given |= {name: [added.member] for name in ("member", "judge", "end")}
    given |= {name: [1] for name in ("inquiry", "ask_name", "hangs", "trace_hold", "naming")}
    given |= {"naming_act": [1, "approve"]}
    notice = uuid4()
    given |= {"notice": [notice], "notice_act": [notice, "stop"]}
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


def stored(cookie: str) -> str:
    """What the table holds in place of a cookie."""
    return base64.b85encode(hashlib.sha256(cookie.encode()).digest()).decode()


def test_the_cookie_is_nowhere_in_the_table(desk: Client, secret: str) -> None:
    """A dump of the sessions opens nothing: what it holds is no cookie."""
    attempt(desk, pyotp.TOTP(secret).now())
    cookie = desk.cookies["haechi_desk"].value
    row = Session.objects.get()
    assert row.session_key == stored(cookie)
    assert cookie not in row.session_data
    assert desk.get("/").status_code == 200

    desk.cookies["haechi_desk"] = row.session_key

    assert desk.get("/").status_code == 302


def test_a_copied_row_is_no_session(desk: Client, reviewer: User) -> None:
    """Whoever can write the table cannot put another's session under a cookie they choose."""
    desk.force_login(reviewer)
    mine = Session.objects.get()
    chosen = "a" * 32
    Session.objects.create(
        session_key=stored(chosen),
        session_data=mine.session_data,
        expire_date=mine.expire_date,
    )
    assert desk.get("/").status_code == 200
    desk.cookies["haechi_desk"] = chosen
    assert desk.get("/").status_code == 302


def test_sessions_are_saved_again_and_run_out(desk: Client, reviewer: User) -> None:
    """The same row while it lives, nothing after its time, no row after the logout."""
    desk.force_login(reviewer)
    session = desk.session
    session["kept"] = "a"
    session.save()
    assert desk.session["kept"] == "a"
    assert desk.session.exists(session.session_key)
    assert Session.objects.count() == 1

    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert desk.get("/").status_code == 302

    Session.objects.all().delete()
    desk.force_login(reviewer)
    assert desk.get("/").status_code == 200
    assert Session.objects.count() == 1
    desk.post("/logout")
    assert not Session.objects.exists()


def test_a_refused_login_and_a_logout_are_logged(desk: Client, secret: str) -> None:
    """On the account, where there is one; never the name that was typed."""
    user = User.objects.get(username="min")
    attempt(desk, "000000", password="wrong")
    desk.post("/login", {"username": "nobody", "password": "wrong", "token": "000000"})
    refused = Entry.objects.get(tag="staff:login_refused")
    assert (refused.subject, refused.actor) == (audit.name_of(user), "stranger")
    assert refused.detail == {}

    desk.force_login(user)
    desk.post("/logout")

    left = Entry.objects.get(tag="staff:logout")
    assert (left.subject, left.actor) == (audit.name_of(user), user.name_in_log)


PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("remote", "forwarded", "counted"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.1, not an address", "10.0.0.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_trusted_proxies_are_believed(remote: str, forwarded: str, counted: str) -> None:
    """Nobody chooses the address that their guesses count for."""
    assert client_address(remote, forwarded, PROXIES) == counted


def test_without_the_setting_no_header_counts() -> None:
    """The default: whoever connects is who asks."""
    assert client_address("127.0.0.1", "198.51.100.1", ()) == "127.0.0.1"


def test_guesses_behind_a_trusted_proxy_are_told_apart(
    desk: Client, secret: str, settings: Settings
) -> None:
    """Two networks behind one proxy are two prefixes."""
    settings.HAECHI = replace(settings.HAECHI, trusted_proxies=(ip_network("127.0.0.0/8"),))
    data = {"username": "min", "password": "wrong", "token": "000000"}
    for address in ("198.51.100.1", "203.0.113.1"):
        desk.post("/login", data, headers={"x-forwarded-for": address})
    prefixes = LoginAttempt.objects.values_list("prefix_digest", flat=True)
    assert len({bytes(prefix) for prefix in prefixes}) == 2


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
