"""What every address of HMA's API shares: who asks, reading parameters, and saying no as HMA does."""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import wraps
from typing import cast
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from haechi.errors import HaechiError, InvalidDocument, MediaError, TooManyBytes, TooManyPixels
from haechi.match_service import refusals
from haechi.match_service.keys import SCOPES, Caller
from haechi.match_service.service import Service

type Endpoint = Callable[[Request], Awaitable[Response]]

# Whoever asks without a key where that is allowed.
NOBODY = Caller(0, "open", 0, frozenset(SCOPES))
NO_FETCHING = "This service fetches no addresses: send the file itself."

# Where a request keeps, in its scope, what was found out about it.
_CALLER, _GIVEN = "haechi.hma.caller", "haechi.hma.given"

# As pydantic, which reads HMA's parameters, takes them.
_YES = frozenset({"1", "true", "t", "yes", "y", "on"})
_NO = frozenset({"0", "false", "f", "no", "n", "off"})


class FieldWrong(InvalidDocument):
    """A field or parameter is missing or of the wrong type: HMA answers 422 with a list."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name, self.why = name, why


def hma(endpoint: Endpoint) -> Endpoint:
    """`endpoint`, for callers with a key only, and with refusals as HMA writes them."""

    async def guarded(request: Request) -> Response:
        if "match" not in (await caller(request)).scopes:
            raise HTTPException(403, "This key may not match.")
        return await endpoint(request)

    return _named(endpoint, guarded)


def curating(endpoint: Endpoint) -> Endpoint:
    """`endpoint`, for callers whose key may change banks."""

    async def guarded(request: Request) -> Response:
        if "curate" not in (await caller(request)).scopes:
            raise HTTPException(403, "This key may not change banks.")
        return await endpoint(request)

    return _named(endpoint, guarded)


def service_of(request: Request) -> Service:
    """What the routes of this process share."""
    return cast("Service", request.app.state.service)


async def caller(request: Request) -> Caller:
    """Who asks. Raises KeyRefused, RateLimited.

    Without a key, nobody in particular may ask, from this machine, where the settings say so.
    """
    known: Caller | None = request.scope.get(_CALLER)
    if known is None:
        service = service_of(request)
        unnamed = service.settings.hma_open and "authorization" not in request.headers
        nobody = unnamed and _from_this_machine(request)
        known = NOBODY if nobody else await service.known(request)
        request.scope[_CALLER] = known
    return known


def given(request: Request) -> Mapping[str, str]:
    """The parameters of the address; of one that is given twice, the last."""
    known: Mapping[str, str] | None = request.scope.get(_GIVEN)
    if known is None:
        query = request.scope["query_string"].decode("latin-1")
        known = request.scope[_GIVEN] = dict(_pairs(query))
    return known


def needed(request: Request, name: str) -> str:
    """A parameter of the address. Raises FieldWrong."""
    value = given(request).get(name)
    if value is None:
        raise FieldWrong(name, "Field required")
    return value


def yes(request: Request, name: str, *, otherwise: bool = False) -> bool:
    """A parameter that is true or false. Raises FieldWrong."""
    value = given(request).get(name)
    if value is None:
        return otherwise
    if value.lower() not in _YES | _NO:
        raise FieldWrong(name, "Input should be a valid boolean")
    return value.lower() in _YES


def names(request: Request, name: str) -> frozenset[str] | None:
    """A parameter that is a list with commas; None where it is missing or empty."""
    value = given(request).get(name)
    return frozenset(value.split(",")) if value else None


def _pairs(query: str) -> Iterable[tuple[str, str]]:
    """As parse_qsl, which takes ten times as long where nothing is escaped."""
    if "%" in query or "+" in query:
        return parse_qsl(query, keep_blank_values=True)
    parts = (pair.partition("=") for pair in query.split("&") if pair)
    return ((name, value) for name, _, value in parts)


def _named(endpoint: Endpoint, guarded: Endpoint) -> Endpoint:
    # The name is the label of the counters.
    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await guarded(request)
        except FieldWrong as error:
            wrong = {"type": "value_error", "loc": [error.name], "msg": error.why, "input": None}
            return JSONResponse([wrong], 422)
        except HTTPException as error:
            return JSONResponse({"message": error.detail}, error.status_code)
        except HaechiError as error:
            return _refusal(error)

    return answered


def _refusal(error: HaechiError) -> Response:
    status, words, headers = refusals.meaning(error)
    if isinstance(error, InvalidDocument):
        words = str(error)
    elif isinstance(error, MediaError):
        # The only codes that HMA's description knows for a file.
        status = 413 if isinstance(error, TooManyBytes | TooManyPixels) else 400
    return JSONResponse({"message": words}, status, headers=headers)


def _from_this_machine(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
