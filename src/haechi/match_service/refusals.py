"""Every way this service says no: the errors of its own, and one table of status codes and words."""

import math
from collections.abc import Mapping
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from haechi import errors
from haechi.errors import HaechiError

RETRY_AFTER_S = 2

# One answer: a key must not learn from it what the inner network has.
_NOT_FETCHED = "Nothing could be fetched from that address."

# The most specific class that an error is an instance of counts, so order does not matter.
ANSWERS: Mapping[type[HaechiError], tuple[int, str]] = {
    errors.NotMedia: (415, "This is not a picture in a format that Haechi knows."),
    errors.UnsupportedMedia: (415, "This format is known, but it is not opened here."),
    errors.BrokenMedia: (422, "This picture is damaged and cannot be opened."),
    errors.TooManyBytes: (413, "This file is longer than the limit."),
    errors.TooManyPixels: (413, "This picture has more pixels than the limit."),
    errors.DecodeTimeout: (422, "Opening this picture took too long."),
    errors.DecoderCrashed: (422, "This picture cannot be opened safely."),
    errors.MediaError: (422, "This file cannot be used as a picture."),
    errors.FingerprintError: (503, "The fingerprint cannot be made now. Try again shortly."),
    errors.InvalidDocument: (400, "The request is not of the form described."),
    errors.KeyRefused: (401, "An API key of an enabled platform is needed."),
    errors.ScopeMissing: (403, "This key is not for this."),
    errors.RateLimited: (429, "Too many requests. Try again later."),
    errors.AddressRefused: (400, _NOT_FETCHED),
    errors.AddressUnreachable: (400, _NOT_FETCHED),
    errors.CheckUnknown: (404, "No recent check of this platform has that number."),
    errors.ContentUnknown: (404, "This platform has registered no content of that id."),
    errors.BodyTooSlow: (408, "The request took too long to arrive."),
    errors.MatchBusy: (429, "Too much at once. Try again shortly."),
    errors.MatchUnavailable: (503, "The banks cannot be consulted now. Try again shortly."),
}


def answer(error: HaechiError) -> JSONResponse:
    """The error as JSON: {"error": {"code", "message", "detail"?}}; 500 for what no table row fits."""
    status, _, headers = meaning(error)
    return JSONResponse({"error": told(error)}, status, headers=headers)


def told(error: HaechiError) -> dict[str, str]:
    """The error as a client reads it: code, message, and the detail where the client can mend it."""
    body = {"code": error.code, "message": meaning(error)[1]}
    if isinstance(error, errors.InvalidDocument):
        body["detail"] = str(error)
    if isinstance(error, errors.ScopeMissing):
        body["detail"] = f"the scope {error.scope} is missing"
    return body


def meaning(error: HaechiError) -> tuple[int, str, dict[str, str]]:
    """Status, words for people and headers that stand for `error`."""
    kind = next((kind for kind in type(error).__mro__ if kind in ANSWERS), HaechiError)
    status, words = ANSWERS.get(kind, (500, "Something went wrong here; nothing was recorded."))
    wait_s = error.wait_s if isinstance(error, errors.RateLimited) else RETRY_AFTER_S
    return status, words, _headers(status, math.ceil(wait_s))


def plain(status: int, code: str, words: str) -> JSONResponse:
    """An error that no exception stands for, such as an address that does not exist."""
    return JSONResponse({"error": {"code": code, "message": words}}, status)


def refused(_request: Request, error: Exception) -> Response:
    """Starlette's handler for HaechiError."""
    return answer(cast("HaechiError", error))


def _headers(status: int, wait_s: int) -> dict[str, str]:
    if status in (429, 503):
        return {"Retry-After": str(wait_s)}
    return {"WWW-Authenticate": "Bearer"} if status == 401 else {}
