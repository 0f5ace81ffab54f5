"""Addresses without parameters are found by one look into a table, not by trying every route.

Starlette tries its routes one after the other, which takes longer here than the search of a hash
among a million. What is found either way, and what an endpoint is given, is the same.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

type Endpoint = Callable[[Request], Awaitable[Response]]


class Direct:
    """Stands before the router and passes on what its table does not name."""

    def __init__(self, router: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        """`routes` as the router has them; of two for one address the first counts, as there."""
        self._router = router
        self._endpoints = table(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        endpoint = None
        if scope["type"] == "http":
            endpoint = self._endpoints.get((scope["method"], scope["path"]))
        if endpoint is None:
            await self._router(scope, receive, send)
            return
        scope["endpoint"] = endpoint
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


def table(routes: Iterable[BaseRoute]) -> Mapping[tuple[str, str], Endpoint]:
    """Endpoints by method and path, of the routes whose path has no parameter."""
    made: dict[tuple[str, str], Endpoint] = {}
    for route in routes:
        if isinstance(route, Route) and "{" not in route.path:
            for method in route.methods or ():
                made.setdefault((method, route.path), route.endpoint)
    return made
