"""Time left on a legal clock, in words. web/src/clock.ts repeats this while a page is open."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from haechi.server.cases.models import Clock

# When "soon" begins: what is left of a working day.
SOON = timedelta(hours=6)

# Named as the script looks for them, in data attributes; {days}, {hours}, {minutes} are whole.
PATTERNS: dict[str, Promise] = {
    "left_days": _("{days} d {hours} h left"),
    "left_hours": _("{hours} h {minutes} min left"),
    "left_minutes": _("{minutes} min left"),
    "over_days": _("{days} d {hours} h over"),
    "over_hours": _("{hours} h {minutes} min over"),
    "over_minutes": _("{minutes} min over"),
}


@dataclass(frozen=True)
class Reading:
    """A clock as it reads at one moment.

    state         "ok", "soon", "overdue" or "stopped"
    used_percent  part of the time that is used up, 0 to 100
    """

    clock: Clock
    state: str
    words: str
    used_percent: int


def read(clock: Clock, now: datetime) -> Reading:
    """Read a clock. Time left is rounded down: nobody sees more time than there is."""
    used = (now - clock.started_at) / max(clock.due_at - clock.started_at, timedelta(seconds=1))
    percent = round(100 * min(1.0, max(0.0, used)))
    if clock.stopped_at is not None:
        late = clock.overdue(now)
        words = gettext("Stopped too late") if late else gettext("Stopped in time")
        return Reading(clock, "stopped", words, percent)
    if clock.paused_at is not None:
        return Reading(clock, "stopped", gettext("Stands while the reporter is asked"), percent)
    left = clock.due_at - now
    if left <= timedelta(0):
        return Reading(clock, "overdue", _span("over", -left), percent)
    return Reading(clock, "soon" if left <= SOON else "ok", _span("left", left), percent)


def _span(direction: str, span: timedelta) -> str:
    minutes, hours = span.seconds // 60 % 60, span.seconds // 3600
    unit = "days" if span.days else "hours" if hours else "minutes"
    pattern = str(PATTERNS[f"{direction}_{unit}"])
    return pattern.format(days=span.days, hours=hours, minutes=minutes)
