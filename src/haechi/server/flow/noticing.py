"""Hosts outside are asked, reminded, and asked about; what they answer comes back here."""

import datetime as dt
import logging
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.errors import HaechiError
from haechi.server.cases.models import Decision
from haechi.server.flow.jobs import KeepTrying
from haechi.server.matching import services as matching
from haechi.server.notices import chase, replies, standing
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice, Reply, State
from haechi.server.reports import nudges, places
from haechi.server.reports import services as reports
from haechi.server.reports.models import Location, Report
from haechi.server.staff.models import User

log = logging.getLogger(__name__)


def places_outside(report: Report) -> list[tuple[Location, str]]:
    """Reported locations that a notice can be sent about: hosts that are none of our platforms."""
    ours = {notices.host_of(url) for url in matching.platform_addresses()}
    typed = reports.addresses_of(report)
    addresses = {number: places.link_in(text) for number, text in typed.items()}
    return [
        (location, addresses[location.number])
        for location in report.locations.all()
        if (host := notices.host_of(addresses[location.number])) is not None and host not in ours
    ]


def ask_hosts(decision: Decision, *, now: dt.datetime) -> list[Notice]:
    """One notice to each who answers for a place outside, and a job for each; one transaction."""
    asked = notices.ask(decision, places_outside(decision.case.report), now=now)
    for notice in asked:
        send_later(notice)
    return asked


def send_later(notice: Notice) -> None:
    """Have a notice sent that waits for nobody."""
    if notice.state == State.QUEUED:
        deliver_notice.configure(lock=f"notice-{notice.pk}").defer(notice_id=str(notice.pk))


@app.task(name="deliver_notice", retry=KeepTrying())
def deliver_notice(notice_id: str) -> None:
    """Send the notice, keep the receiver's answer."""
    notice = Notice.objects.select_related("decision__case__report").get(pk=notice_id)
    notices.deliver(notice, now=timezone.now())
    nudges.changed(notice.decision.case.report, now=timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="chase_notices", queueing_lock="chase_notices")
def chase_notices(timestamp: int) -> None:
    """Every minute, and after every stop: silence has its consequence, once."""
    now = timezone.now()
    standing.keep(now=now)
    for notice in chase.due(now):
        try:
            follow(notice, actor="worker", now=now)
        except HaechiError as error:
            log.error("notice %s cannot be chased: %s", notice.pk, error.code)  # noqa: TRY400


def follow(notice: Notice, *, actor: str, now: dt.datetime) -> list[Notice]:
    """The next step after a notice: written, and a job for each that waits for nobody."""
    planned = chase.plan(notice)
    with transaction.atomic():
        made = chase.follow(notice, planned, actor=actor, now=now)
        for each in made:
            send_later(each)
    return made


def hurry_notice(notice: Notice, *, actor: User, now: dt.datetime) -> list[Notice]:
    """Somebody does not want to wait: the next step now. Nothing where all was settled."""
    if not chase.hurry(notice, actor=actor.name_in_log, now=now):
        return []
    notice.refresh_from_db()
    return follow(notice, actor=actor.name_in_log, now=now)


@transaction.atomic
def replay_notice(notice: Notice, *, actor: User, now: dt.datetime) -> bool:
    """Send once more what was refused or came back, or what waited for this press."""
    won = notices.release(notice, actor=actor.name_in_log, now=now)
    if won:
        notice.refresh_from_db()
        send_later(notice)
    return won


def take_reply(raw_mail: bytes, *, now: dt.datetime, to: Sequence[str] = ()) -> Reply | None:
    """A mail came: threaded to its notice, or None. Whoever reported is told that there is news."""
    return _told(replies.take_reply(raw_mail, now=now, to=to), now=now)


def take_document(headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> Reply | None:
    """A receipt or an answer of another Haechi came. Raises as replies.take_document does."""
    return _told(replies.take_document(headers, body, now=now), now=now)


def _told(reply: Reply | None, *, now: dt.datetime) -> Reply | None:
    if reply is not None:
        nudges.changed(reply.notice.decision.case.report, now=now)
    return reply
