"""Who works on a case: kept while one works, given to a colleague, set aside for good."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from haechi.errors import CaseClaimed, CaseClosed, NotAllowed
from haechi.server.cases import claims
from haechi.server.cases.models import Case
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.desk.queue_forms import HandOverForm


@require_POST
@reviewers_only
def renew(request: HttpRequest, case_id: int) -> HttpResponse:
    """The page says that somebody works on it: kept for twenty more minutes. 409 where it is lost."""
    case = get_object_or_404(Case, pk=case_id)
    kept = claims.renew(case, actor_of(request), now=timezone.now())
    return HttpResponse(status=204 if kept else 409)


@require_POST
@reviewers_only
def hand_over(request: HttpRequest, case_id: int) -> HttpResponse:
    """Give it to a colleague, with a note."""
    case = get_object_or_404(Case.objects.select_related("report"), pk=case_id)
    user = actor_of(request)
    form = HandOverForm(request.POST, user)
    if not form.is_valid():
        return refusal(request, NotAllowed.code, 422)
    given = form.cleaned_data
    try:
        claims.hand_over(case, given["to"], given["note"], actor=user, now=timezone.now())
    except (CaseClaimed, CaseClosed) as error:
        return refusal(request, error.code, 409)
    return redirect("desk:queue")


@require_POST
@reviewers_only
def set_aside(request: HttpRequest, case_id: int) -> HttpResponse:
    """Never show it to this person again; nobody asks why."""
    claims.set_aside(get_object_or_404(Case, pk=case_id), actor_of(request), now=timezone.now())
    return redirect("desk:queue")
