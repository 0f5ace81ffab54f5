"""When a limit runs out."""

from datetime import UTC, datetime, timedelta

from haechi.errors import LawError
from haechi.law.table import Rule, time_zone


def due_at(rule: Rule, started_at: datetime) -> datetime:
    """Give the moment, in UTC, at which a rule's limit runs out; always after `started_at`.

    Hours are time that passes, whatever the clocks on the wall do. Days are calendar days in the
    jurisdiction's time zone, and the limit runs out at the same time of day on the last of them.
    Where that time of day is skipped or comes twice (summer time), the earlier moment counts.
    started_at is aware. Raises LawError if it is not, or if the limit is not countable.
    """
    if started_at.tzinfo is None:
        raise LawError("a clock starts at a moment with a time zone")
    if rule.amount is None:
        msg = f"{rule.id} has no countable limit: {rule.unit_text}"
        raise LawError(msg)
    if rule.unit == "hours":
        return started_at.astimezone(UTC) + timedelta(hours=rule.amount)
    zone = time_zone(rule.jurisdiction)
    on_the_wall = started_at.astimezone(zone).replace(tzinfo=None) + timedelta(days=rule.amount)
    return min(on_the_wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
