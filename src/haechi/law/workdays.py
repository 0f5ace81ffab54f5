"""Working days, by the official calendars: holidays off, and the weekends that are worked for them."""

import functools
import warnings
from datetime import date, timedelta

from holidays import HolidayBase, country_holidays

from haechi.law.table import table

# The calendars begin and end somewhere; nothing here is due in another century.
FIRST_YEAR, LAST_YEAR = 1990, 2099


def is_working_day(jurisdiction: str, day: date) -> bool:
    """Say whether offices work on that day: a Saturday worked in place of a holiday is one."""
    return _year(jurisdiction, day.year)[0].is_working_day(day)


def after(jurisdiction: str, day: date, amount: int) -> date:
    """Give the `amount`-th working day after `day`, which does not count itself."""
    left = amount
    while left:
        day += timedelta(days=1)
        left -= is_working_day(jurisdiction, day)
    return day


def published(jurisdiction: str, year: int) -> bool:
    """Say whether the official calendar of that year is known.

    China names the weekends that are worked each November for the next year; until then its
    holidays are known and these days are not, so what is counted may lie a day or two too late.
    India names its lunar holidays a year ahead too.
    """
    calendar, complete = _year(jurisdiction, year)
    if jurisdiction == "CN":
        return any(day.year == year for day in calendar.weekend_workdays)
    return complete


@functools.lru_cache(maxsize=256)
def _year(jurisdiction: str, year: int) -> tuple[HolidayBase, bool]:
    """One year, which is never added to, so that threads may share it; and whether it is complete."""
    known = table("events")["calendars"][jurisdiction]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = country_holidays(
            known["country"],
            subdiv=known.get("subdivision"),
            years=min(max(year, FIRST_YEAR), LAST_YEAR),
            expand=False,
        )
    return found, not said
