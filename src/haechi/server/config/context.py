"""What every template may know."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from haechi.server.cases import clocks

MANY = 1_000


def surface(request: HttpRequest) -> dict[str, object]:
    """The surface this process is, and the addresses of the others."""
    return {
        "surface": settings.HAECHI.surface,
        "public_url": settings.HAECHI.public_url,
        "organisation": settings.HAECHI.organisation,
    }


def alerts(request: HttpRequest) -> dict[str, object]:
    """How many deadlines are missed and open; asked only where a page shows it (desk/parts/alert)."""
    return {"overdue_clocks": clocks.overdue(timezone.now())[:MANY].count}
