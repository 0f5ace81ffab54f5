"""Time passes: clocks that run out, what is forgotten, the hourly signature of the log."""

import logging

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.server.audit import anchors
from haechi.server.audit import services as audit
from haechi.server.audit.models import AnchorKind, Checkpoint
from haechi.server.cases import services as cases
from haechi.server.evidence import uploads
from haechi.server.flow.jobs import KeepTrying
from haechi.server.reports import visits

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="watch_clocks", queueing_lock="watch_clocks", pass_context=False)
def watch_clocks(timestamp: int) -> None:
    """Every minute, and after every stop: a clock that ran out is an event, never a silence."""
    for clock in cases.find_missed_clocks(now=timezone.now()):
        log.error("clock missed: %s (due %s)", clock, clock.due_at.isoformat())


@app.periodic(cron="*/10 * * * *")
@app.task(name="forget_visits", queueing_lock="forget_visits")
def forget_visits(timestamp: int) -> None:
    """Forget what reporters' visits held once they are over."""
    visits.forget_visits(now=timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="forget_uploads", queueing_lock="forget_uploads")
def forget_uploads(timestamp: int) -> None:
    """Forget what browsers began to send and nobody went on with."""
    uploads.forget_old(now=timezone.now())


@app.periodic(cron="0 * * * *")
@app.task(name="sign_checkpoint", queueing_lock="sign_checkpoint")
def sign_checkpoint(timestamp: int) -> None:
    """Every hour, sign how long the log is and what it adds up to; where told, put it in other hands."""
    with transaction.atomic():
        signed = audit.checkpoint(audit.signing_key(), now=timezone.now())
        for kind in anchors.wanted():
            if not signed.anchors.filter(kind=kind).exists():
                anchor_checkpoint.configure(lock=f"anchor-{signed.pk}-{kind}").defer(
                    checkpoint_id=signed.pk, kind=kind.value
                )


@app.task(name="anchor_checkpoint", retry=KeepTrying())
def anchor_checkpoint(checkpoint_id: int, kind: str) -> None:
    """Mail one checkpoint to the second party, or have it stamped."""
    checkpoint = Checkpoint.objects.get(pk=checkpoint_id)
    anchors.lay_down(checkpoint, AnchorKind(kind), now=timezone.now())
