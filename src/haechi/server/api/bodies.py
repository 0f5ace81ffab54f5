"""From a request to a document: read within limits, and trust nothing that was sent."""

import unicodedata
from collections.abc import Mapping

from django.http import HttpRequest

from haechi.errors import InvalidDocument, TooManyBytes
from haechi.formats import strict_json

LIMIT_BYTES = 64_000
READ_BYTES = 64 * 1024


def raw(request: HttpRequest, *, limit_bytes: int = LIMIT_BYTES) -> bytes:
    """The body as it came, for whoever checks a signature. Raises TooManyBytes, InvalidDocument."""
    body = bytearray()
    try:
        while chunk := request.read(READ_BYTES):
            body += chunk
            if len(body) > limit_bytes:
                raise TooManyBytes
    except OSError as error:  # The connection broke: Django's UnreadablePostError.
        raise InvalidDocument("the connection ended in the middle") from error
    return bytes(body)


def document(request: HttpRequest, *, limit_bytes: int = LIMIT_BYTES) -> dict[str, object]:
    """The body as a JSON object. Raises TooManyBytes, InvalidDocument."""
    return parsed(raw(request, limit_bytes=limit_bytes))


def parsed(body: bytes) -> dict[str, object]:
    """A JSON object. Raises InvalidDocument.

    NaN and Infinity are no JSON, and a name that is given twice is refused: which of the two counts
    would depend on who reads it.
    """
    try:
        found = strict_json.loads(body)
    except ValueError as error:
        raise InvalidDocument("the body is not JSON") from error
    if not isinstance(found, dict):
        raise InvalidDocument("the body is not a JSON object")
    return found


def text(body: Mapping[str, object], name: str, *, limit: int, needed: bool = True) -> str:
    """A string of `body`; "" where it may be missing. Raises InvalidDocument, naming it.

    PostgreSQL stores neither NUL nor lone surrogates, and people read what is in it: of control
    characters, only the end of a line is let through.
    """
    value = body.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise InvalidDocument(f"{name} must be a string that is not empty")
    if len(value) > limit:
        raise InvalidDocument(f"{name} is longer than {limit} characters")
    if any(unicodedata.category(one) in ("Cc", "Cs") and one != "\n" for one in value):
        raise InvalidDocument(f"{name} holds control characters")
    return value
