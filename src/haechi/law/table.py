"""The table of time limits, and which of them may run as clocks."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from haechi.errors import UnknownRule

# The only confidence that may bind anybody.
VERIFIED = "verified in a stored text"
EVENTS = ("report", "valid_request", "order", "decision", "threat")
HOUR_S = 3600
DAY_S = 24 * HOUR_S
_SECONDS_IN = {"hours": HOUR_S, "days": DAY_S}


@dataclass(frozen=True)
class Rule:
    """One time limit, as the law has it.

    id              Stable name, for instance "us_tida_remove".
    jurisdiction    "US", "EU", "UK", "AU", "KR", "CN" or "IN".
    law             Name and section, in the language of the law.
    trigger, action What starts it and what must be done, in English.
    applies_to      Whom it binds.
    amount, unit    A count of "hours" or "days", or None and the wording of the law.
    seconds         amount in seconds, a day counted as 24 hours; None if not countable. For days
                    due_at() is exact, since a day in summer time's first or last night is not.
    unit_text       The limit in words: "48 hours", "without undue delay".
    event           One of EVENTS, or None where nothing in Haechi starts this limit.
    stopped_by      "removal" or "decision": what ends the clock; None where nothing starts it.
    only_minors     Binds only where the person depicted is or may be under age.
    source          Where the fact was read.
    confidence      How well it is known; only "verified in a stored text" may run.
    in_force_from   First day, or None if that is not known.
    why_off         Why it never becomes a clock, in words; None if it does.
    note            Anything else, or "".
    """

    id: str
    jurisdiction: str
    law: str
    trigger: str
    action: str
    applies_to: str
    amount: int | None
    unit: str
    seconds: int | None
    unit_text: str
    event: str | None
    stopped_by: str | None
    only_minors: bool
    source: str
    confidence: str
    in_force_from: date | None
    why_off: str | None
    note: str

    @property
    def enabled(self) -> bool:
        """Whether the rule may run as a clock once it is in force."""
        return self.why_off is None


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
        return ZoneInfo(_table("events")["time_zones"][jurisdiction]["zone"])
    except KeyError as error:
        msg = f"no rules for {jurisdiction}"
        raise UnknownRule(msg) from error


@functools.cache
def _table(name: str) -> Any:  # noqa: ANN401 - JSON as it is in the file
    return json.loads(resources.files("haechi.law").joinpath(f"data/{name}.json").read_bytes())


@functools.cache
def _by_id() -> Mapping[str, Rule]:
    clocks = _table("events")["clocks"]
    rows = (_rule(row, clocks.get(row["id"], {})) for row in _table("deadlines")["rows"])
    return {each.id: each for each in rows}


def _rule(row: Mapping[str, Any], clock: Mapping[str, Any]) -> Rule:
    counted = isinstance(row["amount"], int) and row["unit"] in _SECONDS_IN
    since = row["in_force_from"]
    return Rule(
        id=row["id"],
        jurisdiction=row["jurisdiction"],
        law=row["law"],
        trigger=row["trigger"],
        action=row["action"],
        applies_to=row["applies_to"],
        amount=row["amount"] if counted else None,
        unit=row["unit"],
        seconds=row["amount"] * _SECONDS_IN[row["unit"]] if counted else None,
        unit_text=_unit_text(row),
        event=clock.get("event"),
        stopped_by=clock.get("stopped_by"),
        only_minors=clock.get("only_minors", False),
        source=row["source"],
        confidence=row["confidence"],
        in_force_from=date.fromisoformat(since) if since else None,
        why_off="; ".join(_reasons_off(row, clock, counted=counted)) or None,
        note=row["note"] or "",
    )


def _unit_text(row: Mapping[str, Any]) -> str:
    return str(row["unit"]) if row["amount"] is None else f"{row['amount']} {row['unit']}"


def _reasons_off(row: Mapping[str, Any], clock: Mapping[str, Any], *, counted: bool) -> list[str]:
    reasons = []
    if row["kind"] != "act":
        reasons.append(f"this is no limit to act within, but of the kind {row['kind']!r}")
    elif not clock:
        reasons.append("nothing that happens in Haechi starts this limit")
    if row["confidence"] != VERIFIED:
        reasons.append(f"the rule is not known well enough: {row['confidence']}")
    if not row["in_force_from"]:
        reasons.append("the date of its entry into force is not verified")
    if row["unit"] == "working days":
        reasons.append("working days are not countable yet: there is no table of holidays")
    elif not counted:
        reasons.append(f"the limit is not a number of hours or days: {_unit_text(row)}")
    return reasons
