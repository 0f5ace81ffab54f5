"""Which clocks an event starts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from haechi.errors import LawError
from haechi.law.deadlines import due_at
from haechi.law.table import EVENTS, ROLES, Rule, rules, time_zone

PLATFORM = frozenset({"platform"})


@dataclass(frozen=True)
class Facts:
    """What is known when something happens.

    jurisdictions  Those the operator answers to: a subset of "US", "EU", "UK", "AU", "KR", ...
    minor          The person depicted is, or may be, under age.
    event          One of law.EVENTS. Raises LawError for another word.
    valid          Identifiers of the rules under which this is a valid removal request, with every
                   element they ask for (law.complete_for). A "report" starts their clocks too.
    bound          What the operator is, in words of law.ROLES. Raises LawError for another word.
    """

    jurisdictions: frozenset[str]
    minor: bool
    event: str
    valid: frozenset[str]
    bound: frozenset[str] = field(default=PLATFORM)

    def __post_init__(self) -> None:
        if self.event not in EVENTS:
            msg = f"no clock knows the event {self.event!r}"
            raise LawError(msg)
        if unknown := self.bound - set(ROLES):
            msg = f"no law binds {', '.join(sorted(unknown))}"
            raise LawError(msg)

    def started(self) -> frozenset[str]:
        """Give the events that this amounts to."""
        if self.event == "report":
            return frozenset({"report", "valid_request"})
        return frozenset({self.event})


@dataclass(frozen=True)
class Running:
    """One clock. started_at and due_at are in UTC; `why` is one line for the people who act."""

    rule: Rule
    started_at: datetime
    due_at: datetime
    why: str

    def due_in(self, zone: str) -> datetime:
        """Give the end on the clocks of a place: "Asia/Seoul". The moment is the same."""
        return shown_in(self.due_at, zone)


def shown_in(moment: datetime, zone: str) -> datetime:
    """Give an aware moment on the clocks of a place. Raises LawError for a place nobody knows."""
    try:
        return moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        msg = f"no time zone {zone!r}"
        raise LawError(msg) from error


def clocks_for(
    facts: Facts, *, at: datetime, table: Iterable[Rule] | None = None
) -> tuple[Running, ...]:
    """Give the clocks that start at `at` (aware), the one that runs out first at the head.

    Only rules that are enabled and, in the jurisdiction's own calendar, in force on that day.
    `table` are the rules to ask, those shipped unless told. Raises LawError if `at` has no time zone.
    """
    if at.tzinfo is None:
        raise LawError("a clock starts at a moment with a time zone")
    asked = rules() if table is None else table
    running = [_run(rule, at) for rule in asked if _applies(rule, facts, at)]
    return tuple(sorted(running, key=lambda each: (each.due_at, each.rule.id)))


def _applies(rule: Rule, facts: Facts, at: datetime) -> bool:
    return (
        rule.enabled
        and rule.jurisdiction in facts.jurisdictions
        and bool(rule.bound & facts.bound)
        and rule.event in facts.started()
        and (rule.event != "valid_request" or rule.id in facts.valid)
        and (facts.minor or not rule.only_minors)
        and rule.in_force(at.astimezone(time_zone(rule.jurisdiction)).date())
    )


def _run(rule: Rule, at: datetime) -> Running:
    why = f"{rule.law}: {rule.unit_text} from {rule.trigger} ({rule.source})"
    return Running(rule, at.astimezone(UTC), due_at(rule, at), why)
