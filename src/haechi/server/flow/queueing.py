"""The queue stays in its order."""

import datetime as dt
import logging

from django.db import transaction
from procrastinate.contrib.django import app

from haechi.server.cases import queue, urgency
from haechi.server.flow.jobs import KeepTrying
from haechi.server.staff.models import User

log = logging.getLogger(__name__)


@transaction.atomic
def reorder_queue(name: str, hours: int, *, reason: str, actor: User, now: dt.datetime) -> None:
    """Change a weight of the queue, and put every case where it then belongs: both, or neither.

    Raises ReasonRequired.
    """
    urgency.change_weight(name, hours, reason=reason, actor=actor, now=now)
    refresh_queue.defer()


@app.task(name="refresh_queue", retry=KeepTrying(), lock="refresh_queue")
def refresh_queue() -> None:
    """Put everything that waits where it belongs."""
    queue.refresh_all()


@app.periodic(cron="17 * * * *")
@app.task(name="keep_queue", queueing_lock="keep_queue", pass_context=False)
def keep_queue(timestamp: int) -> None:
    """Every hour: two who changed a case at once may each have missed what the other did."""
    moved = queue.refresh_all()
    if moved:
        log.info("%s cases stood elsewhere in the queue than they belong", moved)
