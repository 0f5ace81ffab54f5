"""Serve the few built files (one style sheet, two scripts) from the process itself."""

from collections.abc import Callable
from functools import cache
from mimetypes import guess_type
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse


class StaticFiles:
    """Answers below STATIC_URL; everything else goes on. Only names that Django's finders know."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the file, or go on."""
        if not request.path.startswith(settings.STATIC_URL):
            return self.get_response(request)
        found = _find(request.path.removeprefix(settings.STATIC_URL))
        if found is None or request.method not in ("GET", "HEAD"):
            return HttpResponse(status=404)
        body, kind = found
        return HttpResponse(
            body, content_type=kind, headers={"Cache-Control": "public, max-age=300"}
        )


@cache
def _find(name: str) -> tuple[bytes, str] | None:
    path = finders.find(name) if ".." not in name else None
    if path is None or not Path(path).is_file():
        return None
    kind = guess_type(name)[0] or "application/octet-stream"
    return Path(path).read_bytes(), f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
