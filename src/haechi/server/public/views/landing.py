"""The first page, and the page of others who can help."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from haechi.server.contacts import advice_sources, by_country, serving


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """What this is. The only page a search engine may show (B29)."""
    response = render(request, "public/landing.html")
    response.headers["X-Robots-Tag"] = "all"
    return response


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Others who can help, and what to do now. Works while the database is away."""
    language = get_language() or "en"
    context = {
        "countries": by_country(language),
        "for_children": serving("child", language),
        "urgent": serving("urgent", language),
        "sources": advice_sources(),
    }
    return render(request, "public/help.html", context)
