"""Answer requests whose head Django cannot even read; it raises before any of its own handlers."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import BadRequest

from haechi.server.config.middleware import HEADERS

PLAIN = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)

type StartResponse = Callable[[str, list[tuple[str, str]]], Any]
type Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def answer_unreadable(app: Application) -> Application:
    """`app`, with 400 where a header such as `Content-Type: text/x; charset*=a''b` stops it."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except BadRequest:
            start_response("400 Bad Request", [*PLAIN, *HEADERS.items()])
            return [b"This request cannot be read."]

    return answer
