"""Look at one picture: a deliberate act per picture, logged before anything is shown (B25)."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import BreakNeeded, GrantNeeded, HaechiError, MediaError, NotAllowed
from haechi.server.cases import grants, wellbeing
from haechi.server.cases.models import Scope
from haechi.server.desk import lifted
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.desk.case_page.exhibits import BUDGET
from haechi.server.evidence import services as evidence
from haechi.server.evidence.models import Exhibit

LIFT_FIRST = _("This picture is covered. Open its case and lift the veil first.")


@require_POST
@reviewers_only
def lift(request: HttpRequest, case_id: int, exhibit_id: UUID) -> HttpResponse:
    """Log that this person looks, and allow it for five minutes in this session.

    The script gets an empty answer; the plain button (field `page`) is led to the picture's page.
    """
    exhibit = get_object_or_404(
        Exhibit.objects.select_related("report__case"), pk=exhibit_id, report__case=case_id
    )
    now, user = timezone.now(), actor_of(request)
    try:
        grants.require(exhibit.report.case, user, Scope.CONTENT, now=now)
        wellbeing.look(exhibit, user, BUDGET, now=now)
    except GrantNeeded as error:
        return refusal(request, error.code, 403)
    except BreakNeeded as error:
        return refusal(request, error.code, 429, rest_words(error.args[0]))
    lifted.lift(request, str(exhibit.pk), now=now)
    if "page" in request.POST:
        return redirect("desk:exhibit", exhibit.pk)
    return HttpResponse(status=204)


@require_safe
@reviewers_only
def exhibit(request: HttpRequest, exhibit_id: UUID) -> HttpResponse:
    """One lifted picture on a page of its own, for browsers without scripts."""
    shown = get_object_or_404(Exhibit.objects.select_related("report__case"), pk=exhibit_id)
    if not may_see(request, shown):
        return refusal(request, NotAllowed.code, 403, LIFT_FIRST)
    return render(request, "desk/exhibit.html", {"exhibit": shown, "case": shown.report.case})


@require_safe
@reviewers_only
def picture(request: HttpRequest, exhibit_id: UUID) -> HttpResponse:
    """The working copy as JPEG, made for this one look; never kept by a browser."""
    shown = get_object_or_404(Exhibit.objects.select_related("report__case"), pk=exhibit_id)
    if not may_see(request, shown):
        return refusal(request, NotAllowed.code, 403, LIFT_FIRST)
    actor = actor_of(request).name_in_log
    try:
        jpeg = evidence.working_copy(shown, actor=actor, reason="review", now=timezone.now())
    except HaechiError as error:
        return refusal(request, error.code, 422 if isinstance(error, MediaError) else 503)
    return HttpResponse(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def may_see(request: HttpRequest, shown: Exhibit) -> bool:
    """Lifted a moment ago in this session, and the right to open the case still holds (B17)."""
    now = timezone.now()
    recent = lifted.is_lifted(request, str(shown.pk), now=now)
    return recent and grants.holds(shown.report.case, actor_of(request), Scope.CONTENT, now=now)


def rest_words(until: datetime) -> str:
    """What is said to somebody who has looked at enough for now."""
    return gettext(
        "You have looked at enough for now. Please rest until {time} UTC; nothing waits on you, "
        "and giving the case back is always fine."
    ).format(time=f"{until:%H:%M}")
