"""Files that the page's script has sealed, piece by piece: JSON with a stable code and words.

    POST    /report/upload           Upload-Length     begin; gives the upload's id
    GET     /report/upload/<id>                        how far it has come
    PUT     /report/upload/<id>      Upload-Offset     one piece, application/octet-stream
    POST    /report/upload/<id>                        finish: all of it is here
    DELETE  /report/upload/<id>                        forget it

Every request carries `X-CSRFToken`, and in `Upload-Page` the secret of the page it comes from: an
upload answers to the page that began it alone. Nothing in an address says anything about anybody.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from haechi.errors import (
    BadPiece,
    BlobMissing,
    HaechiError,
    PageOver,
    StorageUnavailable,
    TooManyAtOnce,
    TooManyUploads,
    UploadBusy,
    UploadTooLong,
    UploadUnfinished,
    UploadUnknown,
    WrongOffset,
)
from haechi.server.away import AWAY
from haechi.server.evidence import uploads
from haechi.server.public import page_token
from haechi.server.public.limits import slow
from haechi.server.words import words_for

READ_BYTES = 256 * 1024
MOST_DIGITS = 12
STATUS: dict[type[HaechiError], int] = {
    UploadUnknown: 404,
    BlobMissing: 404,
    UploadBusy: 409,
    WrongOffset: 409,
    UploadUnfinished: 409,
    UploadTooLong: 413,
    TooManyUploads: 429,
    TooManyAtOnce: 429,
    StorageUnavailable: 503,
    PageOver: 403,
}


def _as_json[**P](
    view: Callable[Concatenate[HttpRequest, str, P], JsonResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view of a page's uploads: given the page's secret, answers errors with code and words."""

    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        page = request.headers.get("Upload-Page", "")
        try:
            if not page_token.valid(page):
                raise PageOver
            return view(request, page, *args, **kwargs)
        except AWAY:
            return _told("web.away", 503)
        except WrongOffset as error:
            return _told(error.code, 409, received=error.received)
        except HaechiError as error:
            return _told(error.code, STATUS.get(type(error), 400))

    update_wrapper(answer, view)
    return answer


@require_http_methods(["POST"])
@_as_json
def begin(request: HttpRequest, page: str) -> JsonResponse:
    """Make room for one envelope. Only a page of ours is counted against its network."""
    if slow(request, "upload"):
        raise TooManyAtOnce
    name = uploads.begin(page, _number(request, "Upload-Length"), now=timezone.now())
    told = {"upload": name, "received": 0, "piece_bytes": settings.PIECE_BYTES}
    return JsonResponse(told, status=201)


@require_http_methods(["GET", "PUT", "POST", "DELETE"])
@_as_json
def upload(request: HttpRequest, page: str, name: str) -> JsonResponse:
    """Ask about one upload, add to it, finish it, forget it."""
    if request.method == "PUT":
        offset = _number(request, "Upload-Offset")
        piece = _piece(request)
        return JsonResponse(
            {"received": uploads.receive(page, name, offset, piece, now=timezone.now())}
        )
    if request.method == "DELETE":
        uploads.drop(page, name)
        return JsonResponse({})
    if request.method == "POST":
        uploads.finish(page, name, now=timezone.now())
    received, finished = uploads.received(page, name)
    return JsonResponse({"received": received, "finished": finished})


def _number(request: HttpRequest, name: str) -> int:
    """A number of a header: digits alone, no more than a length has. Raises BadPiece."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise BadPiece(f"{name} is no number")
    return int(text)


def _piece(request: HttpRequest) -> bytes:
    """The whole body, of a length that was told and is allowed. Raises BadPiece."""
    length = _number(request, "Content-Length")
    if not 0 < length <= settings.PIECE_BYTES:
        raise BadPiece(f"a piece has 1 to {settings.PIECE_BYTES} bytes")
    piece = bytearray()
    try:
        while chunk := request.read(min(READ_BYTES, length - len(piece))):
            piece += chunk
    except OSError as error:  # The connection broke: Django's UnreadablePostError.
        raise BadPiece("the connection ended in the middle") from error
    if len(piece) != length:
        raise BadPiece("the connection ended in the middle")
    return bytes(piece)


def _told(code: str, status: int, **more: int) -> JsonResponse:
    return JsonResponse({"code": code, "words": str(words_for(code)), **more}, status=status)
