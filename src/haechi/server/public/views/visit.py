"""Coming back: enter the code, read what happened, leave."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from haechi.errors import CodeUnknown
from haechi.server.public.answers import calm
from haechi.server.public.forms import ReturnForm
from haechi.server.public.progress import Progress
from haechi.server.reports import services as reports
from haechi.server.words import words_for

COOKIE = "visit"
COOKIE_PATH = "/status"


@require_http_methods(["GET", "HEAD", "POST"])
@calm
def enter(request: HttpRequest) -> HttpResponse:
    """Take a return code. It is in no address, no cookie and no log (B05)."""
    if request.method != "POST":
        context = {"form": ReturnForm(), "over": "over" in request.GET}
        return render(request, "public/return.html", context)
    try:
        _, token = reports.enter(request.POST.get("code", ""), now=timezone.now())
    except CodeUnknown as error:
        form = ReturnForm(request.POST)
        context = {"form": form, "refused": words_for(error), "code": error.code}
        return render(request, "public/return.html", context, status=403)
    response = redirect("public:status")
    response.set_cookie(
        COOKIE,
        token,
        path=COOKIE_PATH,
        secure=settings.HAECHI.secure_cookies,
        httponly=True,
        samesite="Strict",
    )
    return response


@require_safe
@calm
def status(request: HttpRequest) -> HttpResponse:
    """What happened so far, for the one who reported it."""
    token = request.COOKIES.get(COOKIE)
    if not token:
        return redirect("public:return")
    found = reports.resume(token, now=timezone.now())
    if found is None:
        return _gone(HttpResponseRedirect(reverse("public:return", query={"over": 1})))
    report, identity = found
    context = {"progress": Progress(report, identity), "report": report, "now": timezone.now()}
    return render(request, "public/status.html", context)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the visit: its token is deleted there, always, and its key here."""
    return _gone(_forget(request))


@calm
def _forget(request: HttpRequest) -> HttpResponse:
    reports.leave(request.COOKIES.get(COOKIE, ""))
    return redirect("public:landing")


def _gone(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(COOKIE, path=COOKIE_PATH, samesite="Strict")
    return response
