"""The routes, top to bottom as a platform uses them, and what lives as long as the process."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from haechi.errors import HaechiError, MatchUnavailable
from haechi.fingerprint import image
from haechi.match_service import intake
from haechi.match_service.batch import match_many
from haechi.match_service.config import Settings
from haechi.match_service.decoded import by_pdq
from haechi.match_service.describe import document, hma_openapi, openapi
from haechi.match_service.direct import QuickGet, Refusal
from haechi.match_service.hma.routes import routes as hma_routes
from haechi.match_service.intake import Asked
from haechi.match_service.metrics import OUTCOME, Measured
from haechi.match_service.refusals import plain, refused
from haechi.match_service.service import PICTURE_COSTS, Make, Service
from haechi.match_service.store import Verdict
from haechi.match_service.verdicts import Reader, service_of, verdict
from haechi.media import Sandbox

_MAKE: Mapping[str, Make] = {"all": image, "pdq": by_pdq}


def create_app(
    settings: Settings, *, sandbox: Sandbox | None = None, freeze: bool = False
) -> Starlette:
    """The service as an ASGI application; connects and loads when its lifespan begins.

    It starts without the database and is ready once the banks are loaded. `sandbox` lets several
    applications of one process share decoders; without it the application has its own. `freeze`
    where it has the process to itself: what was loaded until the first request is never looked
    through for garbage again, which stops every request for tens of milliseconds.
    """
    service = Service(settings, sandbox)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await service.open()
        following = asyncio.create_task(service.follower.run())
        await service.loaded()
        if freeze:
            gc.collect()
            gc.freeze()
        keeping_time = asyncio.create_task(service.keep_time())
        try:
            yield
        finally:
            for task in (following, keeping_time):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await service.close()

    refusals: dict[type[Exception], Refusal] = {
        HaechiError: refused,
        HTTPException: _no_such_address,
        ClientDisconnect: _nobody_there,
        Exception: _our_fault,
    }
    app = QuickGet(
        routes=[
            Route("/v1/match", match, methods=["POST"]),
            Route("/v1/match/batch", match_many, methods=["POST"]),
            Route("/v1/content/{content_id:path}", register, methods=["PUT"]),
            Route("/v1/content/{content_id:path}", remove, methods=["DELETE"]),
            Route("/v1/status", status),
            Route("/health", health),
            Route("/ready", ready),
            Route("/metrics", metrics),
            Route("/openapi.json", openapi),
            *(hma_routes() if settings.hma else ()),
            *([Route("/openapi/openapi.json", hma_openapi)] if settings.hma else ()),
        ],
        middleware=[Middleware(Measured, metrics=service.metrics)],
        exception_handlers=refusals,
        lifespan=lifespan,
    )
    app.prepare(service.metrics, refusals)
    app.state.service = service
    app.state.openapi = document(app.routes)
    return app


async def match(request: Request) -> Response:
    """POST /v1/match: may this picture be published?

    The row is committed before the answer is sent, so no verdict is ever acted on that the
    database does not know. `?fingerprints=pdq` makes and compares no embedding.
    """
    service = service_of(request)
    by_hash = intake.is_json(request)
    caller = await service.caller(request, "match", 1.0 if by_hash else PICTURE_COSTS)
    label, make = intake.label(request), _MAKE[intake.fingerprints(request)]
    if not service.follower.fresh:
        raise MatchUnavailable
    if by_hash:
        asked = Asked.hashes(await intake.read_json(request, service.settings.read_s))
    else:
        asked = await service.fingerprint(request, make)
    decision, found = await service.search(asked.query)
    given = Verdict(asked, decision, label)
    [written] = await service.store.write_checks(caller.id, [given])
    service.metrics.outcome(decision.outcome)
    request.scope[OUTCOME] = decision.outcome
    reader = await Reader.of(service, caller, [(decision, found)])
    return JSONResponse(verdict(reader, given, found, written))


async def register(request: Request) -> Response:
    """PUT /v1/content/{content_id}: what was checked is now hosted, here, by this account.

    The address must be on the platform's own host.
    """
    service = service_of(request)
    platform = (await service.caller(request, "register")).id
    content_id = intake.content_id(request.path_params["content_id"])
    body = await intake.read_json(request, service.settings.read_s)
    url = intake.own_address(intake.text(body, "url"), await service.store.base_url(platform))
    registered_at, removed_at = await service.store.register(
        platform,
        content_id,
        url=url,
        account=intake.text(body, "account"),
        check=intake.number(body, "fingerprint_of"),
    )
    return JSONResponse(
        {
            "content_id": content_id,
            "registered_at": registered_at.isoformat(),
            "removed_at": removed_at.isoformat() if removed_at else None,
        }
    )


async def remove(request: Request) -> Response:
    """DELETE /v1/content/{content_id}: the platform no longer hosts it."""
    service = service_of(request)
    platform = (await service.caller(request, "register")).id
    content_id = intake.content_id(request.path_params["content_id"])
    removed_at = await service.store.remove(platform, content_id)
    return JSONResponse({"content_id": content_id, "removed_at": removed_at.isoformat()})


async def status(request: Request) -> Response:
    """GET /v1/status: what is loaded here; with a key, also the counts of that platform."""
    service = service_of(request)
    body: dict[str, object] = {"ready": service.follower.fresh, **service.gauges()}
    body["sscd"] = service.has_model
    if "authorization" in request.headers:
        caller = await service.caller(request, "match")
        hosted, checks = await service.store.counts(caller.id)
        body["platform"] = {"hosted": hosted, "checks": checks}
    return JSONResponse(body)


async def health(_request: Request) -> Response:
    """GET /health: the process answers."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """GET /ready: verdicts can be given; 503 otherwise."""
    if not service_of(request).follower.fresh:
        raise MatchUnavailable
    return JSONResponse({"status": "ready"})


async def metrics(request: Request) -> Response:
    """GET /metrics: counters of this process for Prometheus."""
    service = service_of(request)
    if not service.settings.metrics_open:
        await service.caller(request, "metrics")
    text = service.metrics.text(await service.measures())
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def _no_such_address(_request: Request, error: Exception) -> Response:
    http = cast("HTTPException", error)
    return plain(http.status_code, f"http.{http.status_code}", f"{http.detail}.")


def _nobody_there(_request: Request, _error: Exception) -> Response:
    return plain(400, "http.disconnected", "The client went away.")


def _our_fault(_request: Request, _error: Exception) -> Response:
    return plain(500, HaechiError.code, "Something went wrong here; nothing was published.")
