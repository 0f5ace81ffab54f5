"""The page that looks at somebody live, in the browser alone."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

_ALLOWED = (
    "camera=(self), display-capture=(self), microphone=(), geolocation=(), payment=(), usb=()"
)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The one page that may ask for the camera. What it sees stays in the browser."""
    response = render(request, "public/live.html")
    response.headers["Permissions-Policy"] = _ALLOWED
    return response
