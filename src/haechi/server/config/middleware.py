"""Headers that every answer carries, error pages included (B27); and which bodies are read."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from haechi.server.config import failures

HEADERS = {
    # "no-referrer" would make browsers send "Origin: null" with forms, which the CSRF check refuses.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), microphone=(), geolocation=(), payment=(), usb=()",
    # Nothing about a report may stay in a browser's cache or in a search engine (B29).
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}


class SecurityHeaders:
    """Sets what is not set; static files keep their own Cache-Control."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, then add the headers."""
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response


class OnlyUtf8:
    """Refuses a body in another charset: Django would decode it with any codec Python has.

    Stands last, so that the page it answers with has its language and its person.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 400, or pass on."""
        charset = (request.content_params or {}).get("charset", "utf-8")
        if charset.lower() != "utf-8":
            return failures.bad_request(request)
        return self.get_response(request)
