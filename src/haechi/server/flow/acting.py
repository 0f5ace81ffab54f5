"""A platform is asked: by webhook, or when it asks itself; and what it answers is taken."""

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.errors import DeliveryFailed
from haechi.server.cases import acting, delivery, labelling
from haechi.server.cases import services as cases
from haechi.server.cases.delivery import Answered
from haechi.server.cases.models import Action, ActionKind, Answer, Decision, Trial
from haechi.server.flow.jobs import KeepTrying
from haechi.server.matching.models import Hosted, Platform
from haechi.server.reports import nudges
from haechi.server.reports.models import Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User
from haechi.server.transparency import services as transparency

log = logging.getLogger(__name__)


def act_on_hosted(
    decision: Decision,
    hosted: Hosted,
    kind: ActionKind,
    *,
    actor: str,
    by_machine: bool,
    now: dt.datetime,
) -> Action:
    """Ask a platform to do something to one piece; what takes away comes with its reasons."""
    action = cases.ask_platform(decision, hosted, kind=kind, actor=actor, now=now)
    if kind != ActionKind.RESTORE:
        transparency.state_reasons(action, by_machine=by_machine, now=now)
    deliver_action.configure(lock=action.idempotency_key).defer(action_id=action.pk)
    return action


def restore_hosted(action: Action, *, actor: User, now: dt.datetime) -> Action | None:
    """Have what was removed or restricted put back; None where it was never done, or is asked for."""
    if (
        action.kind == ActionKind.RESTORE
        or action.decision.actions.filter(hosted=action.hosted, kind=ActionKind.RESTORE).exists()
    ):
        return None
    if action.done_at is None:
        Action.objects.filter(pk=action.pk, done_at=None, withdrawn_at=None).update(
            withdrawn_at=now
        )
        return None
    who = actor.name_in_log
    return act_on_hosted(
        action.decision, action.hosted, ActionKind.RESTORE, actor=who, by_machine=False, now=now
    )


def order_of(action: Action) -> dict[str, object]:
    """The document that a platform gets, the same by either way (docs/platforms.md)."""
    restore = action.kind == ActionKind.RESTORE
    restricts = action.kind == ActionKind.RESTRICT
    return {
        "type": f"content.{action.kind}",
        "idempotency_key": action.idempotency_key,
        "content_id": action.hosted.content_id,
        "restriction": (action.decision.restriction or None) if restricts else None,
        "label": labelling.order(action.decision.label) if restricts else None,
        "asked_at": action.created_at.isoformat(),
        "reason": "" if restore else str(action.decision.get_ground_display()),
        "statement": None if restore else action.statement.document,
        "appeal_url": None
        if restore
        else f"{settings.HAECHI.public_url}/appeal/{action.appeal_token}",
        "test": False,
    }


def trial_order_of(trial: Trial) -> dict[str, object]:
    """The same for a test message: nothing is to be done."""
    return {
        "type": trial.kind if trial.kind == acting.PING else f"content.{trial.kind}",
        "idempotency_key": trial.idempotency_key,
        "content_id": trial.content_id or None,
        "restriction": None,
        "label": None,
        "asked_at": trial.created_at.isoformat(),
        "reason": "This is a test; nothing is to be done.",
        "statement": None,
        "appeal_url": None,
        "test": True,
    }


@app.task(name="deliver_action", retry=KeepTrying())
def deliver_action(action_id: int) -> None:
    """Tell the platform; it acts and says so, or refuses. One without a webhook asks by itself."""
    action = Action.objects.select_related(
        "platform", "hosted", "statement", "decision__case__report"
    ).get(pk=action_id)
    report = action.decision.case.report
    if action.state != "open" or report.state == ReportState.WITHDRAWN:
        return
    if action.platform.webhook_url:
        said = delivery.send(action, order_of(action), now=timezone.now())
        _take(acting.write_answer(action, said, way="webhook", now=timezone.now()), report)


def answer_action(action: Action, said: Answered, *, way: str, now: dt.datetime) -> Answer:
    """A platform that asks by itself answers; the worker does what follows."""
    answer = acting.write_answer(action, said, way=way, now=now)
    report = action.decision.case.report
    take_answers.configure(lock=f"report-{report.pk}").defer(report_id=str(report.pk))
    return answer


@app.task(name="take_answers", retry=KeepTrying())
def take_answers(report_id: str) -> None:
    """What platforms said about a report, through the API."""
    report = Report.objects.filter(pk=report_id).first()
    if report is not None:
        for answer in acting.answers_to_take(report):
            _take(answer, report)


def _take(answer: Answer, report: Report) -> None:
    if acting.take_answer(answer, now=timezone.now()):
        nudges.changed(report, now=timezone.now())


def ask_again(action: Action, *, actor: User, now: dt.datetime) -> None:
    """Deliver it now. Not behind the attempt that waits for its time, hence a lock of its own."""
    acting.ask_again(action, actor=actor, now=now)
    lock = f"{action.idempotency_key}-now"
    deliver_action.configure(lock=lock).defer(action_id=action.pk)


@transaction.atomic
def try_out(
    platform: Platform, kind: str, content_id: str, *, actor: str, now: dt.datetime
) -> Trial:
    """Send one test message, which counts nowhere. Raises NotAllowed (acting.try_out)."""
    trial = acting.try_out(platform, kind, content_id, actor=actor, now=now)
    if platform.webhook_url:
        deliver_trial.defer(trial_id=trial.pk)
    return trial


@app.task(name="deliver_trial")
def deliver_trial(trial_id: int) -> None:
    """Send a test message, once; how it failed stands on its row."""
    trial = Trial.objects.select_related("platform").get(pk=trial_id)
    if trial.done_at is None and trial.platform.webhook_url:
        try:
            said = delivery.send(trial, trial_order_of(trial), now=timezone.now())
        except DeliveryFailed as error:
            log.warning("a test message was not answered: %s", error)
        else:
            acting.take_trial(trial, said, now=timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="watch_deliveries", queueing_lock="watch_deliveries")
def watch_deliveries(timestamp: int) -> None:
    """Every five minutes: a platform that takes too long is an event, never a silence."""
    for action in acting.find_late(now=timezone.now()):
        log.error("platform %s has not done %s", action.platform.name_in_log, action)
