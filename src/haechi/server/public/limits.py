"""Who does too much in a short time works or waits; nobody is turned away from reading (B30)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from threading import BoundedSemaphore
from typing import Concatenate

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language

from haechi.errors import TooManyAtOnce
from haechi.server.client import address_of, network_of
from haechi.server.contacts import nearest
from haechi.server.counting import Counts
from haechi.server.public import work
from haechi.server.words import words_for

COUNTS = Counts()
# Of those over the limit for codes, one at a time gets through without work: whoever shares a
# network with somebody who guesses still comes back to her report.
LANE = BoundedSemaphore(1)
# Longer than our longest form field; not what a browser sends with it.
HIDDEN = frozenset({"csrfmiddlewaretoken", "work", "worked"})

type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponse]


@dataclass(frozen=True)
class Slow:
    """What the page needs for somebody who is over a limit."""

    challenge: str
    bits: int
    words: Promise | str
    code: str = TooManyAtOnce.code


def slow(request: HttpRequest, act: str, *, session: str = "", case: str = "") -> Slow | None:
    """Count one act of this request; None where it may go on. What is over may bring its work."""
    now = timezone.now()
    who = {"address": network_of(address_of(request)), "session": session, "case": case}
    over = COUNTS.over(act, who, factor=settings.HAECHI.limit_factor, now=now)
    if not over:
        return None
    given, number = request.POST.get("work", ""), request.POST.get("worked", "")
    if given and work.passes(act, given, number, now=now):
        return None
    challenge = work.challenge(act, over=over)
    return Slow(challenge, work.bits_of(challenge), words_for(TooManyAtOnce.code))


def limited[**P](act: str, *, lane: bool = False) -> Callable[[View[P]], View[P]]:
    """A view whose POSTs count as `act`; with `lane`, one at a time goes on all the same.

    The answer for the others is a page that keeps what was typed, with status 429. The case is
    what the address names or the visit's cookie.
    """

    def decorate(view: View[P]) -> View[P]:
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if request.method != "POST":
                return view(request, *args, **kwargs)
            found = slow(request, act, case=_case(request, *kwargs.values()))
            if found is None:
                return view(request, *args, **kwargs)
            if lane and LANE.acquire(blocking=False):
                try:
                    return view(request, *args, **kwargs)
                finally:
                    LANE.release()
            return _page(request, found)

        update_wrapper(answer, view)
        return answer

    return decorate


def _case(request: HttpRequest, *named: object) -> str:
    known = [str(each) for each in named] or [request.COOKIES.get("visit", "")]
    text = "\0".join(known)
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def _page(request: HttpRequest, found: Slow) -> HttpResponse:
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in HIDDEN
        for value in values
    ]
    context = {"slow": found, "typed": typed, "contacts": nearest(get_language() or "en")}
    return render(request, "public/slow.html", context, status=429)
