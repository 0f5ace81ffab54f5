"""/c/signal_type, /c/content_type and /status: what there is, and whether it works."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from haechi.match_service import intake
from haechi.match_service.hma.answers import FieldWrong, service_of
from haechi.match_service.hma.signals import CONTENT_TYPES, PDQ, SIGNAL_TYPES

ALIVE = "I-AM-ALIVE"

_INDEXED = """
SELECT count(*) FILTER (WHERE pdq IS NOT NULL),
       count(*) FILTER (WHERE md5 IS NOT NULL AND (pdq IS NULL OR sha256 IS NULL)),
       coalesce(extract(epoch FROM max(created_at)), 0)::bigint,
       coalesce(max(member.seq), 0)
FROM matching_member AS member JOIN matching_bank AS bank ON bank.id = bank_id
WHERE status = 'confirmed' AND enabled
"""


async def content_types(_request: Request) -> Response:
    """GET /c/content_type."""
    return JSONResponse([{"name": name, "enabled": True} for name in CONTENT_TYPES])


async def signal_types(_request: Request) -> Response:
    """GET /c/signal_type."""
    return JSONResponse([{"name": name, "enabled_ratio": 1.0} for name in SIGNAL_TYPES])


async def signal_type_index(request: Request) -> Response:
    """GET /c/signal_type/index: how far this process is behind the database."""
    only = request.query_params.get("signal_type")
    if only is not None and only not in SIGNAL_TYPES:
        raise HTTPException(400, f"No such signal type '{only}'")
    service = service_of(request)
    [(pdq, md5, newest_at, newest_seq)] = await service.store.rows(_INDEXED)
    behind = newest_seq > service.mirror.seq
    here = {PDQ: len(service.mirror) - service.mirror.by_md5}
    return JSONResponse(
        {
            name: {
                "db_size": pdq if name == PDQ else md5,
                "index_size": here.get(name, service.mirror.by_md5),
                "index_out_of_date": behind,
                "newest_db_item": newest_at,
                "index_built_to": newest_at if not behind else 0,
            }
            for name in SIGNAL_TYPES
            if only in (None, name)
        }
    )


async def change_signal_type(request: Request) -> Response:
    """PUT /c/signal_type/{name}: they are always on, so only that can be said."""
    if request.path_params["name"] not in SIGNAL_TYPES:
        raise HTTPException(404, "no such signal type")
    body = await intake.read_json(request, service_of(request).settings.read_s)
    if "enabled_ratio" not in body:
        raise FieldWrong("enabled_ratio", "Field required")
    if body["enabled_ratio"] != 1:
        raise HTTPException(400, "Signal types are always on here; disable a bank instead.")
    return Response(status_code=204)


async def hma_status(request: Request) -> Response:
    """GET /status: plain words for load balancers; asks for no key."""
    follower = service_of(request).follower
    if follower.age_s is None:
        return PlainTextResponse("INDEX-NOT-LOADED", 503)
    return PlainTextResponse(ALIVE) if follower.fresh else PlainTextResponse("INDEX-STALE", 503)


async def hma_alive(_request: Request) -> Response:
    """GET /status/live: the process answers."""
    return PlainTextResponse(ALIVE)


async def home(_request: Request) -> Response:
    """GET /: to the status, as HMA without its pages."""
    return RedirectResponse("/status", 302)
