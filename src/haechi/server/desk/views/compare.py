"""Look at two pictures side by side: one deliberate look, logged for both before anything is shown."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import BreakNeeded, GrantNeeded, HaechiError, MediaError, NotAllowed
from haechi.server.cases import grants, wellbeing
from haechi.server.cases.models import Case, Scope
from haechi.server.desk import comparing, lifted
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.desk.case_page.exhibits import BUDGET
from haechi.server.desk.comparing import Pair
from haechi.server.desk.views.exhibit import LIFT_FIRST, rest_words
from haechi.server.evidence import services as evidence


@require_POST
@reviewers_only
def lift_pair(request: HttpRequest, case_id: int, one: UUID, other: UUID) -> HttpResponse:
    """Log that this person looks at both, and allow it for five minutes in this session."""
    now, user = timezone.now(), actor_of(request)
    try:
        pair = _pair(request, case_id, one, other)
        wellbeing.look(pair.exhibit, user, BUDGET, now=now, beside=pair.other)
    except GrantNeeded as error:
        return refusal(request, error.code, 403)
    except BreakNeeded as error:
        return refusal(request, error.code, 429, rest_words(error.args[0]))
    lifted.lift(request, f"{one} {other}", now=now)
    if "page" in request.POST:
        return redirect("desk:pair", case_id, one, other)
    return HttpResponse(status=204)


@require_safe
@reviewers_only
def pair(request: HttpRequest, case_id: int, one: UUID, other: UUID) -> HttpResponse:
    """Both on a page of their own, for browsers without scripts."""
    try:
        found = _lifted(request, case_id, one, other)
    except (GrantNeeded, NotAllowed) as error:
        return refusal(request, error.code, 403, LIFT_FIRST)
    return render(request, "desk/pair.html", {"pair": found, "case": found.exhibit.report.case})


@require_safe
@reviewers_only
def pair_picture(request: HttpRequest, case_id: int, one: UUID, other: UUID) -> HttpResponse:
    """Drawn in the sandbox for this one look; kept by nobody."""
    try:
        found = _lifted(request, case_id, one, other)
        jpeg = evidence.side_by_side(
            found.exhibit,
            found.other,
            actor=actor_of(request).name_in_log,
            reason="compare",
            now=timezone.now(),
        )
    except (GrantNeeded, NotAllowed) as error:
        return refusal(request, error.code, 403, LIFT_FIRST)
    except HaechiError as error:
        return refusal(request, error.code, 422 if isinstance(error, MediaError) else 503)
    return HttpResponse(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _pair(request: HttpRequest, case_id: int, one: UUID, other: UUID) -> Pair:
    """A pair that the page offers. Raises Http404, or GrantNeeded unless both cases are open."""
    case, now = get_object_or_404(Case.objects.select_related("report"), pk=case_id), timezone.now()
    user = actor_of(request)
    for found in comparing.pairs(case, user, now=now):
        if (found.exhibit.pk, found.other.pk) == (one, other):
            grants.require(case, user, Scope.CONTENT, now=now)
            if not found.may_open:
                raise GrantNeeded(found.case_id)
            return found
    raise Http404


def _lifted(request: HttpRequest, case_id: int, one: UUID, other: UUID) -> Pair:
    found = _pair(request, case_id, one, other)
    if not lifted.is_lifted(request, f"{one} {other}", now=timezone.now()):
        raise NotAllowed("lift the veil first")
    return found
