"""The reporter's own entries of the log, and the file that proves them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from haechi.server.public import own_log
from haechi.server.public.visiting import visiting
from haechi.server.reports.visits import Visiting

FILE_NAME = "notes-log.zip"


@require_safe
@visiting
def entries(request: HttpRequest, visit: Visiting) -> HttpResponse:
    """What was written into the log about this report, in words."""
    return render(request, "public/visit/log.html", {"log": own_log.of(visit.report)})


@require_safe
@visiting
def proofs(_request: HttpRequest, visit: Visiting) -> HttpResponse:
    """The same with proofs, to keep and to check elsewhere."""
    found = own_log.of(visit.report)
    if not found.signed:
        return redirect("public:own_log")
    response = HttpResponse(found.pack(), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response
