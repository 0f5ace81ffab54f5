"""The table of time limits, and which of them may run as clocks."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from haechi.errors import UnknownRule

# The only confidence that may bind anybody, unless an administrator confirms a row with a source.
VERIFIED = "verified in a stored text"
EVENTS = ("report", "valid_request", "order", "decision", "threat")
ENDS = ("removal", "decision")
KINDS = ("act", "answer", "report", "keep", "publish")
ROLES = ("platform", "search", "authority", "provider", "controller")
ASKED = "asked"
UNITS = ("hours", "days", "working days", "months", "years")
HOUR_S = 3600
DAY_S = 24 * HOUR_S
OFF = {
    "kind": "this is no limit to act within in a case, but of the kind {rule.kind!r}",
    "no_event": "nothing that happens in Haechi starts this limit",
    "unsure": "the rule is not known well enough: {rule.confidence}",
    "no_date": "the date of its entry into force is not verified",
    "no_count": "the limit is not a number of hours, days, months or years: {rule.unit_text}",
    "switched_off": "an administrator switched it off",
    "refused": "what was confirmed about it cannot run",
}
_SECONDS_IN = {"hours": HOUR_S, "days": DAY_S}


@dataclass(frozen=True)
class Rule:
    """One time limit, as the law has it.

    id              Stable name, for instance "us_tida_remove".
    version         0 as this table has it; from 1 on as an administrator confirmed it.
    jurisdiction    "US", "EU", "UK", "AU", "KR", "CN" or "IN".
    law             Name and section, in the language of the law.
    kind            One of KINDS: what sort of duty it is.
    trigger, action What starts it and what must be done, in English.
    applies_to      Whom it binds, as the law says; `bound` the same as words of ROLES.
    amount, unit    A count of one of UNITS, or None and the wording of the law.
    seconds         amount in seconds, a day counted as 24 hours; None for other units. For days
                    due_at() is exact, since a day in summer time's first or last night is not.
    unit_text       The limit in words: "48 hours", "without undue delay".
    event           One of EVENTS, or None where nothing in Haechi starts this limit.
    stopped_by      One of ENDS: what ends the clock; None where nothing starts it.
    paused_by       ASKED where the law lets the clock stand while the reporter was asked for what is
                    missing; "" where the text that was read has no rule on pausing: it runs on.
    only_minors     Binds only where the person depicted is or may be under age.
    source          Where the fact was read.
    confidence      How well it is known; only VERIFIED may run, or what somebody here confirmed.
    in_force_from   First day, or None if that is not known; in_force_until the last one, if any.
    off             Why it never becomes a clock, as words of OFF; none if it does.
    note            Anything else, or "".
    """

    id: str
    jurisdiction: str
    law: str
    kind: str
    trigger: str
    action: str
    applies_to: str
    bound: frozenset[str]
    amount: int | None
    unit: str
    seconds: int | None
    unit_text: str
    event: str | None
    stopped_by: str | None
    paused_by: str
    only_minors: bool
    source: str
    confidence: str
    in_force_from: date | None
    in_force_until: date | None
    off: tuple[str, ...]
    note: str
    version: int = 0

    @property
    def enabled(self) -> bool:
        """Whether the rule may run as a clock while it is in force."""
        return not self.off

    @property
    def why_off(self) -> str | None:
        """Why it never becomes a clock, in English; None if it does."""
        return "; ".join(OFF[code].format(rule=self) for code in self.off) or None

    def in_force(self, day: date) -> bool:
        """Whether it binds on a day of its jurisdiction's calendar."""
        return (
            self.in_force_from is not None
            and self.in_force_from <= day
            and (self.in_force_until is None or day <= self.in_force_until)
        )


def rules() -> tuple[Rule, ...]:
    """Give every row of the table, in its order, those that are off included."""
    return tuple(_by_id().values())


def rule(rule_id: str) -> Rule:
    """Give one rule. Raises UnknownRule."""
    try:
        return _by_id()[rule_id]
    except KeyError as error:
        raise UnknownRule(rule_id) from error


def time_zone(jurisdiction: str) -> ZoneInfo:
    """Give the zone in which a jurisdiction counts days. Raises UnknownRule if it has none."""
    try:
        return ZoneInfo(table("events")["time_zones"][jurisdiction]["zone"])
    except KeyError as error:
        msg = f"no rules for {jurisdiction}"
        raise UnknownRule(msg) from error


@functools.cache
def table(name: str) -> Any:  # noqa: ANN401 - JSON as it is in the file
    """Give one file of data/ as it is."""
    return json.loads(resources.files("haechi.law").joinpath(f"data/{name}.json").read_bytes())


def seconds_in(amount: int | None, unit: str) -> int | None:
    """Give a count of hours or days in seconds; None for what has no fixed length."""
    return amount * _SECONDS_IN[unit] if amount is not None and unit in _SECONDS_IN else None


def reasons_off(rule: Rule) -> tuple[str, ...]:
    """Say why a rule never becomes a clock, in words of OFF; nothing where it may."""
    found = {
        "kind": rule.kind in ("keep", "publish"),
        "no_event": rule.event is None and rule.kind not in ("keep", "publish"),
        "unsure": rule.version == 0 and rule.confidence != VERIFIED,
        "no_date": rule.in_force_from is None,
        "no_count": rule.amount is None,
    }
    return tuple(code for code, so in found.items() if so)


@functools.cache
def _by_id() -> Mapping[str, Rule]:
    rows = (_rule(row, table("events")) for row in table("deadlines")["rows"])
    return {each.id: each for each in rows}


def _rule(row: Mapping[str, Any], events: Mapping[str, Any]) -> Rule:
    clock = events["clocks"].get(row["id"], {})
    counted = isinstance(row["amount"], int) and row["unit"] in UNITS
    since = row["in_force_from"]
    amount = row["amount"] if counted else None
    found = Rule(
        id=row["id"],
        jurisdiction=row["jurisdiction"],
        law=row["law"],
        kind=events["kinds"].get(row["id"], "act"),
        trigger=row["trigger"],
        action=row["action"],
        applies_to=row["applies_to"],
        bound=frozenset(events["bound"].get(row["id"], ("platform",))),
        amount=amount,
        unit=row["unit"],
        seconds=seconds_in(amount, row["unit"]),
        unit_text=str(row["unit"]) if row["amount"] is None else f"{row['amount']} {row['unit']}",
        event=clock.get("event"),
        stopped_by=clock.get("stopped_by"),
        paused_by=events["pauses"].get(row["id"], ""),
        only_minors=clock.get("only_minors", False),
        source=row["source"],
        confidence=row["confidence"],
        in_force_from=date.fromisoformat(since) if since else None,
        in_force_until=None,
        off=(),
        note=row["note"] or "",
    )
    return replace(found, off=reasons_off(found))
