"""Who may see which page. There is no role that sees everything (B11)."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise

from haechi.errors import NotAllowed
from haechi.server.desk import aside
from haechi.server.staff.models import Role, User
from haechi.server.words import words_for

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


def staff_only[**P](view: View[P]) -> View[P]:
    """Let people in who are logged in and active; send everybody else to the login page.

    What is about a case that somebody asked not to see is not there for them.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.user.is_authenticated:
            if kwargs and aside.hides(actor_of(request), kwargs):
                raise Http404
            return view(request, *args, **kwargs)
        if request.method in ("GET", "HEAD"):
            return redirect_to_login(request.get_full_path())
        return redirect("desk:login")

    return guarded


def reviewers_only[**P](view: View[P]) -> View[P]:
    """Let reviewers in. Administrators manage people and keys; content is not theirs to read."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if actor_of(request).role != Role.REVIEWER:
            return refusal(request, NotAllowed.code, 403)
        return view(request, *args, **kwargs)

    return staff_only(guarded)


def actor_of(request: HttpRequest) -> User:
    """Who acts. Raises PermissionDenied for nobody, which the views' guards make impossible."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def home_of(user: User) -> str:
    """The page, as a route's name, where a person's work begins."""
    return "desk:queue" if user.role == Role.REVIEWER else "desk:log"


def refusal(
    request: HttpRequest, code: str, status: int, words: str | Promise | None = None
) -> HttpResponse:
    """A page that says no: plain words, the stable code, and the way on."""
    context = {"code": code, "words": words or words_for(code)}
    return render(request, "desk/refused.html", context, status=status)
