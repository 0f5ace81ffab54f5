"""The numbers of the dashboard: plain queries, each one pass over an index or a table.

For staff alone: small numbers are shown as they are. Days are days of UTC. Lengths of time are in
seconds, or None where there is nothing to take them from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from haechi.server.cases.models import UNDECIDED
from haechi.server.notices import directory, letter
from haechi.server.notices.models import Step

# What is left of the earliest running clock of an open case, in this order.
LEFT = ("missed", "hours_6", "day", "days_3", "more", "none")
WAITING = "({})".format(", ".join(f"'{state.value}'" for state in UNDECIDED))


@dataclass(frozen=True)
class Day:
    """One day: cases that came in, cases that were settled, and how many were open at its end."""

    day: date
    opened: int
    settled: int
    backlog: int


@dataclass(frozen=True)
class Spell:
    """How long something took: how often, the middle, and the time nine of ten stayed under."""

    name: str
    count: int
    median_s: float | None
    tail_s: float | None


@dataclass(frozen=True)
class Spells:
    """How long something took in the whole period, and part by part."""

    whole: Spell
    parts: list[Spell]


@dataclass(frozen=True)
class ByLaw:
    """Clocks that began in the period under one rule."""

    rule: str
    law: str
    met: int
    missed: int
    running: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.met + self.missed + self.running


@dataclass(frozen=True)
class Answers:
    """Who was asked to remove, how often, and how many did."""

    name: str
    asked: int
    done: int
    within_day: int

    @property
    def rate(self) -> float:
        """Part that did, 0 to 1."""
        return self.done / self.asked if self.asked else 0.0


@dataclass(frozen=True)
class Load:
    """One reviewer: decisions and looks in the period, looks in 24 hours, cases held now."""

    user: int
    name: str
    decided: int
    looks: int
    looks_day: int
    holds: int


def time_left(*, now: datetime) -> dict[str, int]:
    """Open cases by what is left of their earliest running clock; every key of LEFT is there."""
    rows = _rows(
        f"""
        WITH first AS (
          SELECT case_id, min(due_at) AS due FROM cases_clock
          WHERE stopped_at IS NULL AND paused_at IS NULL GROUP BY case_id),
        waiting AS (
          SELECT first.due FROM cases_case c LEFT JOIN first ON first.case_id = c.id
          WHERE c.state IN {WAITING})
        SELECT CASE WHEN due IS NULL THEN 'none' WHEN due < %(now)s THEN 'missed'
                    WHEN due < %(now)s + interval '6 hours' THEN 'hours_6'
                    WHEN due < %(now)s + interval '1 day' THEN 'day'
                    WHEN due < %(now)s + interval '3 days' THEN 'days_3' ELSE 'more' END, count(*)
        FROM waiting GROUP BY 1
        """,  # noqa: S608  # a constant of this module
        now=now,
    )
    found = {str(key): int(number) for key, number in rows}
    return {key: found.get(key, 0) for key in LEFT}


def days(*, since: date, now: datetime) -> list[Day]:
    """What came in, what was settled and what was left, day by day, today included."""
    rows = _rows(
        f"""
        WITH came AS (
          SELECT (opened_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n
          FROM cases_case GROUP BY 1),
        went AS (
          SELECT (coalesce(c.decided_at, r.settled_at, c.opened_at) AT TIME ZONE 'UTC')::date AS day,
                 count(*) AS n
          FROM cases_case c JOIN reports_report r ON r.id = c.report_id
          WHERE c.state NOT IN {WAITING} GROUP BY 1),
        base AS (
          SELECT coalesce((SELECT sum(n) FROM came WHERE day < %(since)s), 0)
               - coalesce((SELECT sum(n) FROM went WHERE day < %(since)s), 0) AS n)
        SELECT d::date, coalesce(came.n, 0), coalesce(went.n, 0),
               (SELECT n FROM base)
               + sum(coalesce(came.n, 0) - coalesce(went.n, 0)) OVER (ORDER BY d)
        FROM generate_series(%(since)s::date, %(today)s::date, interval '1 day') d
        LEFT JOIN came ON came.day = d::date LEFT JOIN went ON went.day = d::date ORDER BY d
        """,  # noqa: S608  # a constant of this module
        since=since,
        today=now.date(),
    )
    return [Day(day, int(came), int(went), int(left)) for day, came, went, left in rows]


def to_decision(*, since: datetime) -> Spells:
    """From receipt to the standing decision; parts are weeks by their first day, the oldest first."""
    return _spells(
        f"""
        SELECT to_char(date_trunc('week', d.made_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD'), count(*),
               {_shape("d.made_at")}
        FROM cases_decision d JOIN cases_case c ON c.id = d.case_id
        JOIN reports_report r ON r.id = c.report_id
        WHERE d.made_at >= %(since)s AND d.overturned_at IS NULL
        GROUP BY GROUPING SETS ((1), ()) ORDER BY 1
        """,  # noqa: S608  # constants of this module
        since=since,
    )


def to_removal(*, since: datetime) -> Spells:
    """From receipt to the platform's confirmation; parts are platforms, the slowest first."""
    return _spells(
        f"""
        SELECT p.name, count(*), {_shape("a.done_at")}
        FROM cases_action a JOIN matching_platform p ON p.id = a.platform_id
        JOIN cases_decision d ON d.id = a.decision_id JOIN cases_case c ON c.id = d.case_id
        JOIN reports_report r ON r.id = c.report_id
        WHERE a.done_at >= %(since)s AND a.kind = 'remove'
        GROUP BY GROUPING SETS ((p.name), ()) ORDER BY 3 DESC, 1
        """,  # noqa: S608  # constants of this module
        since=since,
    )


def by_law(*, since: datetime, now: datetime) -> list[ByLaw]:
    """Clocks that began in the period: met in time, missed, running. Missed ones stay missed (B24)."""
    rows = _rows(
        """
        SELECT rule, max(law),
               count(*) FILTER (WHERE stopped_at IS NOT NULL AND stopped_at <= due_at),
               count(*) FILTER (WHERE coalesce(stopped_at, CASE WHEN paused_at IS NULL
                                      THEN %(now)s ELSE due_at END) > due_at),
               count(*) FILTER (WHERE stopped_at IS NULL
                                AND (paused_at IS NOT NULL OR due_at >= %(now)s))
        FROM cases_clock WHERE started_at >= %(since)s GROUP BY rule
        ORDER BY 4 DESC, count(*) DESC, rule
        """,
        since=since,
        now=now,
    )
    return [ByLaw(rule, law, *map(int, numbers)) for rule, law, *numbers in rows]


def answers(*, since: datetime) -> list[Answers]:
    """Removals asked of platforms in the period, the least obedient first."""
    rows = _rows(
        """
        SELECT p.name, count(*), count(a.done_at),
               count(*) FILTER (WHERE a.done_at <= a.created_at + interval '1 day')
        FROM cases_action a JOIN matching_platform p ON p.id = a.platform_id
        WHERE a.created_at >= %(since)s AND a.withdrawn_at IS NULL AND a.kind = 'remove'
        GROUP BY 1
        ORDER BY count(a.done_at)::float / count(*), 1
        """,
        since=since,
    )
    return [Answers(name, *map(int, numbers)) for name, *numbers in rows]


def receivers(*, since: datetime) -> list[Answers]:
    """Places asked about in notices of the period, the least answered first; `done` is answered.

    Who was written to stands sealed: only those in the directory have their names, since their
    keyed digests can be made again. All others are one line for each step of the chain.
    """
    names = {letter.receiver_digest(each): each.name for each in directory.everybody()}
    rows = _rows(
        """
        SELECT n.receiver, n.step, count(*), count(i.answered_at),
               count(*) FILTER (WHERE i.answered_at <= n.sent_at + interval '1 day')
        FROM notices_noticeitem i JOIN notices_notice n ON n.id = i.notice_id
        WHERE n.sent_at >= %(since)s AND n.kind = 'takedown'
        GROUP BY 1, 2
        """,
        since=since,
    )
    found: dict[str, Answers] = {}
    for receiver, step, *numbers in rows:
        name = names.get(bytes(receiver)) or str(Step(step).label)
        before = found.get(name, Answers(name, 0, 0, 0))
        asked, done, day = map(int, numbers)
        found[name] = Answers(
            name, before.asked + asked, before.done + done, before.within_day + day
        )
    return sorted(found.values(), key=lambda each: (each.rate, each.name))


def load(*, since: datetime, now: datetime) -> list[Load]:
    """Every reviewer who is active, by name."""
    rows = _rows(
        """
        SELECT u.id, u.display_name,
               (SELECT count(*) FROM cases_decision d WHERE d.actor_id = u.id AND d.made_at >= %(since)s),
               (SELECT count(*) FROM cases_look l WHERE l.user_id = u.id AND l.at >= %(since)s),
               (SELECT count(*) FROM cases_look l WHERE l.user_id = u.id AND l.at > %(day)s),
               (SELECT count(*) FROM cases_case c WHERE c.claimed_by_id = u.id
                 AND c.claimed_until >= %(now)s)
        FROM staff_user u WHERE u.is_active AND u.role = 'reviewer' ORDER BY 2, 1
        """,
        since=since,
        now=now,
        day=now - timedelta(days=1),
    )
    return [Load(user, name, *map(int, numbers)) for user, name, *numbers in rows]


def _shape(end: str) -> str:
    """The middle and the tail of the time from receipt to `end`, a column, with one sort."""
    took = f"extract(epoch FROM {end} - r.received_at)"
    return f"percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {took})"


def _spells(sql: str, **given: date) -> Spells:
    whole, parts = Spell("", 0, None, None), []
    for name, count, shape in _rows(sql, **given):
        median, tail = shape or (None, None)
        spell = Spell(name or "", int(count), median, tail)
        if name is None:
            whole = spell
        else:
            parts.append(spell)
    return Spells(whole, parts)


def _rows(sql: str, **given: date | datetime) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return list(cursor.fetchall())
