"""Addresses without parameters are found by one look into a table, not by trying every route.

Starlette tries its routes one after the other, through layers that wrap one another's sending and
receiving. For a question by hash that takes longer than the search among a million. What is found
either way, what an endpoint is given, what is counted, and how errors are answered is the same.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from haechi.match_service.metrics import OUTCOME, Metrics, own_headers

type Endpoint = Callable[[Request], Awaitable[Response]]
type Refusal = Callable[[Request, Exception], Response]


class QuickGet(Starlette):
    """Starlette, but a GET of an address without parameters passes through none of its layers."""

    metrics: Metrics
    quick: Mapping[tuple[str, str], Endpoint] = {}
    refusals: Mapping[type[Exception], Refusal] = {}

    def prepare(self, metrics: Metrics, refusals: Mapping[type[Exception], Refusal]) -> None:
        """Begin to answer so; `refusals` as Starlette has its exception handlers, Exception too."""
        self.metrics, self.refusals = metrics, refusals
        made = table(self.routes)
        self.quick = {asked: endpoint for asked, endpoint in made.items() if asked[0] == "GET"}
        self.router.middleware_stack = Direct(self.router.middleware_stack, self.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        endpoint = None
        if scope["type"] == "http":
            endpoint = self.quick.get((scope["method"], scope["path"]))
        if endpoint is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"], scope["endpoint"] = self, endpoint
        await self._answer(endpoint, scope, receive, send)

    async def _answer(self, endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """As Starlette and `metrics.Measured` would, in one layer."""
        started, request = time.perf_counter(), Request(scope, receive)
        status, raised = 500, None
        try:
            try:
                response = await endpoint(request)
            except Exception as error:  # noqa: BLE001 - all are answered, unknown ones also raised
                refusal = self._refusal(type(error))
                response = refusal(request, error)
                raised = error if refusal is self.refusals[Exception] else None
            status = response.status_code
            response.raw_headers += own_headers(scope, status, unread=True)
            await response(scope, receive, send)
        finally:
            seconds = time.perf_counter() - started
            self.metrics.request(endpoint.__name__, status, seconds, scope.get(OUTCOME, ""))
        if raised is not None:
            raise raised

    def _refusal(self, kind: type[Exception]) -> Refusal:
        """The handler of the nearest class, as Starlette finds it."""
        return next(self.refusals[one] for one in kind.__mro__ if one in self.refusals)


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
