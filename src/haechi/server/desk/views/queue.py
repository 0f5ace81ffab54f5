"""What waits: people under 18 in a list of their own, the others in the order of the law."""

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from haechi.server.cases import claims
from haechi.server.cases.models import SavedView
from haechi.server.contacts import serving
from haechi.server.desk import queue_page, undoing_page
from haechi.server.desk.access import actor_of, reviewers_only
from haechi.server.desk.queue_forms import FilterForm, ViewForm, address_of
from haechi.server.desk.time_left import PATTERNS

VIEWS_AT_MOST = 40


@require_safe
@reviewers_only
def queue(request: HttpRequest) -> HttpResponse:
    """Open cases; the number of queries does not depend on the number of cases."""
    return _page(request)


@require_POST
@reviewers_only
def take_next(request: HttpRequest) -> HttpResponse:
    """Take the first free case that fits the filters, and go there."""
    form = FilterForm(QueryDict(request.POST.get("asked", "")))
    asked = form.asked()
    case = claims.take_next(
        actor_of(request), now=timezone.now(), asked=asked, skip=_number(request.POST.get("skip"))
    )
    if case is not None:
        return redirect("desk:case", case.pk)
    return redirect(f"{reverse('desk:queue')}?{address_of(asked)}&none=1")


@require_POST
@reviewers_only
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters under a name; the same name again replaces them."""
    form, user = ViewForm(request.POST), actor_of(request)
    if not form.is_valid():
        return _page(request, view_form=form, status=422)
    kept = form.cleaned_data
    if user.views.count() >= VIEWS_AT_MOST:
        form.add_error("name", "")
        return _page(request, view_form=form, status=422)
    try:
        with transaction.atomic():
            SavedView.objects.update_or_create(
                owner=user,
                name=kept["name"],
                defaults={"asked": kept["asked"], "shared": kept["shared"]},
            )
    except IntegrityError:  # Pressed twice at once: the other press kept it.
        pass
    return redirect(f"{reverse('desk:queue')}?{kept['asked']}")


@require_POST
@reviewers_only
def drop_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Forget a view of one's own."""
    get_object_or_404(SavedView, pk=view_id, owner=actor_of(request)).delete()
    return redirect("desk:queue")


def _page(
    request: HttpRequest, *, view_form: ViewForm | None = None, status: int = 200
) -> HttpResponse:
    now, user, given = timezone.now(), actor_of(request), request.GET
    filters = FilterForm(given if view_form is None else QueryDict(view_form.data.get("asked", "")))
    asked = filters.asked()
    after = {name: _number(given.get(name)) for name in ("children", "others")}
    children, others = queue_page.children_and_others(asked, user, after, now=now)
    address = address_of(asked)
    context = {
        "children": children,
        "others": others,
        "contacts": serving("child", get_language() or "en") if children else [],
        "filters": filters,
        "said": filters.said(),
        "asked": address,
        "views": queue_page.views_of(user),
        "view_form": view_form or ViewForm(initial={"asked": address}),
        "undo_answered": undoing_page.answered(user),
        "none_free": "none" in given,
        "now": now,
        "patterns": PATTERNS,
    }
    return render(request, "desk/queue.html", context, status=status)


def _number(text: str | None) -> int:
    """The number of a case, or 0."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0
