"""Exact copies of one picture in several cases: one look, one record each."""

import pytest
from django.test import Client
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, host, submit

from haechi.errors import NotAllowed
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.cases import alike, claims
from haechi.server.cases.deciding import reason_of
from haechi.server.cases.models import (
    Case,
    Decision,
    Ground,
    Label,
    Restriction,
    State,
    Verdict,
)
from haechi.server.evidence import custody
from haechi.server.matching.models import Platform
from haechi.server.reports.models import Age, Report
from haechi.server.staff.models import User

REASON = "The same picture, byte for byte."


def opened(*pictures: bytes, places: tuple[str, ...] = ()) -> Case:
    """A case whose report the worker has examined."""
    report, _code = submit(*pictures, places=places)
    flow.examine(report, last_try=True)
    return Case.objects.get(report=report)


def decided(case: Case, reviewer: User, *, seen: bool = True) -> Decision:
    """A removal by somebody who looked."""
    for exhibit in case.report.exhibits.all() if seen else ():
        audit.record(custody.LIFTED, subject=exhibit, actor=reviewer.name_in_log, at=NOON)
    return flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="She wrote to me about it.",
        remove=(),
        actor=reviewer,
        now=NOON,
    )


@pytest.mark.django_db
def test_each_copy_gets_a_decision_of_its_own_and_nothing_else_does(
    astronaut: bytes, cat: bytes, reviewer: User, second_reviewer: User
) -> None:
    """Same bytes and same age; not more pictures, another age, or what somebody works on."""
    first, copy, more, child, taken = (
        opened(astronaut),
        opened(astronaut),
        opened(astronaut, cat),
        opened(astronaut),
        opened(astronaut),
    )
    Report.objects.filter(pk=child.report_id).update(age=Age.UNDER_18)
    claims.claim(taken, second_reviewer, now=NOON)
    decision = decided(first, reviewer)

    every = [case.pk for case in (first, copy, more, child, taken)]
    made, lost = flow.decide_alike(decision, every, reason=REASON, actor=reviewer, now=NOON)

    assert [each.case for each in made] == [copy]
    assert lost == []
    assert reason_of(made[0]) == REASON, "not the words about another's report"
    assert (made[0].verdict, made[0].ground, made[0].ground_version) == (
        decision.verdict,
        decision.ground,
        decision.ground_version,
    )
    open_still = Case.objects.filter(state=State.OPEN)
    assert set(open_still) == {more, child, taken}
    again, _lost = flow.decide_alike(decision, every, reason=REASON, actor=reviewer, now=NOON)
    assert again == []


@pytest.mark.django_db
def test_only_whoever_decided_and_looked_may(
    astronaut: bytes, reviewer: User, second_reviewer: User
) -> None:
    """B25: nobody decides copies of what they have not seen."""
    first, copy = opened(astronaut), opened(astronaut)
    decision = decided(first, reviewer, seen=False)
    with pytest.raises(NotAllowed):
        flow.decide_alike(decision, [copy.pk], reason=REASON, actor=reviewer, now=NOON)
    for exhibit in first.report.exhibits.all():
        audit.record(custody.LIFTED, subject=exhibit, actor=reviewer.name_in_log, at=NOON)
    with pytest.raises(NotAllowed):
        flow.decide_alike(decision, [copy.pk], reason=REASON, actor=second_reviewer, now=NOON)

    assert not copy.decisions.exists()


@pytest.mark.django_db
def test_a_platform_is_asked_for_what_was_confirmed(
    astronaut: bytes, board: Platform, reviewer: User
) -> None:
    """Each case asks with its own order, so that each reporter is told what came back."""
    hosted = host(board, astronaut)
    first, copy = opened(astronaut, places=(BOARD_URL,)), opened(astronaut, places=(BOARD_URL,))
    for exhibit in first.report.exhibits.all():
        audit.record(custody.LIFTED, subject=exhibit, actor=reviewer.name_in_log, at=NOON)
    decision = flow.decide(
        first,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="Seen.",
        remove=[hosted],
        actor=reviewer,
        now=NOON,
    )

    made, _lost = flow.decide_alike(decision, [copy.pk], reason=REASON, actor=reviewer, now=NOON)

    assert [action.hosted for action in made[0].actions.all()] == [hosted]


@pytest.mark.django_db
def test_the_page_offers_it_to_whoever_decided(
    astronaut: bytes, reviewer: User, desk: Client
) -> None:
    """One button on the case page; a grant is needed, as for everything of the case."""
    first, copy = opened(astronaut), opened(astronaut)
    decided(first, reviewer)
    desk.force_login(reviewer)

    page = desk.get(f"/case/{first.pk}")

    assert f'name="case" value="{copy.pk}"' in page.content.decode()
    refused = desk.post(f"/case/{first.pk}/alike", {"case": [copy.pk]})
    assert b"case.grant_needed" in refused.content
    desk.post(f"/case/{first.pk}/open", {"purpose": "review", "reason": "To decide the copies."})
    done = desk.post(f"/case/{first.pk}/alike", {"case": [copy.pk, "x", "9" * 40]})
    assert done.status_code == 302
    assert copy.decisions.get().actor == reviewer
    assert not alike.waiting(first, reviewer, now=NOON).exists()


@pytest.mark.django_db
def test_copies_get_the_same_label(astronaut: bytes, board: Platform, reviewer: User) -> None:
    """What is to be written beside the first is written beside its copies."""
    hosted = host(board, astronaut)
    first, copy = opened(astronaut, places=(BOARD_URL,)), opened(astronaut, places=(BOARD_URL,))
    for exhibit in first.report.exhibits.all():
        audit.record(custody.LIFTED, subject=exhibit, actor=reviewer.name_in_log, at=NOON)
    decision = flow.decide(
        first,
        Verdict.RESTRICT,
        "intimate",
        reason="Seen.",
        remove=[hosted],
        actor=reviewer,
        now=NOON,
        restriction=Restriction.LABELLED,
        label=Label.SUSPECTED,
    )

    made, _lost = flow.decide_alike(decision, [copy.pk], reason=REASON, actor=reviewer, now=NOON)

    assert [(one.restriction, one.label) for one in made] == [
        (Restriction.LABELLED, Label.SUSPECTED)
    ]
