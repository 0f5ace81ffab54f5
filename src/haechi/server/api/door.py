"""The two doors of the API: open to all, or with a platform's key. Behind either, errors are JSON."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from haechi.errors import HaechiError, KeyRefused, RateLimited, ScopeMissing
from haechi.server.api import refusals
from haechi.server.away import AWAY
from haechi.server.client import address_of, network_of
from haechi.server.counting import Counts
from haechi.server.matching import api_keys
from haechi.server.matching.api_keys import Caller

COUNTS = Counts()
KEY_LIMIT = 200
WAIT_S = 60.0

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]
type Keyed[**P] = Callable[Concatenate[HttpRequest, Caller, P], HttpResponse]


def open_to_all[**P](act: str) -> Callable[[View[P]], View[P]]:
    """An endpoint without a key; each request counts as `act` of its network (counting.LIMITS).

    Whatever is signed, the view itself must check.
    """

    def decorate(view: View[P]) -> View[P]:
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            def ask() -> HttpResponse:
                _count(act, "address", network_of(address_of(request)))
                return view(request, *args, **kwargs)

            return _in_json(ask)

        update_wrapper(answer, view)
        return answer

    return decorate


def with_key[**P](scope: str) -> Callable[[Keyed[P]], View[P]]:
    """An endpoint for platforms: the view is given who asks. The key must be good, and for `scope`."""

    def decorate(view: Keyed[P]) -> View[P]:
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            return _in_json(lambda: view(request, _caller(request, scope), *args, **kwargs))

        update_wrapper(answer, view)
        return answer

    return decorate


def by_method(**views: View[...]) -> View[...]:
    """One address with a view for each method: `by_method(GET=..., POST=...)`.

    No cookie says who asks, so no other site can ask in somebody's name: the CSRF check is off.
    """
    allowed = ", ".join([*views, *(["HEAD"] if "GET" in views else [])])

    def dispatch(request: HttpRequest, /, *args: object, **kwargs: object) -> HttpResponse:
        method = "GET" if request.method == "HEAD" else request.method or ""
        view = views.get(method)
        if view is None:
            answer = refusals.told("web.method", 405)
            answer.headers["Allow"] = allowed
            return answer
        return view(request, *args, **kwargs)

    return csrf_exempt(dispatch)


def _in_json(ask: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        return ask()
    except AWAY:
        return refusals.told("web.away", 503)
    except HaechiError as error:
        return refusals.refused(error)


def _caller(request: HttpRequest, scope: str) -> Caller:
    """Whose key the header `Authorization` carries. Raises KeyRefused, ScopeMissing, RateLimited."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    text = text.strip()
    caller = None
    if scheme.lower() == "bearer" and 0 < len(text) <= KEY_LIMIT:
        caller = api_keys.find(text, now=timezone.now())
    if caller is None:
        _count("api_refused", "address", network_of(address_of(request)))
        raise KeyRefused
    _count("api", "key", str(caller.key))
    if scope not in caller.scopes:
        raise ScopeMissing(scope)
    return caller


def _count(act: str, scope: str, value: str) -> None:
    factor = settings.HAECHI.limit_factor
    if COUNTS.over(act, {scope: value}, factor=factor, now=timezone.now()):
        raise RateLimited(WAIT_S)
