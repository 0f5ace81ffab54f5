"""Taking everything home, taking the report back, and having it erased."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from haechi.errors import LegalHold
from haechi.server import flow
from haechi.server.public import takeout
from haechi.server.public.visiting import forget, visiting
from haechi.server.reports import holds
from haechi.server.reports.models import ErasureReason, State
from haechi.server.reports.visits import Visiting
from haechi.server.words import words_for

METHODS = ["GET", "HEAD", "POST"]
FILE_NAME = "notes.zip"


@require_http_methods(METHODS)
@visiting
def take(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """Everything of the report as one ZIP of open formats, opened with the key of this visit."""
    if request.method != "POST":
        return render(request, "public/visit/take.html")
    packed = takeout.pack(visit, now=timezone.now())
    # Sent while it is opened: no plaintext waits on a disk or in memory. Headers are set alike.
    response = StreamingHttpResponse(packed, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response  # type: ignore[return-value]  # every response has headers and cookies


@require_http_methods(METHODS)
@visiting
def withdraw(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """Take the report back: says first what stops, and what cannot be undone."""
    if visit.report.state == State.WITHDRAWN:
        return redirect("public:status")
    if request.method != "POST" or not request.POST.get("sure"):
        asked = request.method == "POST"
        status = 422 if asked else 200
        return render(request, "public/visit/withdraw.html", {"asked": asked}, status=status)
    flow.withdraw_report(visit.report, now=timezone.now())
    return redirect("public:status")


@require_http_methods(METHODS)
@visiting
def erase(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """Have it erased: the truth about what stays, one more question, then it is gone."""
    step = request.POST.get("step", "") if request.method == "POST" else ""
    if step != "erase" or not request.POST.get("sure"):
        asked = step == "erase"
        kept = holds.in_force(visit.report, timezone.now())
        context = {"step": step, "asked": asked, "holds": kept}
        status = 422 if asked else 200
        return render(request, "public/visit/erase.html", context, status=status)
    try:
        flow.erase(visit.report, actor="reporter", reason=ErasureReason.ASKED, now=timezone.now())
    except LegalHold as error:
        context = {"refused": words_for(error), "code": error.code, "until": error.until}
        return render(request, "public/visit/erase.html", context, status=409)
    return forget(render(request, "public/visit/erased.html"))
