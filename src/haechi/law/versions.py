"""What an administrator confirms about a rule, in place of what the table says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from haechi.errors import RuleRefused
from haechi.law.elements import regimes_of
from haechi.law.table import (
    ASKED,
    ENDS,
    EVENTS,
    UNITS,
    Rule,
    reasons_off,
    rule,
    rules,
    seconds_in,
)

LONGEST = {"hours": 24 * 366, "days": 3660, "working days": 2500, "months": 120, "years": 100}


@dataclass(frozen=True)
class Version:
    """One version of one rule: all that may be said anew about it, and what vouches for it.

    version        from 1 on; of one rule each is followed by the next, and none is changed
    runs           whether it starts clocks at all
    amount, unit   a count of one of law.UNITS
    in_force_from, in_force_until  first and last day; the last may be open
    source         where it was read, by whoever confirms it
    """

    rule: str
    version: int
    runs: bool
    amount: int
    unit: str
    event: str
    stopped_by: str
    paused_by: str
    only_minors: bool
    in_force_from: date
    in_force_until: date | None
    source: str


def confirmed(version: Version) -> Rule:
    """Give the rule as a version says it is. Raises UnknownRule, or RuleRefused where it cannot run."""
    shipped = rule(version.rule)
    _check(version)
    amended = replace(
        shipped,
        version=version.version,
        amount=version.amount,
        unit=version.unit,
        seconds=seconds_in(version.amount, version.unit),
        unit_text=f"{version.amount} {version.unit}",
        event=version.event,
        stopped_by=version.stopped_by,
        paused_by=version.paused_by,
        only_minors=version.only_minors,
        in_force_from=version.in_force_from,
        in_force_until=version.in_force_until,
        source=version.source,
        confidence="confirmed here",
    )
    if not version.runs:
        return replace(amended, off=("switched_off",))
    amended = replace(amended, off=reasons_off(amended))
    if amended.off:
        raise RuleRefused(version.rule, amended.why_off or "")
    return amended


def current(versions: Iterable[Version]) -> Mapping[str, Rule]:
    """Give every rule by its identifier: the table, each row as its newest version has it.

    A version that this release can no longer run (of a rule that went, of a unit nobody counts) is
    switched off, and says so: a row in the database never keeps a case from being opened.
    """
    found = {each.id: each for each in rules()}
    for version in sorted(versions, key=lambda each: each.version):
        if version.rule in found:
            try:
                found[version.rule] = confirmed(version)
            except RuleRefused:
                found[version.rule] = replace(rule(version.rule), off=("refused",))
    return found


def _check(version: Version) -> None:
    said = {
        "unit": version.unit in UNITS,
        "amount": 0 < version.amount <= LONGEST.get(version.unit, 0),
        "event": version.event in EVENTS
        and (version.event != "valid_request" or bool(regimes_of(version.rule))),
        "stopped_by": version.stopped_by in ENDS,
        "paused_by": version.paused_by in ("", ASKED),
        "in_force_until": version.in_force_until is None
        or version.in_force_until >= version.in_force_from,
        "source": bool(version.source.strip()),
    }
    if wrong := [name for name, right in said.items() if not right]:
        raise RuleRefused(version.rule, ", ".join(wrong))
