"""How the queue is ordered: read by everybody, changed by administrators with a reason."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from haechi.errors import NotAllowed
from haechi.server import flow
from haechi.server.cases import urgency
from haechi.server.cases.models import Weight
from haechi.server.desk import why
from haechi.server.desk.access import actor_of, refusal, staff_only
from haechi.server.desk.queue_forms import WeightForm
from haechi.server.staff.models import Role


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only
def order(request: HttpRequest) -> HttpResponse:
    """Every weight, who changed it last and why."""
    user = actor_of(request)
    if request.method != "POST":
        return _page(request)
    if user.role != Role.ADMINISTRATOR:
        return refusal(request, NotAllowed.code, 403)
    form = WeightForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    given = form.cleaned_data
    flow.reorder_queue(
        given["name"], given["hours"], reason=given["reason"], actor=user, now=timezone.now()
    )
    return redirect("desk:order")


def _page(
    request: HttpRequest, typed: WeightForm | None = None, *, status: int = 200
) -> HttpResponse:
    changed = {row.name: row for row in Weight.objects.select_related("changed_by")}
    hours = urgency.weights()
    name = typed["name"].value() if typed else ""
    rows = [
        {
            "words": why.CAUSES[one],
            "hours": hours[one],
            "usual": urgency.USUAL[one],
            "changed": changed.get(one),
            "form": typed
            if one == name
            else WeightForm(initial={"name": one, "hours": hours[one]}, auto_id=f"{one}_%s"),
        }
        for one in urgency.USUAL
    ]
    context = {"rows": rows, "may_change": actor_of(request).role == Role.ADMINISTRATOR}
    return render(request, "desk/order.html", context, status=status)
