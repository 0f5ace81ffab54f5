"""How pictures were made: examined after everything else, so that nothing ever waits for it.

The jobs are in a queue of their own, which the worker serves beside the other (cli/worker): a film that
takes ten minutes to examine holds up no case, no match and no notice. What an examination answers
moves nothing: a report of non-consent is dealt with the same whatever it says.
"""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from haechi.server.evidence import origin
from haechi.server.evidence.models import Exhibit
from haechi.server.flow.jobs import KeepTrying
from haechi.server.reports.models import Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User

QUEUE = "origin"
TRIES = 2


@transaction.atomic
def ask_origins(report: Report, *, now: dt.datetime) -> None:
    """Have the pictures examined that were not yet, or not with all pictures to compare with."""
    if settings.HAECHI.forensics:
        for exhibit in origin.ask(report, now=now):
            examine_origin.defer(exhibit_id=str(exhibit.pk))


@transaction.atomic
def examine_again(exhibit: Exhibit, *, actor: User, now: dt.datetime) -> None:
    """Somebody at the desk wants it examined anew."""
    origin.ask_again(exhibit, actor=actor.name_in_log, now=now)
    examine_origin.defer(exhibit_id=str(exhibit.pk))


@app.task(name="examine_origin", queue=QUEUE, retry=KeepTrying(), pass_context=True)
def examine_origin(context: JobContext, exhibit_id: str) -> None:
    """The worker's part."""
    over = (ReportState.WITHDRAWN, ReportState.ERASED)
    found = Exhibit.objects.select_related("report").filter(pk=exhibit_id)
    for exhibit in found.exclude(report__state__in=over):
        make_origin(exhibit, last_try=context.job.attempts >= TRIES)


def make_origin(exhibit: Exhibit, *, last_try: bool) -> None:
    """Examine one picture, then forget what it was compared with. Raises as origin.examine."""
    origin.examine(exhibit, last_try=last_try, now=timezone.now())
    origin.forget_compared(exhibit.report, now=timezone.now())
