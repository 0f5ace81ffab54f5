"""Rules as data: which law sets which clock, when it started, when it runs out. Pure.

The tables in data/ are dated facts with a confidence each, not legal advice. Only what was
verified in the text of the law, is in force and is countable becomes a clock; or what an
administrator confirmed with a source of their own (versions). docs/law.md says more.
"""

from haechi.law.clocks import Facts, Running, clocks_for, shown_in
from haechi.law.deadlines import due_at, first_moment
from haechi.law.elements import (
    Asked,
    Element,
    Standing,
    complete_for,
    fact_names,
    missing,
    regimes,
    regimes_of,
    required_by,
    standings,
)
from haechi.law.table import ASKED, ENDS, EVENTS, KINDS, ROLES, UNITS, Rule, rule, rules, time_zone
from haechi.law.versions import LONGEST, Version, confirmed, current

__all__ = [
    "ASKED",
    "ENDS",
    "EVENTS",
    "KINDS",
    "LONGEST",
    "ROLES",
    "UNITS",
    "Asked",
    "Element",
    "Facts",
    "Rule",
    "Running",
    "Standing",
    "Version",
    "clocks_for",
    "complete_for",
    "confirmed",
    "current",
    "due_at",
    "fact_names",
    "first_moment",
    "missing",
    "regimes",
    "regimes_of",
    "required_by",
    "rule",
    "rules",
    "shown_in",
    "standings",
    "time_zone",
]
