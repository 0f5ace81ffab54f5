"""For platforms that would rather ask than be told: what is to be done, and what they say to it.

Each document is the one that the webhook carries, with the same idempotency key: a platform may use
both ways, and acts once. What a platform says is written down here; the worker does what follows.
"""

import re

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from haechi.errors import ActionAnswered, ActionUnknown, InvalidDocument
from haechi.server import flow
from haechi.server.api import bodies
from haechi.server.api.door import with_key
from haechi.server.cases import acting, delivery
from haechi.server.cases.delivery import Answered
from haechi.server.cases.models import Action, Trial
from haechi.server.matching.api_keys import Caller
from haechi.server.matching.models import Platform

USUAL, MOST = 50, 100
NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
WITH = ("platform", "hosted", "statement", "decision__case__report")


@with_key("act")
def actions(request: HttpRequest, caller: Caller) -> JsonResponse:
    """What waits for this platform, oldest first. Begin without `after`: what was done is not listed."""
    limit = min(_number(request, "limit", USUAL), MOST)
    after = _number(request, "after", 0)
    waiting = Action.objects.open().filter(platform=caller.platform, pk__gt=after)
    found = list(waiting.select_related(*WITH).order_by("pk")[: limit + 1])
    listed = [_told(action) for action in found[:limit]]
    if not after:
        listed = [*map(_trial_told, _trials(caller.platform)), *listed]
    following = str(found[limit - 1].pk) if len(found) > limit else None
    return JsonResponse({"actions": listed, "next": following})


@with_key("act")
def action(_request: HttpRequest, caller: Caller, key: str) -> JsonResponse:
    """One of them, whatever became of it."""
    return JsonResponse(_told_of(_find(caller.platform, key)))


@with_key("act")
def answer(request: HttpRequest, caller: Caller, key: str) -> JsonResponse:
    """Confirm or refuse it. The same answer twice is one; another after it is refused."""
    found = _find(caller.platform, key)
    said = delivery.read(bodies.document(request))
    if said.note:
        bodies.text({"note": said.note}, "note", limit=delivery.NOTE_LIMIT)
    state = _told_of(found)["state"]
    if state == "open":
        _take(found, said, caller)
    elif state != said.outcome:
        raise ActionAnswered(key)
    return JsonResponse({"idempotency_key": key, "state": said.outcome})


def _take(found: Action | Trial, said: Answered, caller: Caller) -> None:
    if isinstance(found, Trial):
        acting.take_trial(found, said, now=timezone.now())
    else:
        flow.answer_action(found, said, way=f"key {caller.key}", now=timezone.now())


def _find(platform: Platform, key: str) -> Action | Trial:
    """Of this platform alone; of another's it is not said whether it exists. Raises ActionUnknown."""
    if "\0" in key:
        raise ActionUnknown
    actions = Action.objects.select_related(*WITH)
    trials = Trial.objects.filter(platform=platform, idempotency_key=key)
    found = actions.filter(platform=platform, idempotency_key=key).first() or trials.first()
    if found is None:
        raise ActionUnknown
    return found


def _trials(platform: Platform) -> list[Trial]:
    return list(platform.trials.filter(done_at=None).order_by("pk")[:MOST])


def _told_of(found: Action | Trial) -> dict[str, object]:
    return _trial_told(found) if isinstance(found, Trial) else _told(found)


def _told(found: Action) -> dict[str, object]:
    # What the worker has not taken yet is true all the same for whoever said it.
    said = (
        found.answers.filter(taken_at=None).order_by("pk").last() if found.state == "open" else None
    )
    return {**flow.order_of(found), "state": said.outcome if said else found.state}


def _trial_told(found: Trial) -> dict[str, object]:
    return {**flow.trial_order_of(found), "state": found.outcome or "open"}


def _number(request: HttpRequest, name: str, usual: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return usual
    if not NUMBER.fullmatch(text) or (name == "limit" and not int(text)):
        raise InvalidDocument(f"{name} must be a whole number, or what `next` said")
    return int(text)
