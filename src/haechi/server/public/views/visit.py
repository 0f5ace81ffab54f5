"""Coming back: enter the code, read what happened, leave."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from haechi.errors import CodeUnknown
from haechi.server.public.answers import calm
from haechi.server.public.progress import Progress
from haechi.server.public.visit_forms import ReturnForm
from haechi.server.public.visiting import COOKIE, forget, remember, visiting
from haechi.server.reports import nudges, visits
from haechi.server.reports.visits import Visiting
from haechi.server.words import words_for


@require_http_methods(["GET", "HEAD", "POST"])
@calm
def enter(request: HttpRequest) -> HttpResponse:
    """Take a return code. It is in no address, no cookie and no log (B05)."""
    if request.method != "POST":
        context = {"form": ReturnForm(), "over": "over" in request.GET}
        return render(request, "public/return.html", context)
    try:
        token = visits.enter(request.POST.get("code", ""), now=timezone.now())
    except CodeUnknown as error:
        form = ReturnForm(request.POST)
        context = {"form": form, "refused": words_for(error), "code": error.code}
        return render(request, "public/return.html", context, status=403)
    return remember(redirect("public:status"), token)


@require_safe
@visiting
def status(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """What happened so far, for the one who reported it."""
    now = timezone.now()
    nudges.seen(visit.report)
    progress = Progress(visit.report, visit.identity, now=now)
    context = {"progress": progress, "report": visit.report, "now": now}
    return render(request, "public/status.html", context)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the visit: its token is deleted there, always, and its key here."""
    return forget(_leave(request))


@calm
def _leave(request: HttpRequest) -> HttpResponse:
    visits.leave(request.COOKIES.get(COOKIE, ""))
    return redirect("public:landing")
