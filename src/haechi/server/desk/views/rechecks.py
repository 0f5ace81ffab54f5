"""Look at places outside now; take home a page that was kept."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from haechi.errors import GrantNeeded, HaechiError, RechecksOff
from haechi.server import flow
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Scope
from haechi.server.desk.access import actor_of, refusal, reviewers_only
from haechi.server.notices.rechecks import services as rechecks
from haechi.server.notices.rechecks.models import Recheck


@require_POST
@reviewers_only
def look(request: HttpRequest, case_id: int) -> HttpResponse:
    """Every place outside is looked at by the worker; the case page says what was seen."""
    case, user = (
        get_object_or_404(Case.objects.select_related("report"), pk=case_id),
        actor_of(request),
    )
    now = timezone.now()
    try:
        grants.require(case, user, Scope.CONTENT, now=now)
        flow.look_now(case, keep="keep" in request.POST, actor=user, now=now)
    except (GrantNeeded, RechecksOff) as error:
        return refusal(request, error.code, 403)
    return redirect("desk:case", case_id)


@require_safe
@reviewers_only
def capture(request: HttpRequest, recheck_id: int) -> HttpResponse:
    """A page as it was kept, as a WARC file; taking it is in the log."""
    kept = Recheck.objects.exclude(warc_sha256=None).select_related("location__report__case")
    found, user, now = get_object_or_404(kept, pk=recheck_id), actor_of(request), timezone.now()
    try:
        grants.require(found.location.report.case, user, Scope.CONTENT, now=now)
        file = rechecks.capture_of(found, actor=user.name_in_log, now=now)
    except GrantNeeded as error:
        return refusal(request, error.code, 403)
    except HaechiError as error:
        return refusal(request, error.code, 503)
    name = f"place-{found.location.number}-{found.at:%Y%m%dT%H%M%SZ}.warc.gz"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(file, content_type="application/warc", headers=headers)
