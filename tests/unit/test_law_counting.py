"""How time is counted: hours, days, working days, months and years, over summer time and leap days."""

import calendar
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi import law
from haechi.errors import LawError
from haechi.law import workdays

BASE = law.rule("us_tida_remove")
ZONES = {code: law.time_zone(code) for code in ("US", "EU", "UK", "AU", "KR", "CN", "IN")}
# From before the first stored rule to long after the last known calendar.
MOMENTS = st.datetimes(
    min_value=datetime(2024, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.sampled_from([UTC, *ZONES.values()]),
)
# Around the nights on which clocks change, and anywhere else.
CHANGES = [datetime(2026, month, day) for month, day in  # noqa: DTZ001 - times of day
           [(3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1)]]  # fmt: skip
WALLS = st.one_of(
    st.datetimes(datetime(2024, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001 - times of day
    st.builds(
        lambda night, s: night + timedelta(seconds=s),
        st.sampled_from(CHANGES),
        st.integers(0, 4 * 3600),
    ),
)
PLACES = st.sampled_from(sorted(ZONES))
UNITS = st.sampled_from(law.UNITS)
AMOUNTS = st.integers(1, 40)
PROPERTY = settings(deadline=None, max_examples=60)


def limit(amount: int, unit: str, place: str) -> law.Rule:
    return replace(BASE, jurisdiction=place, amount=amount, unit=unit, unit_text=f"{amount} {unit}")


def wall(moment: datetime, place: str) -> datetime:
    return moment.astimezone(ZONES[place]).replace(tzinfo=None)


def due(amount: int, unit: str, place: str, at: datetime) -> datetime:
    return law.due_at(limit(amount, unit, place), at)


def folded(moment: datetime, place: str) -> bool:
    """In the hour that comes twice, where a later moment has an earlier time of day."""
    local = moment.astimezone(ZONES[place])
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


@given(amount=AMOUNTS, unit=UNITS, place=PLACES, at=MOMENTS)
@PROPERTY
def test_a_limit_ends_after_it_began(amount: int, unit: str, place: str, at: datetime) -> None:
    assert due(amount, unit, place, at) > at


@given(amount=AMOUNTS, unit=UNITS, place=PLACES, one=MOMENTS, other=MOMENTS)
@PROPERTY
def test_who_begins_later_is_not_due_earlier(
    amount: int, unit: str, place: str, one: datetime, other: datetime
) -> None:
    """Except within the hour that comes twice, whose times of day repeat."""
    first, second = sorted([one, other])
    slack = timedelta(hours=1) if folded(second, place) or folded(first, place) else timedelta()
    assert due(amount, unit, place, first) <= due(amount, unit, place, second) + slack


@given(one=AMOUNTS, other=AMOUNTS, unit=UNITS, place=PLACES, at=MOMENTS)
@PROPERTY
def test_a_longer_limit_is_not_due_earlier(
    one: int, other: int, unit: str, place: str, at: datetime
) -> None:
    short, long = sorted([one, other])
    assert due(short, unit, place, at) <= due(long, unit, place, at)


@given(place=PLACES, one=WALLS, other=WALLS)
@PROPERTY
def test_never_early_and_never_a_moment_late(place: str, one: datetime, other: datetime) -> None:
    """At that moment the clock on the wall shows the time or a later one; just before, it did not."""
    first, second = sorted([one, other])
    moment = law.first_moment(first, ZONES[place])
    assert wall(moment, place) >= first
    assert wall(moment - timedelta(microseconds=1), place) < first
    assert moment <= law.first_moment(second, ZONES[place])


@given(amount=AMOUNTS, place=PLACES, at=MOMENTS)
@PROPERTY
def test_days_end_at_the_same_time_of_day(amount: int, place: str, at: datetime) -> None:
    said = wall(at, place) + timedelta(days=amount)
    assert due(amount, "days", place, at) == law.first_moment(said, ZONES[place])


@given(one=AMOUNTS, other=AMOUNTS, unit=st.sampled_from(["hours", "days", "working days"]),
       place=PLACES, at=MOMENTS)  # fmt: skip
@PROPERTY
def test_one_after_the_other_is_both_together(
    one: int, other: int, unit: str, place: str, at: datetime
) -> None:
    """Days and working days by the calendar; a change of summer time between moves the hour."""
    together = due(one + other, unit, place, at)
    stepwise = due(other, unit, place, due(one, unit, place, at))
    if unit == "hours":
        assert stepwise == together
    else:
        assert abs(stepwise - together) <= timedelta(hours=1)


@given(amount=AMOUNTS, place=PLACES, at=MOMENTS)
@PROPERTY
def test_months_end_on_the_same_day_or_the_last_one(amount: int, place: str, at: datetime) -> None:
    first, last = wall(at, place).date(), wall(due(amount, "months", place, at), place).date()
    assert (last.year - first.year) * 12 + last.month - first.month == amount
    assert last.day == min(first.day, calendar.monthrange(last.year, last.month)[1])


@given(amount=st.integers(1, 30), place=PLACES, at=MOMENTS)
@PROPERTY
def test_so_many_working_days_lie_between(amount: int, place: str, at: datetime) -> None:
    first = wall(at, place).date()
    last = wall(due(amount, "working days", place, at), place).date()
    between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert sum(workdays.is_working_day(place, day) for day in between) == amount
    assert workdays.is_working_day(place, last)


@given(at=MOMENTS, unit=UNITS, place=PLACES, stood=st.lists(st.integers(0, 10**6), max_size=3))
@PROPERTY
def test_the_time_a_clock_stood_is_added_and_nothing_else(
    at: datetime, unit: str, place: str, stood: list[int]
) -> None:
    start = at.astimezone(UTC)
    pauses = [(start, start + timedelta(seconds=n)) for n in stood]
    plain = due(3, unit, place, at)
    assert law.due_at(limit(3, unit, place), at, pauses) == plain + timedelta(seconds=sum(stood))


@given(at=MOMENTS, unit=UNITS, place=PLACES, zone=st.sampled_from(sorted(ZONES)))
@PROPERTY
def test_a_reader_elsewhere_sees_the_same_moment(
    at: datetime, unit: str, place: str, zone: str
) -> None:
    end = due(5, unit, place, at)
    shown = law.shown_in(end, str(ZONES[zone]))
    assert shown == end
    assert due(5, unit, place, at.astimezone(ZONES[zone])) == end


@pytest.mark.parametrize(
    ("unit", "amount", "place", "start", "end"),
    [
        # 31 January and one month; in a leap year and in another.
        ("months", 1, "KR", "2027-01-31T10:00:00+09:00", "2027-02-28T10:00:00+09:00"),
        ("months", 1, "KR", "2028-01-31T10:00:00+09:00", "2028-02-29T10:00:00+09:00"),
        ("months", 6, "EU", "2026-08-31T10:00:00+02:00", "2027-02-28T10:00:00+01:00"),
        ("years", 1, "UK", "2028-02-29T23:59:59+00:00", "2029-02-28T23:59:59+00:00"),
        ("years", 4, "UK", "2028-02-29T23:59:59+00:00", "2032-02-29T23:59:59+00:00"),
        # China: Saturdays 14 and 28 February 2026 are worked for the Spring Festival.
        ("working days", 4, "CN", "2026-02-10T11:00:00+08:00", "2026-02-14T11:00:00+08:00"),
        ("working days", 5, "CN", "2026-02-10T11:00:00+08:00", "2026-02-24T11:00:00+08:00"),
        ("working days", 10, "CN", "2026-02-10T11:00:00+08:00", "2026-03-02T11:00:00+08:00"),
        # Korea: 15 August 2026 is a Saturday, so Monday 17 is off in its place.
        ("working days", 1, "KR", "2026-08-14T18:00:00+09:00", "2026-08-18T18:00:00+09:00"),
        # Begun on a Sunday, the first working day is Monday.
        ("working days", 1, "UK", "2026-11-22T12:00:00+00:00", "2026-11-23T12:00:00+00:00"),
        # Christmas and Boxing Day (the latter on a Saturday, observed on Monday).
        ("working days", 1, "UK", "2026-12-24T12:00:00+00:00", "2026-12-29T12:00:00+00:00"),
        # New York skips 02:30 on 8 March 2026: 03:00 is the first moment after it.
        ("days", 1, "US", "2026-03-07T02:30:00-05:00", "2026-03-08T03:00:00-04:00"),
        # And has 01:30 twice on 1 November: the first of the two.
        ("days", 1, "US", "2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00"),
        ("hours", 48, "AU", "2026-10-03T12:00:00+10:00", "2026-10-05T13:00:00+11:00"),
    ],
)
def test_as_one_counts_by_hand(unit: str, amount: int, place: str, start: str, end: str) -> None:
    found = due(amount, unit, place, datetime.fromisoformat(start))
    assert found == datetime.fromisoformat(end), found.astimezone(ZONES[place]).isoformat()


def test_a_wording_is_not_counted() -> None:
    with pytest.raises(LawError):
        law.due_at(law.rule("cn_breach"), datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(LawError):
        law.due_at(limit(3, "moons", "KR"), datetime(2026, 1, 1, tzinfo=UTC))


def test_which_calendar_is_published_is_known() -> None:
    """China names the weekends it works one year ahead; the others follow from the law."""
    assert workdays.published("CN", 2026)
    assert not workdays.published("CN", 2090)
    assert workdays.published("KR", 2090)
    assert workdays.after("CN", date(2089, 12, 30), 3) > date(2089, 12, 30)


def test_a_place_nobody_knows_is_refused() -> None:
    with pytest.raises(LawError):
        law.shown_in(datetime(2026, 1, 1, tzinfo=UTC), "Asia/Nowhere")
    assert ZoneInfo("Asia/Seoul") == ZONES["KR"]
