"""/h: the hash of a file."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from haechi.match_service.hma import signals, upload
from haechi.match_service.hma.answers import NO_FETCHING, needed


async def hash_address(request: Request) -> Response:
    """GET /h/hash?url=: refused, for this service makes no requests on behalf of others."""
    needed(request, "url")
    raise HTTPException(403, NO_FETCHING)


async def hash_file(request: Request) -> Response:
    """POST /h/hash: {"pdq": 64 hex digits} of a photo, {"video_md5": 32 hex digits} of a video."""
    sent = await upload.read(request)
    types = signals.chosen(sent.content_type, request.query_params.get("types"))
    return JSONResponse({name: sent.signals[name] for name in types})
