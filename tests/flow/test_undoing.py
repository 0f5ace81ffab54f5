"""A case that was set aside by mistake comes back: who set it aside asks, an administrator answers."""

import pytest
from django.test import Client
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, submit

from haechi.errors import NotAllowed, OwnRequest, ReasonRequired
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases import claims, undoing
from haechi.server.cases.models import Case, Recusal, Undoing
from haechi.server.reports.models import Report, State
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db

WHY = "I pressed the wrong button."
YES = "Min says it was the wrong row."


@pytest.fixture
def case(astronaut: bytes) -> Case:
    report, _ = submit(astronaut, places=(BOARD_URL,))
    return flow.open_case(report, now=NOON)


@pytest.fixture
def administrator(db: None) -> User:
    made = staff.add("ada", "Ada", Role.ADMINISTRATOR, "a long pass phrase", actor="test", now=NOON)
    return made[0]


@pytest.fixture
def recusal(case: Case, reviewer: User) -> Recusal:
    """The reviewer set the case aside."""
    claims.set_aside(case, reviewer, now=timezone.now())
    return Recusal.objects.get()


def rights(desk: Client, user: User) -> str:
    """The page of rights as somebody sees it."""
    desk.force_login(user)
    return desk.get("/grants").content.decode()


def test_one_asks_another_agrees_and_the_case_is_there_again(
    desk: Client, reviewer: User, administrator: User, case: Case, recusal: Recusal
) -> None:
    """Until the yes nothing opens; who asked is told, in the queue and with the words."""
    ask, page = f"/set-aside/{recusal.pk}/undo", f"/case/{case.pk}"
    assert ask in rights(desk, reviewer)
    assert desk.post(ask, {"reason": " "}).status_code == 422
    assert desk.post(ask, {"reason": WHY}).status_code == 302
    assert ask not in rights(desk, reviewer), "asked once"
    assert desk.get(page).status_code == 404

    answer = f"/undoing/{Undoing.objects.get().pk}"
    desk.force_login(administrator)
    assert WHY in rights(desk, administrator)
    assert desk.post(answer, {"reason": "", "agreed": "yes"}).status_code == 422
    assert desk.post(answer, {"reason": YES, "agreed": "yes"}).status_code == 302

    desk.force_login(reviewer)
    assert b"/grants" in desk.get("/").content.partition(b'class="queue__views"')[0][-600:]
    assert YES in rights(desk, reviewer)
    assert b"The answer is here" not in desk.get("/").content, "seen"
    assert desk.post(f"{page}/claim").status_code == 302
    assert "Setting a case aside undone" in desk.get(page).content.decode()
    written = Entry.objects.filter(tag__startswith="case:")
    # The administrator read it twice: to answer, and with the answer that lacked a reason.
    assert list(written.order_by("position").values_list("tag", "actor"))[1:] == [
        ("case:set_aside", reviewer.name_in_log),
        ("case:undoing_asked", reviewer.name_in_log),
        ("case:undoing_read", administrator.name_in_log),
        ("case:undoing_read", administrator.name_in_log),
        ("case:shown_again", administrator.name_in_log),
        ("case:claimed", reviewer.name_in_log),
    ]
    assert WHY not in str(Entry.objects.values_list("detail", flat=True))


def test_a_no_keeps_it_away_and_may_be_asked_about_again(
    desk: Client, reviewer: User, administrator: User, case: Case, recusal: Recusal
) -> None:
    asked = undoing.ask(recusal, WHY, now=NOON)
    assert undoing.ask(recusal, "Again.", now=NOON) == asked, "pressed twice, once"
    desk.force_login(administrator)
    desk.post(f"/undoing/{asked.pk}", {"reason": "You know her.", "agreed": "no"})
    desk.post(f"/undoing/{asked.pk}", {"reason": "Too late.", "agreed": "yes"})
    assert claims.is_aside(case, reviewer)
    page = rights(desk, reviewer)
    assert "You know her." in page
    assert "Too late." not in page
    assert desk.get(f"/case/{case.pk}").status_code == 404
    assert undoing.ask(recusal, "Please look again.", now=NOON) != asked


def test_nobody_undoes_it_alone(
    reviewer: User, second_reviewer: User, administrator: User, recusal: Recusal
) -> None:
    """Not who asked, in whichever role; not a colleague; not without a reason."""
    asked = undoing.ask(recusal, WHY, now=NOON)
    for actor in (reviewer, second_reviewer):
        with pytest.raises(NotAllowed):
            undoing.settle(asked, agreed=True, why=YES, actor=actor, now=NOON)
    staff.set_role(reviewer, Role.ADMINISTRATOR, actor="test", now=NOON)
    with pytest.raises(OwnRequest):
        undoing.settle(asked, agreed=True, why=YES, actor=reviewer, now=NOON)
    with pytest.raises(ReasonRequired):
        undoing.settle(asked, agreed=True, why=" ", actor=administrator, now=NOON)
    assert Recusal.objects.exists()


def test_others_learn_of_it_only_by_being_asked(
    desk: Client,
    reviewer: User,
    second_reviewer: User,
    administrator: User,
    case: Case,
    recusal: Recusal,
) -> None:
    """No list of who set what aside; colleagues see no request; who set it aside too answers none."""
    named = f"Case {case.pk}"
    assert named in rights(desk, reviewer)
    assert named not in rights(desk, administrator)
    asked = undoing.ask(recusal, WHY, now=NOON)
    assert named not in rights(desk, second_reviewer)
    ask, answer = f"/set-aside/{recusal.pk}/undo", f"/undoing/{asked.pk}"
    assert desk.post(ask, {"reason": WHY}).status_code == 404
    assert desk.post(answer, {"reason": YES, "agreed": "yes"}).status_code == 403
    assert named in rights(desk, administrator)
    Recusal.objects.create(case=case, user=administrator, at=NOON)
    assert named not in rights(desk, administrator)
    assert desk.post(answer, {"reason": YES, "agreed": "yes"}).status_code == 404


def test_its_words_go_with_the_report(reviewer: User, case: Case, recusal: Recusal) -> None:
    asked = undoing.ask(recusal, WHY, now=NOON)
    assert undoing.read(asked, actor=reviewer, now=NOON).reason == WHY
    assert WHY.encode() not in bytes(asked.reason)
    claims.forget(case)
    asked.refresh_from_db()
    assert (bytes(asked.reason), bytes(asked.answer)) == (b"", b"")


def test_what_was_answered_meanwhile_is_not_asked_again(
    reviewer: User, administrator: User, case: Case, recusal: Recusal
) -> None:
    """Or a yes to the second request would undo what is set aside later."""
    asked = undoing.ask(recusal, WHY, now=NOON)
    undoing.settle(asked, agreed=True, why=YES, actor=administrator, now=NOON)
    assert undoing.ask(recusal, WHY, now=NOON).pk == asked.pk
    assert not Undoing.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize("gone", ["person", "report"])
def test_a_request_of_somebody_or_something_gone_waits_for_nobody(
    gone: str, desk: Client, reviewer: User, administrator: User, case: Case, recusal: Recusal
) -> None:
    asked = undoing.ask(recusal, WHY, now=NOON)
    assert f"/undoing/{asked.pk}" in rights(desk, administrator)
    if gone == "person":
        User.objects.filter(pk=reviewer.pk).update(is_active=False)
    else:
        claims.forget(case)
        Report.objects.filter(pk=case.report_id).update(state=State.ERASED)
    assert f"/undoing/{asked.pk}" not in rights(desk, administrator)
