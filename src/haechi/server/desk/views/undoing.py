"""A case that was set aside by mistake: its reviewer asks, an administrator answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from haechi.errors import NotAllowed, OwnRequest, ReportErased
from haechi.server.cases import undoing as services
from haechi.server.cases.models import Recusal, Undoing
from haechi.server.desk.access import actor_of, refusal, reviewers_only, staff_only
from haechi.server.desk.undoing_page import answer_form, undo_form
from haechi.server.desk.views import grants
from haechi.server.staff.models import Role


@require_POST
@reviewers_only
def ask(request: HttpRequest, recusal_id: int) -> HttpResponse:
    """Ask to be shown a case again; nobody else's recusal is there."""
    rows = Recusal.objects.select_related("case__report", "user")
    recusal = get_object_or_404(rows, pk=recusal_id, user=actor_of(request))
    form = undo_form(recusal.pk, request.POST)
    if not form.is_valid():
        return grants.page(request, undo=form, status=422)
    try:
        services.ask(recusal, form.cleaned_data["reason"], now=timezone.now())
    except ReportErased as error:
        return refusal(request, error.code, 410)
    return redirect("desk:grants")


@require_POST
@staff_only
def settle(request: HttpRequest, undoing_id: int) -> HttpResponse:
    """Agree or refuse, with a reason; a press that came too late changes nothing."""
    row = get_object_or_404(Undoing.objects.select_related("case__report"), pk=undoing_id)
    form, user = answer_form(row.pk, request.POST), actor_of(request)
    if user.role != Role.ADMINISTRATOR:
        return refusal(request, NotAllowed.code, 403)
    if not form.is_valid():
        return grants.page(request, answer=form, status=422)
    given = form.cleaned_data
    agreed = given["agreed"] == "yes"
    try:
        services.settle(row, agreed=agreed, why=given["reason"], actor=user, now=timezone.now())
    except OwnRequest as error:
        return refusal(request, error.code, 403)
    except ReportErased as error:
        return refusal(request, error.code, 410)
    return redirect("desk:grants")
