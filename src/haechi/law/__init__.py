"""Rules as data: which law sets which clock, when it started, when it runs out. Pure.

The tables in data/ are dated facts with a confidence each, not legal advice. Only what was
verified in the text of the law, is in force and is countable ever becomes a clock.
"""

from haechi.law.clocks import Facts, Running, clocks_for
from haechi.law.deadlines import due_at
from haechi.law.elements import (
    Asked,
    Element,
    Standing,
    complete_for,
    fact_names,
    missing,
    regimes,
    required_by,
    standings,
)
from haechi.law.table import EVENTS, Rule, rule, rules, time_zone

__all__ = [
    "EVENTS",
    "Asked",
    "Element",
    "Facts",
    "Rule",
    "Running",
    "Standing",
    "clocks_for",
    "complete_for",
    "due_at",
    "fact_names",
    "missing",
    "regimes",
    "required_by",
    "rule",
    "rules",
    "standings",
    "time_zone",
]
