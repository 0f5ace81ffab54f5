"""/h: the hash of a file."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from haechi.match_service.hma import signals, upload
from haechi.match_service.hma.answers import given, needed


async def hash_address(request: Request) -> Response:
    """GET /h/hash?url=: the hash of the file there, where this service fetches addresses."""
    return _hashes(request, await upload.fetched(request, needed(request, "url")))


async def hash_file(request: Request) -> Response:
    """POST /h/hash: {"pdq": 64 hex digits} of a photo, {"video_md5": 32 hex digits} of a video."""
    return _hashes(request, await upload.read(request))


def _hashes(request: Request, sent: upload.Upload) -> Response:
    types = signals.chosen(sent.content_type, given(request).get("types"))
    return JSONResponse({name: sent.signals[name] for name in types})
