"""What a decision caused: actions on platforms, notices to hosts."""

from django.db.models import QuerySet

from haechi.server.cases.models import Action, Case
from haechi.server.desk.case_page.page import Page
from haechi.server.notices.models import Notice
from haechi.server.notices.services import answer_of, host_of
from haechi.server.reports.places import link_in


def part(page: Page) -> dict[str, object]:
    """How far every action and every notice is; nothing before a decision."""
    if page.case.decision is None:
        return {"actions": [], "notices": []}
    return {"actions": actions_of(page.case), "notices": _notices(page)}


def actions_of(case: Case) -> QuerySet[Action]:
    """What platforms were asked, in order."""
    actions = Action.objects.filter(decision__case=case)
    return actions.select_related("platform", "hosted", "statement").order_by("pk")


def _notices(page: Page) -> list[tuple[Notice, str, str]]:
    hosts = {place.number: host_of(link_in(place.address)) or "" for place in page.request.places}
    notices = Notice.objects.filter(decision__case=page.case).select_related("location")
    return [
        (
            notice,
            hosts.get(notice.location.number, "") if notice.location else "",
            answer_of(notice) if page.opened else "",
        )
        for notice in notices.order_by("location__number")
    ]
