"""The first page, and the page of others who can help."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from haechi.server.public.contacts import by_country


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What this is. The only page a search engine may show (B29)."""
    response = render(request, "public/landing.html")
    response.headers["X-Robots-Tag"] = "all"
    return response


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Others who can help, and what to do now. Works while the database is away."""
    countries = by_country(get_language() or "en")
    return render(request, "public/help.html", {"countries": countries})
