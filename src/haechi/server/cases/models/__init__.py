"""Case, clocks, decision, and the actions it asks of platforms."""

from haechi.server.cases.models.action import Action
from haechi.server.cases.models.case import Case, CaseQuerySet, State
from haechi.server.cases.models.clock import Clock
from haechi.server.cases.models.decision import Decision, DecisionQuerySet, Ground, Verdict
from haechi.server.cases.models.grant import Grant, GrantQuerySet, Look, Purpose, Scope
from haechi.server.cases.models.rule import Rule

__all__ = [
    "Action",
    "Case",
    "CaseQuerySet",
    "Clock",
    "Decision",
    "DecisionQuerySet",
    "Grant",
    "GrantQuerySet",
    "Ground",
    "Look",
    "Purpose",
    "Rule",
    "Scope",
    "State",
    "Verdict",
]
