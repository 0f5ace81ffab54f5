"""After a platform was asked: what it answers, what takes too long, and what a person says then."""

import json
import secrets
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.db import transaction

from haechi import seal
from haechi.errors import ActionAnswered, NotAllowed, ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases import services
from haechi.server.cases.delivery import Answered
from haechi.server.cases.models import Action, ActionKind, Answer, Outcome, Refusal, Trial
from haechi.server.matching.models import Platform
from haechi.server.reports import vault
from haechi.server.reports.models import Report
from haechi.server.staff.models import User

PING = "ping"
KINDS = (PING, *(kind.value for kind in ActionKind))


@cache
def late_after() -> timedelta:
    """How long a platform may take before somebody is alarmed (data/delivery.json)."""
    told = json.loads((Path(__file__).parent / "data" / "delivery.json").read_text("utf-8"))
    return timedelta(hours=told["late_after_h"])


def write_answer(action: Action, said: Answered, *, way: str, now: datetime) -> Answer:
    """Keep what a platform said, its words sealed; what follows is take_answer's."""
    report = action.decision.case.report
    return Answer.objects.create(
        action=action,
        outcome=said.outcome,
        reason=said.reason,
        note_sealed=seal.seal(said.note.encode(), report.recipient) if said.note else b"",
        way=way,
        at=now,
    )


@transaction.atomic
def take_answer(answer: Answer, *, now: datetime) -> bool:
    """Do what follows from an answer, once. True where something changed."""
    if not Answer.objects.filter(pk=answer.pk, taken_at=None).update(taken_at=now):
        return False
    action = answer.action
    if answer.outcome == Outcome.DONE:
        return services.confirm_action(action, now=now)
    won = Action.objects.open().filter(pk=action.pk)
    if not won.update(refused_at=now, refused_as=answer.reason, last_error=""):
        return False
    audit.record(
        "action:refused",
        subject=action,
        actor=action.platform.name_in_log,
        at=now,
        detail={"reason": answer.reason},
    )
    return True


def answers_to_take(report: Report) -> list[Answer]:
    """What platforms said about a report and nobody took yet, oldest first."""
    waiting = Answer.objects.filter(action__decision__case__report=report, taken_at=None)
    return list(waiting.select_related("action__platform", "action__decision__case").order_by("pk"))


def note_of(action: Action) -> str:
    """The words of the platform's last refusal, or "". Raises KeyMissing without the vault."""
    last = action.answers.filter(outcome=Outcome.REFUSED).order_by("-pk").first()
    if last is None or not last.note_sealed:
        return ""
    identity = vault.identity_of(action.decision.case.report)
    return seal.open_sealed(bytes(last.note_sealed), identity).decode()


@transaction.atomic
def find_late(*, now: datetime) -> list[Action]:
    """Mark and log every action that has waited too long; each is returned once (B21)."""
    late = []
    waiting = Action.objects.open().filter(late_at=None, created_at__lt=now - late_after())
    for action in waiting.select_related("platform"):
        if Action.objects.filter(pk=action.pk, late_at=None).update(late_at=now):
            audit.record("action:late", subject=action, actor="worker", at=now)
            late.append(action)
    return late


# --- a person says how it goes on


@transaction.atomic
def ask_again(action: Action, *, actor: User, now: datetime) -> None:
    """Deliver it now, or once more after a refusal. Raises ActionAnswered."""
    anew = Action.objects.filter(
        pk=action.pk, done_at=None, withdrawn_at=None, given_up_at=None
    ).update(refused_at=None, refused_as="", failing_since=None)
    if not anew:
        raise ActionAnswered(action.pk)
    audit.record("action:asked_again", subject=action, actor=actor.name_in_log, at=now)


@transaction.atomic
def accept_gone(action: Action, *, actor: User, now: datetime) -> None:
    """A person agrees that what the platform cannot find is not there. Raises ActionAnswered."""
    refused = Action.objects.refused().filter(pk=action.pk, refused_as=Refusal.NOT_FOUND)
    if not refused.exists() or not services.confirm_action(
        action, now=now, actor=actor.name_in_log
    ):
        raise ActionAnswered(action.pk)


@transaction.atomic
def give_up(action: Action, reason: str, *, actor: User, now: datetime) -> None:
    """Ask no more; clocks that a removal ends run on. Raises ReasonRequired, ActionAnswered."""
    if not reason.strip():
        raise ReasonRequired(action.pk)
    sealed = seal.seal(reason.strip().encode(), action.decision.case.report.recipient)
    given = Action.objects.filter(pk=action.pk, done_at=None, withdrawn_at=None, given_up_at=None)
    if not given.update(given_up_at=now, given_up_sealed=sealed):
        raise ActionAnswered(action.pk)
    audit.record("action:given_up", subject=action, actor=actor.name_in_log, at=now)


# --- test mode


@transaction.atomic
def try_out(platform: Platform, kind: str, content_id: str, *, actor: str, now: datetime) -> Trial:
    """Write down a test message; sending it is another step.

    Raises NotAllowed for anything but a ping to a platform that is not in test mode.
    """
    if kind not in KINDS or (kind != PING and not platform.testing):
        raise NotAllowed("only a platform in test mode is sent test actions")
    trial = Trial.objects.create(
        platform=platform,
        kind=kind,
        content_id="" if kind == PING else content_id,
        idempotency_key=f"test-{secrets.token_urlsafe(12)}",
        created_at=now,
    )
    audit.record(
        "trial:made",
        subject=trial,
        actor=actor,
        at=now,
        detail={"kind": kind, "platform": platform.pk},
    )
    return trial


def take_trial(trial: Trial, said: Answered, *, now: datetime) -> None:
    """Note what the platform said to a test message; nothing follows from it."""
    Trial.objects.filter(pk=trial.pk, done_at=None).update(
        done_at=now, outcome=said.outcome, reason=said.reason
    )
