"""`haechi hold`, `erase`, `retention`: what is kept, for how long, and what goes."""

import argparse
import datetime as dt
from typing import TYPE_CHECKING

from haechi.errors import SettingRefused

if TYPE_CHECKING:
    from haechi.server.reports.models import Report

ACTOR = "operator"
SHORTEST = 8


def place(asked: argparse.Namespace) -> int:
    """Put a legal hold on a report."""
    now = _enter()
    from haechi.server.reports import holds

    until = _date(asked.until) if asked.until else None
    grounds = holds.Grounds(asked.why, asked.authority)
    hold = holds.place(report_of(asked.case), grounds, until=until, actor=ACTOR, now=now)
    print(f"Hold {hold.pk}: report {hold.report.short} is kept {_until(until)}.")
    return 0


def release(asked: argparse.Namespace) -> int:
    """End a hold."""
    now = _enter()
    from haechi.server.reports import holds
    from haechi.server.reports.models import Hold

    hold = Hold.objects.select_related("report").filter(pk=asked.number).first()
    if hold is None or not holds.release(hold, why=asked.why, actor=ACTOR, now=now):
        print(f"There is no hold {asked.number} in force.")
        return 1
    print(f"Hold {hold.pk} on report {hold.report.short} is released.")
    return 0


def list_holds(_asked: argparse.Namespace) -> int:
    """Holds in force. Who asked, and why, is sealed: the desk opens it."""
    now = _enter()
    from haechi.server.reports.models import Hold

    for hold in Hold.objects.filter(released_at=None).select_related("report"):
        if hold.until is None or hold.until > now:
            print(f"{hold.pk:>6}  report {hold.report.short}  {_until(hold.until)}")
    return 0


def erase(asked: argparse.Namespace) -> int:
    """Destroy a report's keys; the worker does the rest."""
    now = _enter()
    from haechi.server import flow
    from haechi.server.reports.models import ErasureReason

    report = report_of(asked.case)
    flow.erase(report, actor=ACTOR, reason=ErasureReason(asked.reason), now=now)
    print(f"The keys of report {report.short} are destroyed. The worker removes files and rows.")
    return 0


def list_periods(_asked: argparse.Namespace) -> int:
    """How long reports are kept, and why."""
    _enter()
    from haechi.server.reports import retention

    for period in retention.periods():
        days = "until erased" if period.days is None else f"{period.days} days"
        print(f"{period.state:<10}  {days:<12}  {period.reason}")
    return 0


def set_period(asked: argparse.Namespace) -> int:
    """Change a period."""
    now = _enter()
    from haechi.server.reports import retention

    try:
        days = None if asked.days == "never" else int(asked.days)
    except ValueError as error:
        raise SettingRefused("days", "is a number, or: never") from error
    retention.change(asked.state, days, reason=asked.reason, actor=ACTOR, now=now)
    return list_periods(asked)


def report_of(typed: str) -> "Report":
    """By the number of its case, or by the first digits of its own. Raises SettingRefused."""
    from haechi.server.cases.models import Case
    from haechi.server.reports.models import Report

    text = typed.strip().lower().replace("-", "")
    if text.isdecimal() and len(text) < SHORTEST:
        case = Case.objects.select_related("report").filter(pk=int(text)).first()
        if case is not None:
            return case.report
    elif len(text) >= SHORTEST and all(digit in "0123456789abcdef" for digit in text):
        last = text.ljust(32, "f")
        found = Report.objects.filter(pk__gte=text.ljust(32, "0"), pk__lte=last)[:2]
        if len(found) == 1:
            return found[0]
    raise SettingRefused(typed, "names no report, or more than one")


def _date(typed: str) -> dt.datetime:
    try:
        day = dt.date.fromisoformat(typed)
    except ValueError as error:
        raise SettingRefused("--until", "is a date such as 2027-01-31") from error
    return dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(days=1)


def _until(until: dt.datetime | None) -> str:
    return f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until it is released"


def _enter() -> dt.datetime:
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    return timezone.now()
