"""What the charts of the dashboard say: words, drawing and table of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from haechi.server import words
from haechi.server.transparency import dashboard, drawing
from haechi.server.transparency.dashboard import Answers, ByLaw, Day, Spell

PRIMARY, ACCENT = "var(--primary)", "var(--accent)"
OK, WARN, ERROR, EDGE = "var(--ok)", "var(--warn)", "var(--error)", "var(--edge)"
HOUR_S = 3600
LEFT: dict[str, tuple[Promise, str]] = {
    "missed": (_("missed"), ERROR),
    "hours_6": (_("under 6 hours"), WARN),
    "day": (_("under 24 hours"), ACCENT),
    "days_3": (_("under 3 days"), PRIMARY),
    "more": (_("3 days and more"), PRIMARY),
    "none": (_("no deadline of law"), EDGE),
}


@dataclass(frozen=True)
class Chart:
    """One chart.

    said   what it shows now, in one sentence: for who does not see it, and above it for who does
    spec   None where there is nothing to draw yet
    head, rows   the table behind it
    """

    key: str
    title: str
    said: str
    spec: drawing.Spec | None
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


def spell(seconds: float | None) -> str:
    """A length of time in its largest fitting unit, or words for none."""
    if seconds is None:
        return pgettext("time", "none yet")
    if seconds < HOUR_S:
        return gettext("{number} min").format(number=round(seconds / 60))
    if seconds < 48 * HOUR_S:
        return gettext("{number} h").format(number=f"{seconds / HOUR_S:.1f}")
    return gettext("{number} d").format(number=f"{seconds / HOUR_S / 24:.1f}")


def time_left(left: dict[str, int]) -> Chart:
    """Open cases by their earliest deadline."""
    rows = [(str(LEFT[key][0]), LEFT[key][1], left[key]) for key in dashboard.LEFT]
    waiting = sum(left.values())
    soon = left["hours_6"]
    return Chart(
        "left",
        gettext("Time left"),
        gettext("Open cases: {all}. Past a deadline: {missed}. Under 6 hours left: {soon}.")
        .format(all=waiting, missed=left["missed"], soon=soon),
        drawing.bars(
            [{"name": name, "series": name, "value": number} for name, _colour, number in rows],
            colours={name: colour for name, colour, _number in rows},
            values=gettext("cases"),
            legend=False,
        ) if waiting else None,
        (gettext("Time left"), gettext("Cases")),
        [(name, str(number)) for name, _colour, number in rows],
    )  # fmt: skip


def inflow(days: Sequence[Day]) -> Chart:
    """Cases that came in and cases that were settled."""
    came, settled = gettext("came in"), gettext("settled")
    return Chart(
        "inflow",
        gettext("Came in and settled"),
        gettext("Came in: {opened}. Settled: {settled}.").format(
            opened=sum(day.opened for day in days), settled=sum(day.settled for day in days)
        ),
        drawing.lines(
            [
                {"day": day.day.isoformat(), "series": name, "value": number}
                for day in days
                for name, number in ((came, day.opened), (settled, day.settled))
            ],
            colours={came: ACCENT, settled: PRIMARY},
            values=gettext("cases a day"),
        ),
        (gettext("Day"), gettext("Came in"), pgettext("chart", "Settled")),
        [(day.day.isoformat(), str(day.opened), str(day.settled)) for day in days],
    )


def backlog(days: Sequence[Day]) -> Chart:
    """How many cases were open at the end of each day."""
    name = gettext("open")
    return Chart(
        "backlog",
        gettext("Backlog"),
        gettext("Open now: {last}. When the period began: {first}.").format(
            last=days[-1].backlog,
            first=days[0].backlog - days[0].opened + days[0].settled,
        ),
        drawing.lines(
            [{"day": day.day.isoformat(), "series": name, "value": day.backlog} for day in days],
            colours={name: PRIMARY},
            values=gettext("open cases"),
        ),
        (gettext("Day"), gettext("Open at its end")),
        [(day.day.isoformat(), str(day.backlog)) for day in days],
    )


def to_decision(weeks: Sequence[Spell]) -> Chart:
    """Time to decision, week by week."""
    half, most = gettext("half within"), gettext("nine of ten within")
    slowest = max((week.tail_s or 0 for week in weeks), default=0)
    return Chart(
        "decision",
        gettext("From receipt to decision"),
        gettext("Decisions: {count}. In the slowest week, nine of ten within {time}.").format(
            count=sum(week.count for week in weeks), time=spell(slowest)
        ) if weeks else gettext("Nothing was decided in this time."),
        drawing.lines(
            [
                {"day": week.name, "series": name, "value": round((number or 0) / HOUR_S, 2)}
                for week in weeks
                for name, number in ((half, week.median_s), (most, week.tail_s))
            ],
            colours={half: PRIMARY, most: ACCENT},
            values=gettext("hours"),
            whole=False,
        ) if weeks else None,
        (gettext("Week from"), gettext("Decisions"), gettext("Half within"),
         gettext("Nine of ten within")),
        [(week.name, str(week.count), spell(week.median_s), spell(week.tail_s)) for week in weeks],
    )  # fmt: skip


def to_removal(platforms: Sequence[Spell]) -> Chart:
    """Time to removal, by platform."""
    half, most = gettext("half within"), gettext("nine of ten within")
    return Chart(
        "removal",
        gettext("From receipt to removal"),
        gettext("Confirmed removals: {count}. Slowest platform: {name}.").format(
            count=sum(each.count for each in platforms), name=platforms[0].name
        ) if platforms else gettext("Nothing was removed in this time."),
        drawing.bars(
            [
                {"name": each.name, "series": name, "value": round((number or 0) / HOUR_S, 2)}
                for each in platforms[:MOST]
                for name, number in ((half, each.median_s), (most, each.tail_s))
            ],
            colours={half: PRIMARY, most: ACCENT},
            values=gettext("hours"),
            whole=False,
            beside=True,
        ) if platforms else None,
        (gettext("Platform"), gettext("Removals"), gettext("Half within"),
         gettext("Nine of ten within")),
        [(each.name, str(each.count), spell(each.median_s), spell(each.tail_s))
         for each in platforms],
    )  # fmt: skip


def by_law(laws: Sequence[ByLaw]) -> Chart:
    """Deadlines met and missed, by law."""
    met, missed, running = gettext("met"), gettext("missed"), pgettext("clock", "running")
    named = [(words.law_name(each.rule, each.law), each) for each in laws]
    return Chart(
        "law",
        gettext("Deadlines by law"),
        gettext("Deadlines that began: {all}. Missed: {missed}.").format(
            all=sum(each.total for each in laws), missed=sum(each.missed for each in laws)
        ) if laws else gettext("No deadline began in this time."),
        drawing.bars(
            [
                {"name": name, "series": series, "value": number}
                for name, each in named[:MOST]
                for series, number in (
                    (met, each.met), (missed, each.missed), (running, each.running)
                )
            ],
            colours={met: OK, missed: ERROR, running: EDGE},
            values=gettext("deadlines"),
        ) if laws else None,
        (gettext("Law"), gettext("Met"), gettext("Missed"), pgettext("clock", "Running")),
        [(name, str(each.met), str(each.missed), str(each.running)) for name, each in named],
    )  # fmt: skip


def answers(asked: Sequence[Answers]) -> Chart:
    """How many removals were done of those that were asked for, by platform."""
    return _answered(
        asked,
        "answers",
        gettext("What platforms did when asked"),
        gettext("Removals asked for: {asked}. Confirmed: {done}."),
        gettext("No removal was asked for in this time."),
        gettext("removals"),
        (gettext("Platform"), pgettext("chart", "Asked"), gettext("Done"), gettext("Within a day"),
         gettext("Part done")),
    )  # fmt: skip


def receivers(asked: Sequence[Answers]) -> Chart:
    """How many places were answered of those that notices named, by receiver."""
    return _answered(
        asked,
        "receivers",
        gettext("What receivers of notices answered"),
        gettext("Places in notices: {asked}. Answered: {done}."),
        gettext("No notice was sent in this time."),
        gettext("places"),
        (gettext("Receiver"), gettext("Places"), gettext("Answered"), gettext("Within a day"),
         gettext("Part answered")),
    )  # fmt: skip


def _answered(
    asked: Sequence[Answers],
    key: str,
    title: str,
    said: str,
    none: str,
    values: str,
    head: tuple[str, ...],
) -> Chart:
    """What was done of what was asked, one bar for each who was asked."""
    day, late, open_ = gettext("within a day"), gettext("later"), gettext("not yet")
    drawn = drawing.bars(
        [
            {"name": each.name, "series": series, "value": number}
            for each in asked[:MOST]
            for series, number in (
                (day, each.within_day),
                (late, each.done - each.within_day),
                (open_, each.asked - each.done),
            )
        ],
        colours={day: OK, late: WARN, open_: ERROR},
        values=values,
    ) if asked else None  # fmt: skip
    told = said.format(
        done=sum(each.done for each in asked), asked=sum(each.asked for each in asked)
    )
    rows: list[tuple[str, ...]] = [
        (each.name, str(each.asked), str(each.done), str(each.within_day), f"{each.rate:.0%}")
        for each in asked
    ]
    return Chart(key, title, told if asked else none, drawn, head, rows)


# Bars beyond this many are only in the table.
MOST = 12
