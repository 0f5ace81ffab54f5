"""Platforms: how each is reached, what waits for it, and test messages to those in test mode."""

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import NotAllowed
from haechi.server import flow
from haechi.server.cases import acting
from haechi.server.cases.models import Trial
from haechi.server.desk.access import actor_of, refusal, staff_only
from haechi.server.matching.models import Platform

AT_MOST = 20
ID_LIMIT = 200
_OPEN = Q(
    action__done_at=None,
    action__withdrawn_at=None,
    action__refused_at=None,
    action__given_up_at=None,
)


@require_safe
@staff_only
def platforms(request: HttpRequest) -> HttpResponse:
    """Every platform, and the newest test messages."""
    counted = Platform.objects.annotate(
        waiting=Count("action", filter=_OPEN & ~Q(action=None)),
        last_done=Max("action__done_at"),
    )
    context = {
        "platforms": counted.order_by("name"),
        "kinds": acting.KINDS,
        "trials": Trial.objects.select_related("platform").order_by("-pk")[:AT_MOST],
    }
    return render(request, "desk/platforms.html", context)


@require_POST
@staff_only
def test(request: HttpRequest, platform_id: int) -> HttpResponse:
    """Send one test message; the worker does it, and the page says what came of it."""
    platform = get_object_or_404(Platform, pk=platform_id)
    kind, content_id = request.POST.get("kind", acting.PING), request.POST.get("content_id", "")
    try:
        flow.try_out(
            platform,
            kind,
            content_id.strip()[:ID_LIMIT],
            actor=actor_of(request).name_in_log,
            now=timezone.now(),
        )
    except NotAllowed as error:
        return refusal(request, error.code, 403)
    return redirect("desk:platforms")
