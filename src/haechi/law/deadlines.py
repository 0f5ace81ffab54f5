"""When a limit runs out."""

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from haechi.errors import LawError
from haechi.law.table import Rule, time_zone

_MONTHS_IN = {"months": 1, "years": 12}


def due_at(
    rule: Rule, started_at: datetime, pauses: Sequence[tuple[datetime, datetime]] = ()
) -> datetime:
    """Give the moment, in UTC, at which a rule's limit runs out; always after `started_at`.

    Hours are time that passes, whatever the clocks on the wall do. Everything else is counted in the
    calendar of the jurisdiction, in its time zone: the limit runs out at the same time of day on the
    last day, which for months and years is the same day of the month or, where that month has none,
    its last. The day on which it starts is not counted, and of working days only those are that the
    official calendar knows as such. Where that time of day comes twice (summer time), the first
    counts; where it is skipped, the moment of the change does: never before the limit is over, and
    never a second later than that.

    pauses   from, to: the time in which the law lets the clock stand; it is added at the end
    started_at is aware. Raises LawError if it is not, or if the limit is not countable.
    """
    if started_at.tzinfo is None:
        raise LawError("a clock starts at a moment with a time zone")
    if rule.amount is None:
        msg = f"{rule.id} has no countable limit: {rule.unit_text}"
        raise LawError(msg)
    stood = sum((until - since for since, until in pauses), timedelta())
    if rule.unit == "hours":
        return started_at.astimezone(UTC) + timedelta(hours=rule.amount) + stood
    zone = time_zone(rule.jurisdiction)
    local = started_at.astimezone(zone)
    last = _last_day(rule, local.date(), rule.amount)
    return first_moment(datetime.combine(last, local.time()), zone) + stood


def first_moment(on_the_wall: datetime, zone: ZoneInfo) -> datetime:
    """Give the first moment, in UTC, at which the clock on the wall shows that time or a later one."""
    one, two = (on_the_wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if one <= two:  # It exists; where it comes twice, `one` is the first.
        return one
    # Skipped. `two` lies before the change and `one` after it, at most a day apart.
    early, late = two, one
    while late - early > timedelta(microseconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).replace(tzinfo=None) >= on_the_wall:
            late = middle
        else:
            early = middle
    return late


def _last_day(rule: Rule, first: date, amount: int) -> date:
    if rule.unit == "days":
        return first + timedelta(days=amount)
    if rule.unit in _MONTHS_IN:
        return _months_later(first, amount * _MONTHS_IN[rule.unit])
    if rule.unit == "working days":
        from haechi.law import workdays  # noqa: PLC0415  # a second, which others need not wait

        return workdays.after(rule.jurisdiction, first, amount)
    msg = f"{rule.id}: nobody counts {rule.unit}"
    raise LawError(msg)


def _months_later(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    year = first.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(first.day, last))
