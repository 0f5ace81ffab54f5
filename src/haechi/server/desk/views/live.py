"""A stream that says when the queue changed, for pages that are open."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from haechi.errors import TooManyStreams
from haechi.server.desk.access import reviewers_only
from haechi.server.desk.live import hub

NO_MORE = 204
"""A browser that gets this asks no more; the page works by being loaded again."""


@require_safe
@reviewers_only
def live(request: HttpRequest) -> HttpResponse:
    """Only that it changed. Five minutes at most, then the browser asks again and is looked at anew."""
    if request.method == "HEAD":
        return HttpResponse(content_type="text/event-stream")
    try:
        lines = hub.stream()
    except TooManyStreams:
        return HttpResponse(status=NO_MORE)
    # The stream asks the database nothing: the thread's connection is for others meanwhile.
    if not connection.in_atomic_block:
        connection.close()
    return StreamingHttpResponse(  # type: ignore[return-value]  # the guards pass any answer on
        lines, content_type="text/event-stream"
    )
