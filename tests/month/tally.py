"""What must be true at the end, counted from both sides."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Q
from tests.month.others import Board, Post
from tests.month.people import Reporters, Reviewers

from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Action, Case, Clock, Decision, State
from haechi.server.notices.models import Notice
from haechi.server.reports.models import Report
from haechi.server.reports.models import State as ReportState


def wrong(
    *, now: datetime, slack: timedelta, reporters: Reporters, reviewers: Reviewers,
    board: Board, post: Post,
) -> list[str]:  # fmt: skip
    """Every promise that was not kept, in words; empty where all were.

    slack   how long after a clock ran out its being missed may have been noticed: the longest time
            without a worker
    """
    found = [*_clocks(now, slack), *_cases(reporters, reviewers), *_platform(board), *_mail(post)]
    audit.verify()
    return found


def _clocks(now: datetime, slack: timedelta) -> Iterator[str]:
    """No clock runs out in silence (B24)."""
    silent = Clock.objects.filter(stopped_at=None, missed_at=None, due_at__lt=now - slack)
    yield from (f"{clock} ran out in silence" for clock in silent)
    late = Clock.objects.filter(missed_at__gt=F("due_at") + slack)
    yield from (f"{clock} was noticed at {clock.missed_at}, due {clock.due_at}" for clock in late)
    early = Clock.objects.filter(missed_at__lt=F("due_at"))
    yield from (f"{clock} was called missed before it was" for clock in early)
    told = Entry.objects.filter(tag="clock:missed")
    missed = Clock.objects.exclude(missed_at=None).count()
    if told.count() != missed or told.values("subject").distinct().count() != missed:
        yield f"{missed} clocks were missed, and the log says {told.count()}"


def _cases(reporters: Reporters, reviewers: Reviewers) -> Iterator[str]:
    """Whoever reported has a case, each case is in one state, and each decision stands once."""
    reports, cases = Report.objects.count(), Case.objects.count()
    if reports != reporters.reported:
        yield f"{reporters.reported} reported, and there are {reports} reports"
    if Report.objects.filter(state=ReportState.WITHDRAWN).count() != reporters.withdrawn:
        yield "those who took it back are not those who did"
    without = Report.objects.filter(case=None).exclude(state=ReportState.WITHDRAWN).count()
    if without:
        yield f"{without} reports have no case"
    states = sum(Case.objects.filter(state=state).count() for state in State.values)
    if states != cases:
        yield f"{cases} cases, {states} in a state"
    decided = Case.objects.filter(state=State.DECIDED).count()
    standing = Decision.objects.standing().count()
    if not decided == standing == reviewers.decided.total():
        yield f"{decided} cases decided, {standing} decisions, {reviewers.decided.total()} made"


def _platform(board: Board) -> Iterator[str]:
    """Every removal was asked for, acted on once, and confirmed; nothing else was (B21)."""
    asked = dict(Action.objects.values_list("idempotency_key", "done_at"))
    done = {key for key, at in asked.items() if at is not None}
    if done - board.acted:
        yield f"{len(done - board.acted)} removals count as done and were not"
    if board.acted - set(asked):
        yield f"{len(board.acted - set(asked))} removals were never asked for"
    waiting = Action.objects.filter(done_at=None, withdrawn_at=None).count()
    if waiting:
        yield f"{waiting} removals wait although nothing is left to do"


def _mail(post: Post) -> Iterator[str]:
    """What counts as sent was accepted; what was accepted twice had an attempt of unknown end."""
    sent = Notice.objects.filter(channel="email").exclude(sent_at=None)
    ours = {str(notice.pk): notice for notice in sent}
    taken = {number: times for number, times in post.by_notice().items() if times}
    if missing := set(ours) - set(taken):
        yield f"{len(missing)} notices count as sent and never arrived"
    known = {str(pk) for pk in Notice.objects.values_list("pk", flat=True)}
    if unknown := set(taken) - known:
        yield f"{len(unknown)} mails belong to no notice"
    for number, times in taken.items():
        begun = Notice.objects.filter(Q(tries__heard="begun"), pk=number).exists()
        if times > 1 and not begun:
            yield f"notice {number} was sent {times} times and nothing says why"
