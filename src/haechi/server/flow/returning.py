"""Whoever reported it comes back."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.errors import CodeInMessage, NothingReported
from haechi.server.appeals import services as appeals
from haechi.server.appeals.models import Appeal
from haechi.server.cases import clocks
from haechi.server.cases import services as cases
from haechi.server.cases.models import Case
from haechi.server.evidence import origin
from haechi.server.evidence import services as evidence
from haechi.server.evidence.origin_models import Donor
from haechi.server.evidence.sealing import SealedFile
from haechi.server.flow.intake import complete_request, examine_report
from haechi.server.flow.jobs import KeepTrying
from haechi.server.flow.objecting import appeal
from haechi.server.notices import news
from haechi.server.notices import services as notices
from haechi.server.reports import additions, messages, nudges
from haechi.server.reports import services as reports
from haechi.server.reports.models import Message, Report, Sender
from haechi.server.reports.models import State as ReportState
from haechi.server.reports.story import Story
from haechi.server.reports.visits import Visiting
from haechi.server.staff.models import User


@transaction.atomic
def write_message(visit: Visiting, text: str, *, now: dt.datetime) -> Message:
    """Take a message to the people who work on the report. Raises CodeInMessage (B06)."""
    _no_code(visit, text)
    message = messages.send(visit.report, Sender.REPORTER, text, actor="reporter", now=now)
    additions.news(visit.report, now=now)
    if clocks.stand_still(visit.report):
        # She answered, so they run on; what is still missing can be asked for again.
        _answered(visit.report, now=now)
    return message


@transaction.atomic
def write_to_reporter(report: Report, text: str, *, actor: User, now: dt.datetime) -> Message:
    """Write to her; she reads it with her code."""
    message = messages.send(report, Sender.STAFF, text, actor=actor.name_in_log, now=now)
    nudges.changed(report, now=now)
    return message


@transaction.atomic
def add_to_report(
    visit: Visiting, named: Sequence[str], files: Sequence[SealedFile], *, now: dt.datetime
) -> None:
    """Add places and files, sealed to the report already; the worker looks at all of it again.

    Raises NothingReported without either, CodeInMessage, ReportClosed after a withdrawal.
    """
    if not named and not files:
        raise NothingReported
    _no_code(visit, *named)
    held = additions.open_for_more(visit.report)
    additions.add_places(held, named, visit.identity, now=now)
    before = held.exhibits.count()
    evidence.attach(held, files, now=now)
    if files:
        story = reports.story_of(held, visit.identity)
        names = {str(number): file.name for number, file in enumerate(files, start=before + 1)}
        reports.reseal(held, replace(story, files=story.files | names))
    _look_again(held, now=now)


@transaction.atomic
def give_pictures(visit: Visiting, files: Sequence[SealedFile], *, now: dt.datetime) -> None:
    """Take pictures that are only compared with what was reported, and deleted after.

    They are sealed to the report already; she agreed to just this. Raises NothingReported without
    any, ReportClosed after a withdrawal, TooManyFiles where more would wait than are compared.
    """
    if not files:
        raise NothingReported
    held = additions.open_for_more(visit.report)
    origin.give(held, files, now=now)
    examine_report.configure(lock=f"report-{held.pk}").defer(report_id=str(held.pk))


@transaction.atomic
def correct_report(visit: Visiting, story: Story, *, now: dt.datetime) -> None:
    """Put other words in place of what she wrote; the old ones are kept, sealed.

    Where they make the request complete, clocks that need that start with this moment. Raises
    CodeInMessage, ReportClosed.
    """
    _no_code(visit, f"{story.told}\n{story.signature}\n{story.contact}")
    additions.correct(visit.report, story, now=now)
    _look_again(visit.report, now=now)


def appeal_inaction(visit: Visiting, text: str, *, now: dt.datetime) -> Appeal:
    """Take in what she says against a refusal, or against a deadline that passed in silence.

    Another person than who refused answers it. Raises NothingToAppeal, CodeInMessage.
    """
    _no_code(visit, text)
    return appeal(appeals.of_report(visit.report, now=now), text, now=now)


@transaction.atomic
def withdraw_report(report: Report, *, now: dt.datetime) -> bool:
    """Take the report back: what has not happened yet does not happen. False if it was before.

    What was sent cannot be unsent, and what was taken down stays down.
    """
    won = additions.withdraw(report, now=now)
    if won:
        # After an examination that is under way, which may open the case.
        wind_down.configure(lock=f"report-{report.pk}").defer(report_id=str(report.pk))
    return won


@app.task(name="wind_down", retry=KeepTrying())
@transaction.atomic
def wind_down(report_id: str) -> None:
    """The worker's part of a withdrawal: case, clocks, objections, what waits to be sent or compared.

    Nothing where the report was not taken back.
    """
    case = Case.objects.filter(report__pk=report_id, report__state=ReportState.WITHDRAWN).first()
    if case is not None:
        now = timezone.now()
        notices.withdraw(case, now=now)
        cases.withdraw(case, now=now)
        appeals.withdraw(case.report, now=now)
    given = Donor.objects.filter(report__pk=report_id, report__state=ReportState.WITHDRAWN)
    origin.forget_donors(given, now=timezone.now())


def want_news(visit: Visiting, address: str, *, now: dt.datetime) -> None:
    """Tell her at `address` that something changed. Raises CodeInMessage, ReportErased."""
    _no_code(visit, address)
    nudges.want(visit.report, address, now=now)


def _no_code(visit: Visiting, *texts: str) -> None:
    if visit.says_code(*texts):
        raise CodeInMessage


def _look_again(report: Report, *, now: dt.datetime) -> None:
    additions.news(report, now=now)
    # In this order: clocks that this completes start now, the others had started with the report.
    _answered(report, now=now)
    examine_report.configure(lock=f"report-{report.pk}").defer(report_id=str(report.pk))


def _answered(report: Report, *, now: dt.datetime) -> None:
    asked_for = complete_request.configure(lock=f"report-{report.pk}")
    asked_for.defer(report_id=str(report.pk), since=now.isoformat())


@app.periodic(cron="*/5 * * * *")
@app.task(name="tell_reporters", queueing_lock="tell_reporters")
def tell_reporters(timestamp: int) -> None:
    """Every five minutes: tell those who asked for it that something changed, never what."""
    now = timezone.now()
    for nudge in nudges.due(now=now):
        if nudges.take(nudge, now=now) and news.tell(nudge, now=now):
            nudges.told(nudge)
