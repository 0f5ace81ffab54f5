"""Which clocks an event starts."""

from dataclasses import dataclass
from datetime import UTC, datetime

from haechi.errors import LawError
from haechi.law.deadlines import due_at
from haechi.law.table import EVENTS, Rule, rules, time_zone


@dataclass(frozen=True)
class Facts:
    """What is known when something happens.

    jurisdictions  Those the operator answers to: a subset of "US", "EU", "UK", "AU", "KR", ...
    minor          The person depicted is, or may be, under age.
    event          One of law.EVENTS. Raises LawError for another word.
    valid          Identifiers of the rules under which this is a valid removal request, with every
                   element they ask for (law.complete_for). A "report" starts their clocks too.
    """

    jurisdictions: frozenset[str]
    minor: bool
    event: str
    valid: frozenset[str]

    def __post_init__(self) -> None:
        if self.event not in EVENTS:
            msg = f"no clock knows the event {self.event!r}"
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


def clocks_for(facts: Facts, *, at: datetime) -> tuple[Running, ...]:
    """Give the clocks that start at `at` (aware), the one that runs out first at the head.

    Only rules that are enabled and, in the jurisdiction's own calendar, in force on that day.
    Raises LawError if `at` has no time zone.
    """
    if at.tzinfo is None:
        raise LawError("a clock starts at a moment with a time zone")
    running = [_run(rule, at) for rule in rules() if _applies(rule, facts, at)]
    return tuple(sorted(running, key=lambda each: (each.due_at, each.rule.id)))


def _applies(rule: Rule, facts: Facts, at: datetime) -> bool:
    return (
        rule.enabled
        and rule.jurisdiction in facts.jurisdictions
        and rule.event in facts.started()
        and (rule.event != "valid_request" or rule.id in facts.valid)
        and (facts.minor or not rule.only_minors)
        and rule.in_force_from is not None
        and rule.in_force_from <= at.astimezone(time_zone(rule.jurisdiction)).date()
    )


def _run(rule: Rule, at: datetime) -> Running:
    why = f"{rule.law}: {rule.unit_text} from {rule.trigger}"
    return Running(rule, at.astimezone(UTC), due_at(rule, at), why)
