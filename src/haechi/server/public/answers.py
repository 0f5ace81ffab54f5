"""Answers when something is in the way: a stable code, plain words, and others who can help."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import get_language

from haechi.errors import AppealUnknown, BlobError, HaechiError, SealError
from haechi.server.away import AWAY
from haechi.server.contacts import nearest
from haechi.server.words import words_for

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


def calm[**P](view: View[P]) -> View[P]:
    """A view that answers with words where it would fail (B31)."""

    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except AWAY:
            return sorry(request, "web.away", words_for("web.away"), status=503)
        except HaechiError as error:
            return sorry(request, error.code, words_for(error), status=_status(error))

    update_wrapper(answer, view)
    return answer


def sorry(request: HttpRequest, code: str, words: Promise | str, *, status: int) -> HttpResponse:
    """The page for what went wrong. Reads nothing from the database."""
    contacts = nearest(get_language() or "en") if status == 503 else []
    context = {"code": code, "words": words, "contacts": contacts}
    return render(request, "failure.html", context, status=status)


def _status(error: HaechiError) -> int:
    if isinstance(error, AppealUnknown):
        return 404
    return 503 if isinstance(error, BlobError | SealError) else 400
