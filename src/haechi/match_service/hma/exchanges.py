"""/c/exchange...: what an HMA answers that has no exchange and no kind of exchange installed.

Haechi exchanges banks elsewhere (docs/hma.md), so that nothing here fetches by itself.
"""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from haechi.match_service import intake
from haechi.match_service.hma.answers import service_of

_NAME = re.compile("[A-Z0-9_]+")


async def list_none(_request: Request) -> Response:
    """GET /c/exchanges and /c/exchanges/apis: there are none."""
    return JSONResponse([])


async def create(request: Request) -> Response:
    """POST /c/exchanges: 400, for there is no kind of exchange that could be made."""
    body = await intake.read_json(request, service_of(request).settings.read_s)
    bank, kind = body.get("bank"), body.get("api")
    if bank is None:
        raise HTTPException(400, "Field `bank` is required")
    if not isinstance(bank, str) or not _NAME.fullmatch(bank):
        raise HTTPException(400, "Field `bank` must match /^[A-Z0-9_]+$/")
    if not isinstance(body.get("api_json", {}), dict):
        raise HTTPException(400, "Field `api_json` must be object")
    if kind is None:
        raise HTTPException(400, "Field `api_type` is required")
    raise HTTPException(400, f"No such exchange type '{kind}'")


async def no_such(request: Request) -> Response:
    """GET and PUT /c/exchange/{name} and its status: 404."""
    raise HTTPException(404, f"Exchange '{request.path_params['name']}' not found")


async def delete(_request: Request) -> Response:
    """DELETE /c/exchange/{name}: done, for there is none; HMA never answers 404."""
    return JSONResponse({"message": "Exchange deleted"})


async def no_such_kind(request: Request) -> Response:
    """GET and POST /c/exchanges/api/{name}: 400, as HMA."""
    raise HTTPException(400, f"no such Exchange API '{request.path_params['name']}'")


async def no_schema(request: Request) -> Response:
    """GET /c/exchanges/api/{name}/schema: 404, as HMA."""
    raise HTTPException(404, f"Exchange API '{request.path_params['name']}' not found")
