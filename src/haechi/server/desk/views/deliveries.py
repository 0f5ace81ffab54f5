"""What has not arrived yet. Nothing is dropped: it is tried again until it does (B21)."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.timesince import timesince
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import ActionAnswered, NotAllowed, ReasonRequired
from haechi.server import flow
from haechi.server.cases import acting
from haechi.server.cases.models import Action
from haechi.server.desk import deliveries_page
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.desk.aside import without
from haechi.server.notices.models import Notice, State
from haechi.server.staff.models import User

AT_MOST = 200


@require_safe
@reviewers_only
def deliveries(request: HttpRequest) -> HttpResponse:
    """Orders no platform has confirmed and notices no mail server has taken, oldest first."""
    now = timezone.now()
    undone = Action.objects.filter(done_at=None).select_related(
        "platform", "hosted", "decision__case__report"
    )
    notices = (
        Notice.objects.filter(state=State.QUEUED)
        .select_related("decision")
        .annotate(places=Count("items"))
    )
    user = actor_of(request)
    actions = without(undone, user, "decision__case")
    notices = without(notices, user, "decision__case")
    context = {
        "refused": deliveries_page.refused(actions, user, now=now),
        "waiting": deliveries_page.waiting(actions, now=now),
        "notices": notices.order_by("created_at")[:AT_MOST],
        "late_after_words": timesince(now - acting.late_after(), now),
        "now": now,
        "at_most": AT_MOST,
    }
    return render(request, "desk/deliveries.html", context)


@require_POST
@reviewers_only
def act(request: HttpRequest, action_id: int, act: str) -> HttpResponse:
    """Deliver now, agree that it is gone, or give up; a press that came too late changes nothing."""
    action = get_object_or_404(
        Action.objects.select_related("platform", "decision__case__report"), pk=action_id
    )
    try:
        _act(action, act, request.POST.get("reason", ""), actor_of(request))
    except (ActionAnswered, ReasonRequired) as error:
        return refusal(request, error.code, 409 if isinstance(error, ActionAnswered) else 400)
    except NotAllowed as error:
        return refusal(request, error.code, 403)
    return redirect("desk:deliveries")


def _act(action: Action, act: str, reason: str, user: User) -> None:
    now = timezone.now()
    if act == "again":
        flow.ask_again(action, actor=user, now=now)
    elif act == "gone":
        acting.accept_gone(action, actor=user, now=now)
    elif act == "give-up":
        acting.give_up(action, reason[:2_000], actor=user, now=now)
    else:
        raise NotAllowed(act)
