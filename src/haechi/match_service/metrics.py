"""Counters of one process in the text format of Prometheus (version 0.0.4)."""

import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Requests by route and status, their time, and outcomes. Labels never name a person."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._buckets: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(BUCKETS_S) + 1))

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests[route, status] += 1
        self._seconds[route] += seconds
        self._buckets[route][bisect_left(BUCKETS_S, seconds)] += 1

    def outcome(self, outcome: str) -> None:
        """Count one verdict that was given."""
        self._outcomes[outcome] += 1

    def text(self, gauges: dict[str, float]) -> str:
        """Everything, with `gauges` (name without prefix to value) in front."""
        lines = [*_gauges(gauges), *self._counters(), *self._histogram()]
        return "\n".join(lines) + "\n"

    def _counters(self) -> Iterator[str]:
        yield "# TYPE haechi_match_requests_total counter"
        for (route, status), count in sorted(self._requests.items()):
            yield f'haechi_match_requests_total{{route="{route}",status="{status}"}} {count}'
        yield "# TYPE haechi_match_outcomes_total counter"
        for outcome, count in sorted(self._outcomes.items()):
            yield f'haechi_match_outcomes_total{{outcome="{outcome}"}} {count}'

    def _histogram(self) -> Iterator[str]:
        name = "haechi_match_request_seconds"
        yield f"# TYPE {name} histogram"
        for route, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*BUCKETS_S, "+Inf"), buckets, strict=True):
                total += count
                yield f'{name}_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'{name}_sum{{route="{route}"}} {self._seconds[route]:.6f}'
            yield f'{name}_count{{route="{route}"}} {total}'


def _gauges(gauges: dict[str, float]) -> Iterator[str]:
    for name, value in gauges.items():
        yield f"# TYPE haechi_match_{name} gauge"
        yield f"haechi_match_{name} {value:g}"


# What runs this is nobody's business outside.
_QUIET = (b"server", b"haechi")


class Measured:
    """ASGI middleware that counts every HTTP request, also those that end in an exception."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on and watch for the status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), _QUIET]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.request(_route(scope), status, seconds)


def _route(scope: Scope) -> str:
    """The name of the route, so that addresses people make up do not become label values."""
    return getattr(scope.get("endpoint"), "__name__", "none")
