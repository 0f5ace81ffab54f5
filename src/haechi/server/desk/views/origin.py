"""How a picture was made: look at what the examination drew, or have it examined anew."""

from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import GrantNeeded, HaechiError, NotAllowed
from haechi.server import flow
from haechi.server.cases import grants
from haechi.server.cases.models import Scope
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.desk.views.case import page
from haechi.server.desk.views.exhibit import LIFT_FIRST, may_see
from haechi.server.evidence import custody, origin
from haechi.server.evidence.models import Exhibit
from haechi.server.evidence.origin_models import Origin


@require_safe
@reviewers_only
def picture(request: HttpRequest, case_id: int, exhibit_id: UUID, signal: str) -> HttpResponse:
    """What one finding drew, as PNG: covered and logged like the picture itself."""
    row = get_object_or_404(
        Origin.objects.select_related("exhibit__report__case"),
        exhibit=exhibit_id,
        exhibit__report__case=case_id,
    )
    if not may_see(request, row.exhibit):
        return refusal(request, NotAllowed.code, 403, LIFT_FIRST)
    try:
        made = origin.report_of(row)
        found = made.signal(signal) if made is not None else None
    except HaechiError as error:
        return refusal(request, error.code, 503)
    except KeyError as error:
        raise Http404 from error
    drawn = found and (found.picture or found.heat)
    if not drawn:
        raise Http404
    with transaction.atomic():
        custody.record(
            row.exhibit,
            custody.OPENED,
            actor=actor_of(request).name_in_log,
            why="found",
            now=timezone.now(),
        )
    return HttpResponse(drawn, content_type="image/png", headers={"Cache-Control": "no-store"})


@require_POST
@reviewers_only
def again(request: HttpRequest, case_id: int, exhibit_id: UUID) -> HttpResponse:
    """Examine it anew, such as with a model that was added since."""
    exhibit = get_object_or_404(
        Exhibit.objects.select_related("report__case"), pk=exhibit_id, report__case=case_id
    )
    case, now = exhibit.report.case, timezone.now()
    if not grants.holds(case, actor_of(request), Scope.CONTENT, now=now):
        return page(request, case_id, error=GrantNeeded(case_id))
    flow.examine_again(exhibit, actor=actor_of(request), now=now)
    return redirect(f"{reverse('desk:case', args=[case_id])}#origin")
