"""Case, clocks, decision, second looks, and the actions it asks of platforms."""

from haechi.server.cases.models.action import (
    Action,
    ActionKind,
    ActionQuerySet,
    Answer,
    Outcome,
    Refusal,
    Trial,
)
from haechi.server.cases.models.case import UNDECIDED, WAITING, Case, CaseQuerySet, State
from haechi.server.cases.models.clock import Clock
from haechi.server.cases.models.decision import (
    ACTING,
    OBJECTIONABLE,
    REFUSALS,
    Decision,
    DecisionQuerySet,
    Ground,
    Label,
    Restriction,
    Verdict,
)
from haechi.server.cases.models.erasure import ErasureRequest, ErasureRequestQuerySet
from haechi.server.cases.models.grant import Grant, GrantQuerySet, Look, Purpose, Scope
from haechi.server.cases.models.note import Note
from haechi.server.cases.models.package import Package, PackageQuerySet
from haechi.server.cases.models.pause import For, Pause, PauseQuerySet
from haechi.server.cases.models.policy import Policy, PolicyKind
from haechi.server.cases.models.queue import HandOver, Recusal, SavedView, Undoing, Weight
from haechi.server.cases.models.review import (
    Aside,
    Occasion,
    Opinion,
    Review,
    ReviewQuerySet,
    Sampling,
)
from haechi.server.cases.models.rule import Rule

__all__ = [
    "ACTING",
    "OBJECTIONABLE",
    "REFUSALS",
    "UNDECIDED",
    "WAITING",
    "Action",
    "ActionKind",
    "ActionQuerySet",
    "Answer",
    "Aside",
    "Case",
    "CaseQuerySet",
    "Clock",
    "Decision",
    "DecisionQuerySet",
    "ErasureRequest",
    "ErasureRequestQuerySet",
    "For",
    "Grant",
    "GrantQuerySet",
    "Ground",
    "HandOver",
    "Label",
    "Look",
    "Note",
    "Occasion",
    "Opinion",
    "Outcome",
    "Package",
    "PackageQuerySet",
    "Pause",
    "PauseQuerySet",
    "Policy",
    "PolicyKind",
    "Purpose",
    "Recusal",
    "Refusal",
    "Restriction",
    "Review",
    "ReviewQuerySet",
    "Rule",
    "Sampling",
    "SavedView",
    "Scope",
    "State",
    "Trial",
    "Undoing",
    "Verdict",
    "Weight",
]
