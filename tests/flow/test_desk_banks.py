"""The desk's pages of banks: who may do what, and that it is done."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from tests.conftest import NOON
from tests.flow.conftest import host

from haechi import fingerprint
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.evidence import services as evidence
from haechi.server.matching import banks, listing
from haechi.server.matching.models import Bank, BankPolicy, Member, MemberStatus, Platform, Surge
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db

ACT = {"actor": "staff:1", "now": NOON}
SETTINGS = {
    "policy": "review",
    "enabled": "no",
    "trusted": "no",
    "pdq_edited_bits": "20",
    "count": "7",
}


@pytest.fixture
def administrator(db: None) -> User:
    role = Role.ADMINISTRATOR
    return staff.add("ada", "Ada", role, "a long pass phrase", actor="test", now=NOON)[0]


@pytest.fixture
def bank(db: None) -> Bank:
    return banks.make("others", BankPolicy.BLOCK, **ACT)


@pytest.fixture
def member(bank: Bank, astronaut: bytes) -> Member:
    columns = evidence.columns(fingerprint.member(astronaut))
    new = listing.New("partner", note="<b>told</b>", **columns)  # type: ignore[arg-type]
    [made] = listing.add(bank, [new], status=MemberStatus.PENDING, **ACT)
    return Member.objects.get(pk=made.member)


def test_the_pages_show_everything_and_run_nothing(
    desk: Client, reviewer: User, member: Member, board: Platform, astronaut: bytes
) -> None:
    host(board, astronaut)
    flow.confirm_member(member, note="seen", **ACT)
    flow.search_backwards()
    Surge.objects.create(member=member, at=NOON, pictures=30, usual=1.5, held=True)
    desk.force_login(reviewer)
    overview = desk.get("/banks").content.decode()
    assert "30, usually 1.5" in overview
    assert "board: 1" in overview
    page = desk.get(f"/member/{member.pk}").content.decode()
    assert "&lt;b&gt;told&lt;/b&gt;" in page
    assert "Picture added to the bank" in page
    assert bytes(member.sha256 or b"").hex() in page
    assert "partner" in desk.get(f"/bank/{member.bank_id}?status=confirmed&page=x").content.decode()
    assert "There is none." in desk.get(f"/bank/{member.bank_id}?status=held").content.decode()
    assert desk.get("/member/999999").status_code == 404
    sighting = member.sightings.get()
    assert desk.post(f"/sighting/{sighting.pk}/settle").status_code == 302
    assert "board: 1" not in desk.get("/banks").content.decode()
    assert Entry.objects.filter(tag="sighting:settled").count() == 1
    desk.post(f"/sighting/{sighting.pk}/settle")
    assert Entry.objects.filter(tag="sighting:settled").count() == 1


@pytest.mark.parametrize(
    ("act", "status", "held"),
    [
        ("confirm", "confirmed", ""),
        ("withdraw", "withdrawn", ""),
        ("dispute", "pending", "disputed"),
        ("hold", "pending", "staff"),
    ],
)
def test_a_reviewer_judges_a_member(
    desk: Client, reviewer: User, member: Member, act: str, status: str, held: str
) -> None:
    desk.force_login(reviewer)
    assert desk.post(f"/member/{member.pk}/judge", {"act": act, "note": "n"}).status_code == 302
    member.refresh_from_db()
    assert (member.status, member.held) == (status, held)
    assert Entry.objects.order_by("-position")[0].actor == reviewer.name_in_log
    desk.post(f"/member/{member.pk}/judge", {"act": "release"})
    member.refresh_from_db()
    assert member.held == ""
    assert desk.post(f"/member/{member.pk}/judge", {"act": "burn"}).status_code == 422


def test_a_reviewer_says_when_a_member_ends(
    desk: Client, reviewer: User, administrator: User, member: Member
) -> None:
    desk.force_login(reviewer)
    address, page = f"/member/{member.pk}/end", f"/member/{member.pk}"
    wanted = {"last_day": "2090-01-31", "reason": "as agreed"}
    assert desk.post(address, wanted).status_code == 302
    member.refresh_from_db()
    assert member.expires_at == datetime(2090, 2, 1, tzinfo=UTC), "that day still counts"
    entry = Entry.objects.order_by("-position")[0]
    assert (entry.tag, entry.detail["reason"]) == ("member:changed", "as agreed")
    assert entry.detail["changed"] == ["expires_at"]
    assert 'value="2090-01-31"' in desk.get(page).content.decode()
    for wrong in ("2001-01-01", "never", "9999-12-31"):
        assert desk.post(address, {"last_day": wrong}).status_code == 422
    assert desk.post(address, {"last_day": ""}).status_code == 302
    member.refresh_from_db()
    assert member.expires_at is None
    desk.force_login(administrator)
    assert desk.post(address, wanted).status_code == 403
    assert desk.get(address).status_code in (403, 405)


def test_an_administrator_changes_settings_and_judges_nothing(
    desk: Client, administrator: User, bank: Bank, member: Member
) -> None:
    desk.force_login(administrator)
    assert desk.post(f"/member/{member.pk}/judge", {"act": "confirm"}).status_code == 403
    address = f"/bank/{bank.pk}"
    assert desk.post(address, SETTINGS).status_code == 422, "a reason is missing"
    for wrong in ({"pdq_edited_bits": "99"}, {"count": "-1"}, {"policy": "delete"}, {"times": "x"}):
        assert desk.post(address, SETTINGS | {"reason": "r"} | wrong).status_code == 422
    bank.refresh_from_db()
    assert (bank.policy, bank.thresholds) == ("block", {})
    assert desk.post(address, SETTINGS | {"reason": "too wide"}).status_code == 302
    bank.refresh_from_db()
    assert (bank.policy, bank.enabled, bank.trusted) == ("review", False, False)
    assert (bank.thresholds, bank.flood) == ({"pdq_edited_bits": 20}, {"count": 7})
    entry = Entry.objects.order_by("-position")[0]
    assert (entry.tag, entry.detail["reason"]) == ("bank:changed", "too wide")
    assert entry.actor == administrator.name_in_log
    assert 'value="20"' in desk.get(address).content.decode()


def test_a_reviewer_changes_no_settings_and_strangers_see_nothing(
    desk: Client, reviewer: User, bank: Bank, member: Member
) -> None:
    for page in ("/banks", f"/bank/{bank.pk}", f"/member/{member.pk}"):
        assert desk.get(page).status_code == 302
    desk.force_login(reviewer)
    assert desk.post(f"/bank/{bank.pk}", SETTINGS | {"reason": "r"}).status_code == 403
    bank.refresh_from_db()
    assert bank.policy == "block"
