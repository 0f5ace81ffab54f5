"""Rules as data: which law sets which clock, when it started, when it runs out. Pure.

The tables in data/ are dated facts with a confidence each, not legal advice. Only what was
verified in the text of the law, is in force and is countable ever becomes a clock.
"""

from haechi.law.clocks import Facts, Running, clocks_for
from haechi.law.deadlines import due_at
from haechi.law.requests import Element, elements, missing, regimes
from haechi.law.table import EVENTS, Rule, rule, rules, time_zone

__all__ = [
    "EVENTS",
    "Element",
    "Facts",
    "Rule",
    "Running",
    "clocks_for",
    "due_at",
    "elements",
    "missing",
    "regimes",
    "rule",
    "rules",
    "time_zone",
]
