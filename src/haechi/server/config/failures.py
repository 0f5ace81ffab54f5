"""What goes wrong around a view: a stable code and plain words, never a trace. JSON for the API."""

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from haechi.server.api import refusals
from haechi.server.words import words_for

TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: the page was open too long, or came from elsewhere."""
    return _page(request, "web.csrf", 403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A request that cannot be read (400), or whose fields are too long or too many (413)."""
    return _page(request, "web.too_large", 413 if isinstance(exception, TOO_LARGE) else 400)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """An address that leads nowhere."""
    return _page(request, "web.not_found", 404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A page that this person may not see."""
    return _page(request, "staff.not_allowed", 403)


def failed(request: HttpRequest) -> HttpResponse:
    """Our own fault; the trace is in the log, without anything of the request."""
    return _page(request, "web.failed", 500)


def _page(request: HttpRequest, code: str, status: int) -> HttpResponse:
    if request.path.startswith("/api/"):
        return refusals.told("web.unreadable" if status == 400 else code, status)
    context = {"code": code, "words": words_for(code)}
    return render(request, "failure.html", context, status=status)
