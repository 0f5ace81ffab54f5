"""Counters of one process in the text format of Prometheus (version 0.0.4)."""

import os
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OUTCOME = "haechi.outcome"
"""Where a route leaves in its scope what it answered, so that blocks are timed apart."""

# What runs this is nobody's business outside.
_QUIET = (b"server", b"haechi")
_CLOSE = (b"connection", b"close")
_WITH_HEAD = 4_096


class Metrics:
    """Requests by route and status, their time by outcome, verdicts. Labels never name a person."""

    def __init__(self, *, several: bool = False) -> None:
        """`several` processes answer at one address: then each names itself in every line."""
        self._own = f'process="{os.getpid()}"' if several else ""
        self._requests: Counter[tuple[str, int]] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._buckets: defaultdict[tuple[str, str], list[int]] = defaultdict(
            lambda: [0] * (len(BUCKETS_S) + 1)
        )

    def request(self, route: str, status: int, seconds: float, outcome: str = "") -> None:
        """Count one answered request; `outcome` is its verdict, if it gave one."""
        self._requests[route, status] += 1
        kind = route, outcome or f"{status // 100}xx"
        self._seconds[kind] += seconds
        self._buckets[kind][bisect_left(BUCKETS_S, seconds)] += 1

    def outcome(self, outcome: str) -> None:
        """Count one verdict that was given."""
        self._outcomes[outcome] += 1

    def lost_decoder(self, code: str) -> None:
        """Count one decoder process that a file cost; `code` is the error's."""
        self._lost[code] += 1

    def text(self, gauges: Mapping[str, float]) -> str:
        """Everything, with `gauges` (name without prefix to value) in front."""
        lines = [*self._gauges(gauges), *self._counters(), *self._histogram()]
        return "\n".join(lines) + "\n"

    def _gauges(self, gauges: Mapping[str, float]) -> Iterator[str]:
        for name, value in gauges.items():
            yield f"# TYPE haechi_match_{name} gauge"
            yield f"haechi_match_{name}{self._labels()} {value:.12g}"

    def _counters(self) -> Iterator[str]:
        yield "# TYPE haechi_match_requests_total counter"
        for (route, status), count in sorted(self._requests.items()):
            labels = self._labels(route=route, status=str(status))
            yield f"haechi_match_requests_total{labels} {count}"
        yield "# TYPE haechi_match_outcomes_total counter"
        for outcome, count in sorted(self._outcomes.items()):
            yield f"haechi_match_outcomes_total{self._labels(outcome=outcome)} {count}"
        yield "# TYPE haechi_match_decoders_lost_total counter"
        for code, count in sorted(self._lost.items()):
            yield f"haechi_match_decoders_lost_total{self._labels(code=code)} {count}"

    def _histogram(self) -> Iterator[str]:
        name = "haechi_match_request_seconds"
        yield f"# TYPE {name} histogram"
        for (route, outcome), buckets in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*BUCKETS_S, "+Inf"), buckets, strict=True):
                total += count
                labels = self._labels(route=route, outcome=outcome, le=str(bound))
                yield f"{name}_bucket{labels} {total}"
            labels = self._labels(route=route, outcome=outcome)
            yield f"{name}_sum{labels} {self._seconds[route, outcome]:.6f}"
            yield f"{name}_count{labels} {total}"

    def _labels(self, **labels: str) -> str:
        each = [*(f'{name}="{value}"' for name, value in labels.items()), self._own]
        joined = ",".join(one for one in each if one)
        return f"{{{joined}}}" if joined else ""


class Measured:
    """ASGI middleware that counts every HTTP request, also those that end in an exception.

    Whoever is refused before their picture was read is told that the connection ends: the server
    ends it, and a client that sent its next picture there would see it break.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on and watch for the status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started, heard = 500, time.perf_counter(), False

        async def listen() -> Message:
            nonlocal heard
            message = await receive()
            heard = not message.get("more_body", False)
            return message

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = own_headers(scope, status, unread=not heard)
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        try:
            await self._app(scope, listen, watch)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.request(_route(scope), status, seconds, scope.get(OUTCOME, ""))


def own_headers(scope: Scope, status: int, *, unread: bool) -> tuple[tuple[bytes, bytes], ...]:
    """What every answer carries; `unread` if not all of the body was asked for."""
    return (_QUIET, _CLOSE) if unread and status >= 400 and _has_more(scope) else (_QUIET,)


def _has_more(scope: Scope) -> bool:
    """True for more than what comes together with the head of the request."""
    told = dict(scope["headers"])
    length = told.get(b"content-length", b"0")
    return b"transfer-encoding" in told or int(length) > _WITH_HEAD


def _route(scope: Scope) -> str:
    """The name of the route, so that addresses people make up do not become label values."""
    return getattr(scope.get("endpoint"), "__name__", "none")
