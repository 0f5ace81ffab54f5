"""The cases before and after this one in the queue, as this person sees it."""

from django.db.models import Q

from haechi.server.cases import queue
from haechi.server.cases.models import WAITING
from haechi.server.cases.queue import Asked
from haechi.server.desk.case_page.page import Page


def part(page: Page) -> dict[str, object]:
    """Their numbers, or None; both among children or among adults, whose lists are apart."""
    case, now = page.case, page.now
    found = queue.waiting(Asked(), page.user, now=now).free_for(page.user, now)
    found = found.filter(minor=case.minor)
    if case.state not in WAITING:
        return {"next_case": found.values_list("pk", flat=True).first()}
    earlier = Q(urgent_at__lt=case.urgent_at) | Q(opened_at__lt=case.opened_at)
    earlier |= Q(opened_at=case.opened_at, pk__lt=case.pk)
    before = found.filter(urgent_at__lte=case.urgent_at).filter(earlier).reverse()
    return {
        "next_case": queue.after(found, case.pk).values_list("pk", flat=True).first(),
        "previous_case": before.values_list("pk", flat=True).first(),
    }
