"""The order of the queue, its filters and its pages; who takes what, and what nobody sees again."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import NOON
from tests.flow.queued import clock, somebody, waits

from haechi.errors import CaseClaimed, CaseClosed, NotAllowed, ReasonRequired
from haechi.server.audit.models import Entry
from haechi.server.cases import claims, grants, queue, urgency
from haechi.server.cases.models import Case, Clock, Purpose, Scope, State
from haechi.server.cases.queue import Asked
from haechi.server.reports.models import Age, Harm, Report
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)

LIKELY = st.fixed_dictionaries(
    {
        "due": st.none() | st.integers(-50, 200),
        "opened": st.integers(-100, 0),
        "age": st.sampled_from(Age),
        "harms": st.sets(st.sampled_from(Harm), max_size=3),
        "danger": st.booleans(),
        "stopped": st.none() | st.integers(-60, 100),
    }
)


def slowly(cases: list[Case], hours: dict[str, int]) -> list[int]:
    """The order as docs/queue.md says it, from the rows themselves."""

    def place(case: Case) -> tuple[object, ...]:
        report = case.report
        running = [each.due_at for each in case.clocks.all() if each.stopped_at is None]
        ends = min(running) if running else case.opened_at + hours["no_clock"] * HOUR
        said = {
            "danger": report.danger,
            "minor": report.age == Age.UNDER_18,
            "age_unsaid": report.age == Age.UNSAID,
            "threat": {"threatened", "extorted"} & set(report.harms),
            "doxxed": {"doxxed", "watched"} & set(report.harms),
            "spreading": {"shared", "sold"} & set(report.harms),
            "new": True,  # Nothing was found in these tests.
        }
        forward = sum(hours[name] for name, is_so in said.items() if is_so)
        return (report.age != Age.UNDER_18, ends - forward * HOUR, case.opened_at, case.pk)

    return [case.pk for case in sorted(cases, key=place)]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LIKELY, min_size=2, max_size=7), st.integers(0, 100))
def test_the_order_is_the_slow_definition(facts: list[dict[str, object]], threat: int) -> None:
    """Least time left, less the weights of what happened; children in a list before all others."""
    with transaction.atomic():
        ada = User.objects.filter(username="ada").first() or somebody("ada", Role.ADMINISTRATOR)
        urgency.change_weight("threat", threat, reason="We see more.", actor=ada, now=NOON)
        for one in facts:
            due, stopped = one["due"], one["stopped"]
            case = waits(
                None if due is None else NOON + due * HOUR,  # type: ignore[operator]
                at=NOON + one["opened"] * HOUR,  # type: ignore[operator]
                age=one["age"],  # type: ignore[arg-type]
                harms=tuple(sorted(one["harms"])),  # type: ignore[arg-type,call-overload]
                danger=bool(one["danger"]),
            )
            if stopped is not None:
                late = clock(case, NOON + stopped * HOUR, rule="stopped")  # type: ignore[operator]
                Clock.objects.filter(pk=late.pk).update(stopped_at=NOON)
        queue.refresh_all()
        cases = list(Case.objects.select_related("report").prefetch_related("clocks"))

        assert [case.pk for case in Case.objects.queue()] == slowly(cases, urgency.weights())
        transaction.set_rollback(True)


def test_a_case_moves_when_a_clock_stops_or_something_is_said(reviewer: User) -> None:
    """What is stored follows what is true; what stood right is left alone."""
    first, second = waits(NOON + 5 * HOUR), waits(NOON + 9 * HOUR)
    assert list(Case.objects.queue()) == [first, second]

    Clock.objects.filter(case=first).update(stopped_at=NOON)
    Report.objects.filter(case=second).update(danger=True)

    assert queue.refresh_all() == 2
    assert queue.refresh_all() == 0
    assert list(Case.objects.queue()) == [second, first]
    assert "danger" in Case.objects.get(pk=second.pk).facets


def test_a_weight_is_changed_with_a_reason_that_is_logged() -> None:
    ada = somebody("ada", Role.ADMINISTRATOR)
    with pytest.raises(ReasonRequired):
        urgency.change_weight("doxxed", 90, reason=" ", actor=ada, now=NOON)
    assert urgency.weights() == urgency.USUAL

    urgency.change_weight("doxxed", 90, reason="Two were followed.", actor=ada, now=NOON)

    assert urgency.weights() == {**urgency.USUAL, "doxxed": 90}
    logged = Entry.objects.get(tag="queue:weight_changed")
    assert (logged.actor, logged.detail) == (ada.name_in_log, {"hours": 90, "before": 24})


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(), {"child", "unsaid", "threat", "kr", "mine", "held"}),
        (Asked(age="minor"), {"child"}),
        (Asked(age="unsaid"), {"unsaid"}),
        (Asked(age="adult"), {"threat", "kr", "mine", "held"}),
        (Asked(danger="yes"), {"threat"}),
        (Asked(harm="threatened"), {"threat"}),
        (Asked(law="kr_tba"), {"kr"}),
        (Asked(holder="me"), {"mine"}),
        (Asked(holder="others"), {"held"}),
        (Asked(holder="nobody", age="adult"), {"threat", "kr"}),
        (Asked(hits="yes"), set()),
        (Asked(hits="no", danger="yes"), {"threat"}),
        (Asked(platform="7"), set()),
        (Asked(state="second"), {"kr"}),
    ],
)
def test_each_filter_gives_what_it_says(
    asked: Asked, expected: set[str], reviewer: User, second_reviewer: User
) -> None:
    cases = {
        "child": waits(age=Age.UNDER_18),
        "unsaid": waits(age=Age.UNSAID),
        "threat": waits(harms=("threatened",), danger=True),
        "kr": waits(),
        "mine": waits(),
        "held": waits(),
    }
    clock(cases["kr"], NOON, rule="kr_tba")
    queue.refresh(cases["kr"])
    Case.objects.filter(pk=cases["kr"].pk).update(state=State.SECOND)
    claims.claim(cases["mine"], reviewer, now=NOON)
    claims.claim(cases["held"], second_reviewer, now=NOON)

    found = queue.waiting(asked, reviewer, now=NOON)

    assert {name for name, case in cases.items() if case in found} == expected


def test_pages_follow_one_another_without_a_gap(reviewer: User) -> None:
    """Also where several stand at the very same moment."""
    for number in range(9):
        waits(NOON + (number // 3) * HOUR, at=NOON - (number % 2) * HOUR)
    everything = [case.pk for case in Case.objects.queue()]

    seen: list[int] = []
    while len(seen) < 9:
        found = queue.waiting(Asked(), reviewer, now=NOON)
        seen += [case.pk for case in (queue.after(found, seen[-1]) if seen else found)[:2]]

    assert seen == everything
    assert queue.count(Case.objects.queue()) == 9


def test_a_lease_renews_while_one_works_and_frees_itself(
    reviewer: User, second_reviewer: User
) -> None:
    case = waits()
    claims.claim(case, reviewer, now=NOON)
    later = NOON + claims.LEASE - timedelta(seconds=1)
    assert claims.renew(case, reviewer, now=later)
    assert not claims.renew(case, second_reviewer, now=later)
    with pytest.raises(CaseClaimed):
        claims.claim(case, second_reviewer, now=later + claims.LEASE)

    gone = later + claims.LEASE + timedelta(seconds=1)
    assert not claims.renew(case, reviewer, now=gone)
    claims.claim(case, second_reviewer, now=gone)
    assert not claims.renew(case, reviewer, now=gone)
    case.refresh_from_db()
    assert case.holder(gone) == second_reviewer


def test_the_next_one_is_neither_mine_nor_just_given_back(reviewer: User) -> None:
    """B26: who gives a case back is not given it again at once."""
    first, second = waits(NOON + HOUR), waits(NOON + 2 * HOUR)
    assert claims.take_next(reviewer, now=NOON) == first
    assert claims.take_next(reviewer, now=NOON) == second
    assert claims.take_next(reviewer, now=NOON) is None
    claims.release(first, reviewer, now=NOON)
    assert claims.take_next(reviewer, now=NOON) is None
    assert claims.take_next(reviewer, now=NOON + claims.RESTS + HOUR) == first


def test_the_next_one_fits_the_filters_and_comes_by_the_queue(reviewer: User) -> None:
    """A child's case before all others, whatever its time."""
    danger, child = waits(NOON, danger=True), waits(age=Age.UNDER_18)
    asked = Asked(age="adult")
    assert claims.take_next(reviewer, now=NOON, asked=asked) == danger
    assert claims.take_next(reviewer, now=NOON) == child


def test_what_was_handed_over_comes_first_and_waits_for_nobody_for_ever(
    reviewer: User, second_reviewer: User
) -> None:
    """Kept for a colleague, at most half of the time that a clock leaves; then for whoever is free."""
    soon, later = waits(NOON + 2 * HOUR), waits(NOON + 99 * HOUR)
    for case in (soon, later):
        claims.hand_over(case, second_reviewer, " ", actor=reviewer, now=NOON)
    assert claims.take_next(reviewer, now=NOON) is None
    assert claims.take_next(reviewer, now=NOON + HOUR + timedelta(seconds=1)) == soon
    assert claims.take_next(second_reviewer, now=NOON) == later
    later.refresh_from_db()
    assert later.kept_for is None


def test_handing_over_ends_what_one_held(reviewer: User, second_reviewer: User) -> None:
    """Claim and right to open go; what another works on, or nobody needs, is not given away."""
    case = waits()
    claims.claim(case, reviewer, now=NOON)
    with pytest.raises(CaseClaimed):
        claims.hand_over(case, reviewer, "", actor=second_reviewer, now=NOON)
    claims.hand_over(case, second_reviewer, "", actor=reviewer, now=NOON)
    assert not grants.holds(case, reviewer, Scope.CONTENT, now=NOON)
    case.refresh_from_db()
    assert (case.holder(NOON), case.kept_for) == (None, second_reviewer)
    ada = somebody("ada", Role.ADMINISTRATOR)
    with pytest.raises(NotAllowed):
        claims.hand_over(case, ada, "", actor=reviewer, now=NOON)
    Case.objects.filter(pk=case.pk).update(state=State.DECIDED)
    with pytest.raises(CaseClosed):
        claims.hand_over(case, reviewer, "", actor=second_reviewer, now=NOON)


def test_who_set_a_case_aside_gets_it_by_no_service(reviewer: User, second_reviewer: User) -> None:
    """Not by taking, by the next one, by a colleague's hand; the colleague learns nothing."""
    case = waits()
    claims.claim(case, reviewer, now=NOON)
    claims.set_aside(case, reviewer, now=NOON)
    claims.set_aside(case, reviewer, now=NOON)

    assert not grants.holds(case, reviewer, Scope.CONTENT, now=NOON)
    with pytest.raises(NotAllowed):
        claims.claim(case, reviewer, now=NOON)
    with pytest.raises(NotAllowed):
        grants.open_content(case, reviewer, Purpose.REVIEW, now=NOON)
    assert claims.take_next(reviewer, now=NOON) is None
    assert not queue.waiting(Asked(), reviewer, now=NOON).exists()
    claims.hand_over(case, reviewer, "", actor=second_reviewer, now=NOON)
    case.refresh_from_db()
    assert case.kept_for is None
    assert claims.take_next(second_reviewer, now=NOON) == case
    assert Entry.objects.filter(tag="case:set_aside").count() == 1
