"""Time passes: clocks that run out, what is forgotten, the hourly signature of the log."""

import logging
from contextlib import suppress

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from haechi.server.audit import anchors
from haechi.server.audit import services as audit
from haechi.server.audit.models import AnchorKind, Checkpoint
from haechi.server.cases import clocks
from haechi.server.evidence import origin, uploads
from haechi.server.flow.jobs import KeepTrying
from haechi.server.notices import alerts
from haechi.server.reports import visits

log = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(name="watch_clocks", queueing_lock="watch_clocks", pass_context=False)
def watch_clocks(timestamp: int) -> None:
    """Every minute, and after every stop: a clock that ran out is an event, never a silence (B24)."""
    for clock in clocks.find_missed(now=timezone.now()):
        log.error("clock missed: %s (due %s)", clock, clock.due_at.isoformat())
    if settings.HAECHI.alert_mail and clocks.to_be_told().exists():
        # Whoever waits already tells of these too.
        with suppress(AlreadyEnqueued), transaction.atomic():
            tell_of_missed.configure(queueing_lock="tell_of_missed").defer()


@app.task(name="tell_of_missed", retry=KeepTrying())
def tell_of_missed() -> None:
    """Mail to HAECHI_ALERT_MAIL: each missed clock is told once, whatever the mail server does."""
    missed = list(clocks.to_be_told().select_related("case"))
    if not missed or not settings.HAECHI.alert_mail:
        return
    now = timezone.now()
    alerts.tell(missed, to=settings.HAECHI.alert_mail, now=now)
    clocks.told(missed, now=now)


@app.periodic(cron="*/10 * * * *")
@app.task(name="forget_visits", queueing_lock="forget_visits")
def forget_visits(timestamp: int) -> None:
    """Forget what reporters' visits held once they are over."""
    visits.forget_visits(now=timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="forget_uploads", queueing_lock="forget_uploads")
def forget_uploads(timestamp: int) -> None:
    """Forget what browsers began to send and nobody went on with, or nothing was compared with."""
    uploads.forget_old(now=timezone.now())
    origin.forget_old_donors(now=timezone.now())


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
