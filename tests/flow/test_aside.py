"""Who asked never to see a case again meets it on no route and in no list; colleagues learn nothing."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import OUTSIDE_URL, host, submit

from haechi.server import flow
from haechi.server.cases import claims, grants
from haechi.server.cases.models import Case, Purpose
from haechi.server.desk import aside, urls
from haechi.server.evidence.models import Exhibit
from haechi.server.matching import services as matching
from haechi.server.matching.models import Member, Platform
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db

# Arguments of routes that name nothing of a case, or lead to it by its number alone, where the view
# itself keeps them shut (desk.views.trace; test_desk_trace), or one's own alone (views.undoing).
OF_NO_CASE = {"bank_id", "view_id", "rule_id", "act", "platform_id", "sender_id", "signal"}
OF_NO_CASE |= {"inquiry_id", "naming_id", "key", "recusal_id"}


def test_every_argument_of_a_route_is_said_to_lead_to_a_case_or_not() -> None:
    """A route that is added later is kept shut too, or says why not (desk.aside)."""
    named = {name for route in urls.urlpatterns for name in route.pattern.converters}
    assert named - OF_NO_CASE == aside.BY_ARGUMENT.keys(), sorted(
        (named - OF_NO_CASE) ^ aside.BY_ARGUMENT.keys()
    )


@pytest.fixture
def known(astronaut: bytes, board: Platform, reviewer: User, second_reviewer: User) -> Case:
    """A refused case with an exhibit, a bank member, an appeal, a request for a name."""
    host(board, astronaut)
    report, _ = submit(astronaut, places=(OUTSIDE_URL,))
    flow.examine(report, last_try=True)
    case = Case.objects.get()
    matching.add_member(
        Exhibit.objects.get(), seen=True, case_number=case.pk, actor="test", now=NOON
    )
    grants.open_content(case, second_reviewer, Purpose.REVIEW, now=NOON)
    grants.ask_identity(case, second_reviewer, Purpose.LAW, "A host asks.", now=NOON)
    return case


def addresses(case: Case) -> dict[str, str]:
    """Every route of the desk that is about this case, by name."""
    exhibit, member = Exhibit.objects.get(), Member.objects.get()
    grant = case.grants.latest("pk")
    given: dict[str, object] = {
        "case_id": case.pk,
        "exhibit_id": exhibit.pk,
        "member_id": member.pk,
        "grant_id": grant.pk,
        "act": "approve",
        "signal": "pixels.noise",
    }
    return {
        str(route.name): reverse(
            f"desk:{route.name}", kwargs={name: given[name] for name in route.pattern.converters}
        )
        for route in urls.urlpatterns
        if route.pattern.converters and given.keys() >= route.pattern.converters.keys()
    }


def test_no_route_shows_it(
    desk: Client, reviewer: User, second_reviewer: User, known: Case
) -> None:
    """Each address of the case is as one of a case that does not exist; a colleague's works."""
    desk.force_login(reviewer)
    everything = addresses(known)
    assert {
        "case",
        "claim",
        "lift",
        "picture",
        "origin_picture",
        "member",
        "grant",
        "renew",
    } <= everything.keys()
    assert desk.get(everything["case"]).status_code == 200

    answer = desk.post(everything["set_aside"])

    assert (answer.status_code, answer["location"]) == (302, "/")
    for name, address in everything.items():
        for answer in (desk.get(address), desk.post(address)):
            assert answer.status_code in (404, 405), f"{name}: {answer.status_code}"
    desk.force_login(second_reviewer)
    assert desk.get(everything["case"]).status_code == 200


def test_no_list_shows_it(desk: Client, reviewer: User, second_reviewer: User, known: Case) -> None:
    """Not the queue, the news, the rights, the appeals, the deliveries, nor a search for its number."""
    known.report.news_at = NOON
    known.report.save(update_fields=["news_at"])
    link = f'/case/{known.pk}"'
    desk.force_login(reviewer)
    lists = ("/", "/news")
    assert all(link in desk.get(page).content.decode() for page in lists)
    assert link in desk.post("/queue/search", {"words": str(known.pk)}).content.decode()

    claims.set_aside(known, reviewer, now=timezone.now())

    for page in (*lists, "/appeals", "/deliveries"):
        assert link not in desk.get(page).content.decode(), page
    assert link not in desk.post("/queue/search", {"words": str(known.pk)}).content.decode()
    desk.force_login(second_reviewer)
    assert all(link in desk.get(page).content.decode() for page in lists)
