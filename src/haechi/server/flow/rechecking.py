"""After somebody outside was asked, the place is looked at again: by schedule, or when a person says so."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from haechi.errors import RechecksOff
from haechi.server.audit import services as audit
from haechi.server.cases import services as cases
from haechi.server.cases.models import Action, Case
from haechi.server.flow.jobs import KeepTrying
from haechi.server.flow.noticing import places_outside
from haechi.server.notices.rechecks import services as rechecks
from haechi.server.notices.rechecks.looking import Looker
from haechi.server.reports import nudges, places
from haechi.server.reports import services as reports
from haechi.server.reports.models import Location, Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User

AT_ONCE = 200
"""Looks asked for in one round; a mass notice is looked at over several."""


@app.periodic(cron="*/10 * * * *")
@app.task(name="look_again", queueing_lock="look_again")
def look_again(timestamp: int) -> None:
    """Every ten minutes: places whose next look is due. Does nothing unless it is switched on."""
    if not settings.HAECHI.rechecks:
        return
    now = timezone.now()
    due = 0
    for location, asked_at in _asked_about(now):
        looks = list(location.rechecks.all())
        step = rechecks.due_step(asked_at, looks, now=now)
        if step is None and not rechecks.confirms(looks, now=now):
            continue
        _look(location, step=step, keep=False, actor="worker")
        due += 1
        if due == AT_ONCE:
            return


def look_now(case: Case, *, keep: bool, actor: User, now: dt.datetime) -> int:
    """Have every place outside of a case looked at now; for how many. Raises RechecksOff."""
    if not settings.HAECHI.rechecks:
        raise RechecksOff
    with transaction.atomic():
        found = [location for location, _ in places_outside(case.report)]
        audit.record(
            "recheck:asked",
            subject=case,
            actor=actor.name_in_log,
            at=now,
            detail={"places": len(found)},
        )
        for location in found[:AT_ONCE]:
            _look(location, step=None, keep=keep, actor=actor.name_in_log)
    return len(found[:AT_ONCE])


def _look(location: Location, *, step: int | None, keep: bool, actor: str) -> None:
    name = f"recheck-{location.pk}"
    try:
        with transaction.atomic():
            look_at.configure(lock=name, queueing_lock=name).defer(
                location_id=location.pk, step=step, keep=keep, actor=actor
            )
    except AlreadyEnqueued:
        pass  # it waits already


def _asked_about(now: dt.datetime) -> list[tuple[Location, dt.datetime]]:
    """Places somebody outside was asked about, of reports that stand, as far as the schedule reaches."""
    oldest = now - rechecks.schedule().after[-1] - dt.timedelta(days=7)
    found = (
        Location.objects.filter(report__state=ReportState.DECIDED)
        .annotate(asked_at=Min("notice_items__notice__sent_at"))
        .filter(asked_at__gte=oldest)
        .select_related("report")
        .prefetch_related("rechecks")
        .order_by("asked_at", "pk")
    )
    return [(location, location.asked_at) for location in found]


@app.task(name="look_at", retry=KeepTrying())
def look_at(location_id: int, step: int | None, keep: bool, actor: str) -> None:  # noqa: FBT001
    """Look at one place and write down what was seen; stops with withdrawal and erasure."""
    location = Location.objects.select_related("report").filter(pk=location_id).first()
    if location is None or not settings.HAECHI.rechecks:
        return
    report = location.report
    if report.state in (ReportState.WITHDRAWN, ReportState.ERASED):
        return
    address = places.link_in(reports.address_of(location))
    before = list(location.rechecks.all())
    looker = Looker(
        rechecks.comparing(report),
        before=rechecks.seen_before(before),
        allow=settings.HAECHI.recheck_allow,
        robots=settings.HAECHI.recheck_robots,
    )
    look = looker.look(address)
    now = timezone.now()
    written = rechecks.write(location, look, step=step, keep=keep, actor=actor, now=now)
    if written is not None and (not before or before[-1].seen != written.seen):
        nudges.changed(report, now=now)
    if written is not None and rechecks.removed([*before, written]):
        _stop_clock(report, now=now)


@transaction.atomic
def _stop_clock(report: Report, *, now: dt.datetime) -> None:
    """Where nobody but hosts outside was asked: the clock ends when all of it was seen to be gone."""
    case = Case.objects.filter(report=report).first()
    if case is None or Action.objects.filter(decision__case=case).exists():
        return
    outside = [location for location, _ in places_outside(report)]
    if outside and all(rechecks.removed(list(location.rechecks.all())) for location in outside):
        cases.stop_clocks(case, "removal", now=now)
