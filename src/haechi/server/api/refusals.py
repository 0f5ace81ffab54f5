"""Every way the API says no: a status, a stable code, and words for whoever wrote the program."""

import math
from collections.abc import Mapping

from django.http import JsonResponse

from haechi import errors
from haechi.errors import HaechiError

# The most specific class that an error is an instance of counts, so order does not matter.
ANSWERS: Mapping[type[HaechiError], tuple[int, str]] = {
    errors.KeyRefused: (401, "An API key of an enabled platform is needed."),
    errors.ScopeMissing: (403, "This key is not for this."),
    errors.RateLimited: (429, "Too many requests. Try again later."),
    errors.InvalidDocument: (400, "The request is not of the form described."),
    errors.TooManyBytes: (413, "This is longer than the limit."),
    errors.WebhookForged: (401, "The signature does not fit."),
    errors.WebhookStale: (400, "The time stamp lies outside the window."),
    errors.WebhookReplayed: (409, "This was received before."),
    errors.ActionUnknown: (404, "Nothing of that key was asked of this platform."),
    errors.ActionAnswered: (409, "It was answered, taken back or given up before."),
    errors.SenderUnknown: (401, "A known sender must sign this, or send its key."),
    errors.IncomingUnknown: (404, "There is no notice of yours with this number."),
    errors.GenerationKnown: (409, "Another account has this produce_id."),
    errors.NotMedia: (415, "This is no picture, video or sound that can be read."),
    errors.UnsupportedMedia: (415, "This kind of file cannot be opened here."),
    errors.MediaError: (422, "This file cannot be opened safely."),
    errors.LabelError: (422, "This cannot be labelled as it is asked for."),
    errors.BlobError: (503, "Nothing can be stored at the moment. Try again later."),
    errors.SealError: (503, "Nothing can be stored at the moment. Try again later."),
    HaechiError: (400, "This cannot be done."),
}
# What Django and the database say, by the code its page has elsewhere.
WORDS: Mapping[str, str] = {
    "web.not_found": "There is nothing at this address.",
    "web.too_large": "This is longer than the limit.",
    "web.unreadable": "This request cannot be read.",
    "web.method": "This address does not take that method.",
    "web.away": "The records cannot be reached at the moment. Try again later.",
    "web.failed": "Something went wrong here.",
}
RETRY_AFTER_S = 5


def refused(error: HaechiError) -> JsonResponse:
    """The answer for one of our errors. What it says of its own goes along for a bad document."""
    found = next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)
    status, words = found
    detail = str(error) if isinstance(error, errors.InvalidDocument) else ""
    answer = told(error.code, status, words, detail)
    if isinstance(error, errors.RateLimited):
        answer.headers["Retry-After"] = str(max(1, math.ceil(error.wait_s)))
    return answer


def told(code: str, status: int, words: str = "", detail: str = "") -> JsonResponse:
    """A refusal as JSON: {"error": {"code", "message", "detail"?}}."""
    said = {"code": code, "message": words or WORDS.get(code, WORDS["web.failed"])}
    if detail:
        said["detail"] = detail
    answer = JsonResponse({"error": said}, status=status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer
