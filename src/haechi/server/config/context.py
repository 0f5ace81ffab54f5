"""What every template may know."""

from django.conf import settings
from django.http import HttpRequest


def surface(request: HttpRequest) -> dict[str, object]:
    """The surface this process is, and the addresses of the others."""
    return {
        "surface": settings.HAECHI.surface,
        "public_url": settings.HAECHI.public_url,
        "organisation": settings.HAECHI.organisation,
    }
