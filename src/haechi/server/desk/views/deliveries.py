"""What has not arrived yet. Nothing is dropped: it is tried again until it does (B21)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from haechi.server.cases.models import Action
from haechi.server.desk.access import actor_of, reviewers_only
from haechi.server.desk.aside import without
from haechi.server.notices.models import Notice, State

AT_MOST = 200


@require_safe
@reviewers_only
def deliveries(request: HttpRequest) -> HttpResponse:
    """Removals no platform has confirmed and notices no mail server has taken, oldest first."""
    actions = Action.objects.filter(done_at=None).select_related("platform", "hosted", "decision")
    notices = Notice.objects.filter(state=State.QUEUED).select_related("location", "decision")
    user = actor_of(request)
    actions = without(actions, user, "decision__case")
    notices = without(notices, user, "decision__case")
    context = {
        "actions": actions.order_by("created_at")[:AT_MOST],
        "notices": notices.order_by("created_at")[:AT_MOST],
        "now": timezone.now(),
        "at_most": AT_MOST,
    }
    return render(request, "desk/deliveries.html", context)
