"""Who may see which page. There is no role that sees everything (B11)."""

from collections.abc import Callable, Collection
from functools import wraps
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Concatenate

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise

from haechi.errors import NotAllowed
from haechi.server.staff.models import Role, User
from haechi.server.words import words_for

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


def staff_only[**P](view: View[P]) -> View[P]:
    """Let people in who are logged in and active; send everybody else to the login page."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method in ("GET", "HEAD"):
            return redirect_to_login(request.get_full_path())
        return redirect("desk:login")

    return guarded


def reviewers_only[**P](view: View[P]) -> View[P]:
    """Let reviewers in. Administrators manage people and keys; content is not theirs to read."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if actor_of(request).role != Role.REVIEWER:
            return refusal(request, NotAllowed.code, 403)
        return view(request, *args, **kwargs)

    return staff_only(guarded)


def actor_of(request: HttpRequest) -> User:
    """Who acts. Raises PermissionDenied for nobody, which the views' guards make impossible."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def home_of(user: User) -> str:
    """The page, as a route's name, where a person's work begins."""
    return "desk:queue" if user.role == Role.REVIEWER else "desk:log"


def address_of(request: HttpRequest) -> str:
    """The address a login counts for: the one behind the proxies we were told to trust."""
    return client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        settings.HAECHI.trusted_proxies,
    )


def client_address(
    remote: str, forwarded: str, trusted: Collection[IPv4Network | IPv6Network]
) -> str:
    """The right-most untrusted address of `forwarded`, where `remote` is a trusted proxy.

    What stands further left was written by whoever asks, so it counts for nothing. Where an entry
    is no address, or all are proxies, the last trusted one before it counts.
    """
    counted = remote
    for hop in reversed(["", *forwarded.split(",")]):
        address = _address(counted)
        if address is None or not any(address in network for network in trusted):
            break
        if _address(hop) is None:
            break
        counted = hop.strip()
    return counted


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def refusal(
    request: HttpRequest, code: str, status: int, words: str | Promise | None = None
) -> HttpResponse:
    """A page that says no: plain words, the stable code, and the way on."""
    context = {"code": code, "words": words or words_for(code)}
    return render(request, "desk/refused.html", context, status=status)
