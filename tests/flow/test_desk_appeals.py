"""Appeals, read and answered by another person than who decided."""

import pytest
from django.db import transaction
from django.test import Client
from tests.conftest import NOON
from tests.flow.conftest import host, refused, submit

from haechi.server import flow
from haechi.server.appeals import services as appeals
from haechi.server.appeals.models import Appeal
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Case, Ground, Verdict
from haechi.server.evidence import custody
from haechi.server.matching.models import Check, Member, Platform
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def appeal(astronaut: bytes, board: Platform, reviewer: User) -> Appeal:
    """Against a refused upload that met what `reviewer` had decided."""
    host(board, astronaut)
    report, _ = submit(astronaut)
    flow.examine(report, last_try=True)
    with transaction.atomic():
        audit.record(
            custody.LIFTED,
            subject=report.exhibits.get(),
            actor=reviewer.name_in_log,
            at=NOON,
            detail={"reason": "review"},
        )
    flow.decide(
        Case.objects.get(),
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="I saw it.",
        remove=(),
        actor=reviewer,
        now=NOON,
    )
    Check.objects.create(
        platform=board,
        at=NOON,
        outcome="block",
        member=Member.objects.get(),
        verdict="edited_copy",
        label="holiday.png",
        appeal_token="a-token-of-a-refusal",
    )
    return appeals.receive(appeals.find("a-token-of-a-refusal"), "My own <b>picture</b>.", now=NOON)


def answer_with(**changed: str) -> dict[str, str]:
    """The form, filled in."""
    return {"outcome": "granted", "reason": "It shows somebody else."} | changed


def test_an_appeal_is_read_with_what_it_is_against_and_that_is_logged(
    desk: Client, second_reviewer: User, appeal: Appeal
) -> None:
    """Its text is plain text, whatever stands in it."""
    desk.force_login(second_reviewer)
    assert f"/appeal/{appeal.pk}" in desk.get("/appeals").content.decode()

    page = desk.get(f"/appeal/{appeal.pk}").content.decode()

    for words in ("My own &lt;b&gt;picture", "holiday.png", "An edited copy", "Rim"):
        assert words in page, words
    assert Entry.objects.get(tag="appeal:opened").actor == second_reviewer.name_in_log


def test_granting_takes_the_picture_out_of_the_bank(
    desk: Client, second_reviewer: User, appeal: Appeal
) -> None:
    """B22: by another person, once; the answer is on the page."""
    desk.force_login(second_reviewer)

    answer = desk.post(f"/appeal/{appeal.pk}", answer_with())

    assert answer.status_code == 302
    assert Member.objects.get().status == "withdrawn"
    assert b"It shows somebody else." in desk.get(f"/appeal/{appeal.pk}").content
    again = desk.post(f"/appeal/{appeal.pk}", answer_with(outcome="upheld", reason="Other words."))
    assert again.status_code == 409
    assert b"case.closed" in again.content
    assert b"Other words." in again.content
    appeal.refresh_from_db()
    assert appeal.outcome == "granted"


def test_upholding_leaves_the_bank_alone(
    desk: Client, second_reviewer: User, appeal: Appeal
) -> None:
    """The decision stands, with a reason."""
    desk.force_login(second_reviewer)
    assert desk.post(f"/appeal/{appeal.pk}", answer_with(outcome="upheld")).status_code == 302
    assert Member.objects.get().status == "confirmed"
    assert b"No appeal waits." in desk.get("/appeals").content


def test_whoever_decided_does_not_judge_the_appeal(
    desk: Client, reviewer: User, appeal: Appeal
) -> None:
    """No form is offered, and a form sent all the same is refused."""
    desk.force_login(reviewer)
    assert b'name="outcome"' not in desk.get(f"/appeal/{appeal.pk}").content

    answer = desk.post(f"/appeal/{appeal.pk}", answer_with())

    assert answer.status_code == 403
    assert b"staff.not_allowed" in answer.content
    assert b"It shows somebody else." in answer.content
    appeal.refresh_from_db()
    assert appeal.outcome == "waiting"
    assert Member.objects.get().status == "confirmed"


def test_whoever_decided_about_the_same_picture_elsewhere_does_not_judge_either(
    desk: Client, astronaut: bytes, second_reviewer: User, appeal: Appeal
) -> None:
    """Another report of the same file, decided by somebody else, to keep it."""
    report, _ = submit(astronaut)
    flow.examine(report, last_try=False)
    refused(Case.objects.get(report=report), second_reviewer, reason="I saw it too.")
    desk.force_login(second_reviewer)
    assert b'name="outcome"' not in desk.get(f"/appeal/{appeal.pk}").content

    assert desk.post(f"/appeal/{appeal.pk}", answer_with()).status_code == 403

    appeal.refresh_from_db()
    assert appeal.outcome == "waiting"


def test_whoever_decided_about_another_picture_may_judge(
    desk: Client, cat: bytes, second_reviewer: User, appeal: Appeal
) -> None:
    """Only the picture counts."""
    report, _ = submit(cat)
    flow.examine(report, last_try=False)
    refused(Case.objects.get(report=report), second_reviewer, reason="Harmless.")
    desk.force_login(second_reviewer)
    assert desk.post(f"/appeal/{appeal.pk}", answer_with()).status_code == 302


@pytest.mark.parametrize(
    ("changed", "words"),
    [({"reason": " "}, b"case.reason_required"), ({"outcome": "maybe"}, b"Select a valid choice")],
)
def test_an_answer_with_a_gap_is_sent_back(
    desk: Client, second_reviewer: User, appeal: Appeal, changed: dict[str, str], words: bytes
) -> None:
    """Nobody is answered without words."""
    desk.force_login(second_reviewer)
    answer = desk.post(f"/appeal/{appeal.pk}", answer_with(**changed))
    assert answer.status_code == 422
    assert words in answer.content
    appeal.refresh_from_db()
    assert appeal.outcome == "waiting"
