"""Moments and spans as people read them.

No reader tells us her time zone, and asking would need a script. Each language has the zone most
of its readers live in, and the offset is always written beside the time.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext

ZONES = {"ko": ZoneInfo("Asia/Seoul"), "zh-hans": ZoneInfo("Asia/Shanghai")}
UTC = ZoneInfo("UTC")


def moment(at: datetime) -> str:
    """An aware moment with day, hour, minute and offset, in the active language."""
    local = at.astimezone(ZONES.get(get_language() or "", UTC))
    return f"{date_format(local, 'DATE_FORMAT')} {local:%H:%M} ({offset(local)})"


def offset(local: datetime) -> str:
    """The difference from UTC: "UTC", "UTC+9", "UTC-3:30"."""
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02d}' if rest else ''}"


def span(seconds: int) -> str:
    """A length of time by its two largest units; under a minute in seconds. `seconds` >= 0."""
    if seconds < 60:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    parts = [
        (days, ngettext("%(n)s day", "%(n)s days", days)),
        (hours, ngettext("%(n)s hour", "%(n)s hours", hours)),
        (minutes, ngettext("%(n)s minute", "%(n)s minutes", minutes)),
    ]
    said = [words % {"n": n} for n, words in parts if n]
    return " ".join(said[:2])
