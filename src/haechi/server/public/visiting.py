"""The guard of every page behind the return code: who visits, for how long, and what is forgotten.

The token of a visit is in one cookie that only goes to these pages. When the visit is over, cookie
and key are gone; the language stays (B08).
"""

from collections.abc import Callable
from contextlib import suppress
from functools import update_wrapper

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from haechi.errors import HaechiError
from haechi.server.away import AWAY
from haechi.server.evidence.sealing import SealedUpload
from haechi.server.public import kept
from haechi.server.public.answers import calm
from haechi.server.public.visit_forms import ReturnForm, sealed_in
from haechi.server.reports import visits
from haechi.server.reports.visits import Visiting
from haechi.server.words import words_for

COOKIE = "visit"
COOKIE_PATH = "/status"
# What she may have typed on a page behind the code, by the names of its fields.
TYPED = ("text", "told", "locations", "signature", "contact", "address")

type VisitView[R: HttpResponseBase] = Callable[[HttpRequest, Visiting], R]


def visiting(view: VisitView[HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A view for whoever has entered with a code; for everybody else the way in."""

    @calm
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            return ask(request)
        except AWAY:
            if request.method != "POST":
                raise
            return _keep_typed(request, "web.away", 503)

    def ask(request: HttpRequest) -> HttpResponse:
        token = request.COOKIES.get(COOKIE)
        visit = visits.resume(token, now=timezone.now()) if token else None
        if visit is not None:
            return view(request, visit)
        if request.method == "POST":
            return forget(_keep_typed(request, "", 403))
        if not token:
            return redirect("public:return")
        return forget(redirect(reverse("public:return", query={"over": 1})))

    update_wrapper(guarded, view)
    return guarded


def remember(response: HttpResponse, token: str) -> HttpResponse:
    """Give the browser the visit's token until it is closed; no script reads it."""
    response.set_cookie(
        COOKIE,
        token,
        path=COOKIE_PATH,
        secure=settings.HAECHI.secure_cookies,
        httponly=True,
        samesite="Strict",
    )
    return response


def forget(response: HttpResponse) -> HttpResponse:
    """Take everything from the browser but the language."""
    response.delete_cookie(COOKIE, path=COOKIE_PATH, samesite="Strict")
    response.delete_cookie(settings.CSRF_COOKIE_NAME, samesite="Strict")
    return response


def _keep_typed(request: HttpRequest, code: str, status: int) -> HttpResponse:
    """The visit ended while she wrote, or we failed: her words come back to her, and nowhere else."""
    uploads = [one for one in request.FILES.getlist("files") if isinstance(one, SealedUpload)]
    with suppress(HaechiError):
        kept.forget(sealed_in(uploads))
    typed = [words for name in TYPED for words in request.POST.getlist(name) if words.strip()]
    context = {"form": ReturnForm(), "over": not code, "typed": typed, "code": code}
    if code:
        context["refused"] = words_for(code)
    return render(request, "public/return.html", context, status=status)
