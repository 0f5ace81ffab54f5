"""The policy catalogue at the desk: read by all, written by administrators, never changed."""

import pytest
from django.test import Client
from tests.conftest import NOON

from haechi.server.audit.models import Entry
from haechi.server.cases import policies
from haechi.server.cases.models import Verdict
from haechi.server.cases.models.policy import Policy
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

NEXT = {
    "offered": "yes",
    "kind": "rule",
    "verdicts": ["remove"],
    "title_ko": "우리 규칙",
    "title_zh": "我们的规则",
    "title_en": "Our rule",
    "legal_ground": "Terms, section 3",
    "explanation": "It is against our terms.",
    "source": "https://board.example/terms",
    "synthetic": "no",
    "minor": "no",
    "reason": "The terms are new.",
    "version": "2",
}


@pytest.fixture
def head(desk: Client) -> Client:
    """An administrator's desk."""
    user = staff.add(
        "head", "Head", Role.ADMINISTRATOR, "a long pass phrase", actor="test", now=NOON
    )
    desk.force_login(user[0])
    return desk


@pytest.mark.django_db
def test_an_administrator_writes_the_next_version_and_a_decision_rests_on_it(head: Client) -> None:
    """The log says who and that; what was before stays."""
    assert head.post("/grounds/deepfake", NEXT).status_code == 302

    new = Policy.objects.get()
    assert (new.key, new.version, new.title_en) == ("deepfake", 2, "Our rule")
    assert [each.version for each in policies.history("deepfake")] == [2, 1]
    assert policies.in_force("deepfake", Verdict.REMOVE, new.from_at) == new
    assert Entry.objects.filter(tag="policy:changed").count() == 1


@pytest.mark.django_db
def test_of_two_who_write_the_same_version_one_is_told(head: Client) -> None:
    """Nothing that somebody has not read is replaced."""
    head.post("/grounds/deepfake", NEXT)

    again = head.post("/grounds/deepfake", NEXT)

    assert again.status_code == 409
    assert b"law.rule_changed" in again.content
    assert Policy.objects.count() == 1


@pytest.mark.django_db
def test_a_new_ground_has_a_key_of_its_own(head: Client) -> None:
    """A key that exists is refused, and so is one that no order could carry."""
    assert head.post("/grounds", NEXT | {"key": "deepfake", "version": 1}).status_code == 422
    assert head.post("/grounds", NEXT | {"key": "Our rule!", "version": 1}).status_code == 422
    assert head.post("/grounds", NEXT | {"key": "our_rule", "version": 1}).status_code == 302
    assert b"Our rule" in head.get("/grounds").content


@pytest.mark.django_db
def test_reviewers_read_and_do_not_write(desk: Client, reviewer: User) -> None:
    """B11."""
    desk.force_login(reviewer)

    assert b'<form class="form"' not in desk.get("/grounds/deepfake").content
    assert desk.post("/grounds/deepfake", NEXT).status_code == 403
    assert desk.post("/grounds", NEXT | {"key": "mine"}).status_code == 403
    assert not Policy.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("harm", [{"reason": ""}, {"verdicts": []}, {"title_ko": "x" * 201}])
def test_what_is_not_whole_changes_nothing(head: Client, harm: dict[str, object]) -> None:
    """It is said beside the field; what was typed is still there."""
    refused = head.post("/grounds/deepfake", NEXT | harm)

    assert refused.status_code == 422
    assert b"https://board.example/terms" in refused.content
    assert not Policy.objects.exists()
