"""What other Haechis ask before they write: who this is, its key, where notices go."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from haechi.server.notices import standing


@require_safe
def haechi(_request: HttpRequest) -> JsonResponse:
    """`/.well-known/haechi.json`; nothing of a report is in it."""
    return JsonResponse(standing.told())
