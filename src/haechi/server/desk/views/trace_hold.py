"""A second person agrees that records are held for a law or a court (B23)."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from haechi.errors import NotAllowed, OwnRequest, SealError
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.staff.models import User
from haechi.server.tracing import holding
from haechi.server.tracing.models import Inquiry
from haechi.server.words import words_for


def waiting(user: User, *, now: datetime) -> QuerySet[Inquiry]:
    """What others asked to hold, but for cases that the person asked not to see."""
    hidden = user.recusals.values("case_id")
    asked = holding.waiting(now).filter(Q(case_number=None) | ~Q(case_number__in=hidden))
    return asked.filter(Q(asked_by=None) | ~Q(asked_by=user)).select_related("asked_by")


@require_http_methods(["GET", "HEAD", "POST"])
@reviewers_only
def hold(request: HttpRequest, inquiry_id: int) -> HttpResponse:
    """Why somebody asked and what was met; agree to it."""
    actor, now = actor_of(request), timezone.now()
    asked = get_object_or_404(waiting(actor, now=now), pk=inquiry_id)
    if request.method == "POST":
        return _agree(request, asked, actor, now)
    reason, problem = "", ""
    try:
        reason = holding.read_reason(asked, actor=actor, now=now)
    except SealError as error:
        problem = error.code
    context = {
        "asked": asked,
        "reason": reason,
        "problem": problem,
        "problem_words": words_for(problem) if problem else "",
        "findings": asked.findings.select_related("generation__platform"),
        "until": holding.until(asked, now=now),
    }
    return render(request, "desk/trace_hold.html", context)


def _agree(request: HttpRequest, asked: Inquiry, actor: User, now: datetime) -> HttpResponse:
    try:
        holding.agree(asked, actor=actor, now=now)
    except (NotAllowed, OwnRequest) as error:
        return refusal(request, error.code, 403)
    return redirect("desk:trace")
