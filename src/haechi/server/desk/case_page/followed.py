"""What a decision caused on platforms; what it asked of others is in notices.py."""

from django.db.models import QuerySet

from haechi.server.cases.models import Action, Case
from haechi.server.desk.case_page.page import Page


def part(page: Page) -> dict[str, object]:
    """How far every action is; nothing before a decision."""
    return {"actions": [] if page.case.decision is None else actions_of(page.case)}


def actions_of(case: Case) -> QuerySet[Action]:
    """What platforms were asked, in order."""
    actions = Action.objects.filter(decision__case=case)
    return actions.select_related("platform", "hosted", "statement").order_by("pk")
