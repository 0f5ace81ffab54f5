"""Second looks by lot: blind, changing nothing, and counted."""

import pytest
from django.test import Client
from tests.conftest import NOON
from tests.flow.conftest import refused
from tests.flow.test_deciding import KEEP, REMOVE, case, judge, opened, person

from haechi.errors import AlreadyLooked, NotAllowed
from haechi.server.cases import agreement, reviews
from haechi.server.cases.models import Action, Case, Decision, Opinion, Review
from haechi.server.staff.models import Role, User

__all__ = ["case"]


@pytest.fixture
def drawn(case: Case, reviewer: User) -> Review:
    """A removal that the lot fell on."""
    admin = person("ada", Role.ADMINISTRATOR)
    reviews.set_percent(100, reason="All.", actor=admin, now=NOON)
    judge(case, REMOVE, reviewer)
    return Review.objects.get()


def test_who_looks_by_lot_sees_nothing_of_the_decision_and_changes_nothing(
    desk: Client, drawn: Review, second_reviewer: User
) -> None:
    """Neither verdict, nor who, nor what followed; the decision stands whatever they say."""
    desk.force_login(second_reviewer)
    assert f"/second/{drawn.pk}" in desk.get("/agreement").content.decode()
    address = f"/second/{drawn.pk}"
    desk.post(address, {"purpose": "review"})
    page = desk.get(address).content.decode()
    assert "Somebody posted this." in page
    for telling in ("The same picture.", "Rim", "on its way", "History", f'/case/{drawn.case_id}"'):
        assert telling not in page, telling
    actions = Action.objects.count()

    assert desk.post(address, {"verdict": "keep", "reason": "Harmless."}).status_code == 302

    assert Decision.objects.get().verdict == "remove"
    assert Action.objects.count() == actions
    assert Opinion.objects.get(place=2).user == second_reviewer
    found = agreement.of_pairs([(a.verdict, b.verdict) for a, b in agreement.looked_at()])
    assert (found.pairs, found.percent) == (1, 0)
    assert "Harmless." in desk.get(f"/case/{drawn.case_id}").content.decode()


def test_who_has_seen_the_decision_is_not_asked(
    desk: Client, drawn: Review, reviewer: User, second_reviewer: User
) -> None:
    """Neither who decided, nor who opened the page of the case since."""
    desk.force_login(second_reviewer)
    desk.get(f"/case/{drawn.case_id}")
    for known in (reviewer, second_reviewer):
        assert not reviews.drawn_for(known).exists()
        with pytest.raises(AlreadyLooked):
            reviews.look_again(drawn, KEEP, actor=known, now=NOON)
    assert reviews.drawn_for(person("third")).get() == drawn


def test_the_lot_hangs_on_the_report_alone(
    case: Case, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again it falls the same way; none is drawn at 0, and a child's never."""
    assert reviews._lot(case) == reviews._lot(Case.objects.get(pk=case.pk))
    assert 0 <= reviews._lot(case) < 100
    monkeypatch.setattr(reviews, "USUAL_PERCENT", 100)
    case.report.age = "under_18"
    decision = judge(case, REMOVE, reviewer)
    assert decision is not None
    assert not Review.objects.exists()


def test_only_administrators_say_how_many(reviewer: User, desk: Client) -> None:
    """And it is in force for all that is decided from then on."""
    with pytest.raises(NotAllowed):
        reviews.set_percent(0, reason="None.", actor=reviewer, now=NOON)
    desk.force_login(reviewer)
    assert desk.post("/agreement", {"percent": 0, "reason": "x"}).status_code == 403


def test_refusals_count_too(desk: Client, astronaut: bytes, reviewer: User) -> None:
    """On the page: how many, how far alike, by which ground."""
    refused(opened(astronaut)[0], reviewer)
    desk.force_login(reviewer)
    page = desk.get("/agreement").content.decode()
    assert "100 %" in page
    assert "nothing is refused by one person alone" in page


def test_kappa_of_the_textbook() -> None:
    """Cohen's own kind of table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no give 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = agreement.of_pairs(pairs)
    assert found.percent == pytest.approx(70)
    assert found.kappa == pytest.approx(0.4)
    assert found.low == pytest.approx(0.146, abs=0.001)
    assert found.high == pytest.approx(0.654, abs=0.001)
    assert agreement.of_pairs([("y", "y")] * 3).kappa is None
    assert agreement.of_pairs([]).percent is None
