"""Record a decision: one winner, one trace. What follows from it is flow.deciding."""

from datetime import datetime

from haechi import seal
from haechi.errors import SecondNeeded
from haechi.server.audit import services as audit
from haechi.server.cases import citing, entitled, policies
from haechi.server.cases.models import ACTING, REFUSALS, Case, Decision, State
from haechi.server.cases.ruling import Ruling, ground_version, seal_said
from haechi.server.reports import vault
from haechi.server.staff.models import User


def decide(case: Case, ruling: Ruling, *, actor: User, now: datetime) -> Decision:
    """What one person decides alone, inside the caller's transaction.

    Raises ReasonRequired, GroundUnknown, CitationUnknown, StatementRefused (it is not complete), SecondNeeded (a
    refusal, which one person does not decide), CaseClosed (somebody was first), CaseClaimed
    (somebody else is working on it) or NotAllowed (an earlier decision of theirs was overturned);
    nothing was changed then.
    """
    ruling.check(case)
    entitled.may_decide(case, actor)
    if ruling.verdict in REFUSALS:
        raise SecondNeeded(case.pk)
    return record(case, ruling, state=State.OPEN, actor=actor, now=now)


def record(case: Case, ruling: Ruling, *, state: State, actor: User, now: datetime) -> Decision:
    """Close a case that is in `state` with a decision; of two people at once, one wins (B19)."""
    acts = ruling.verdict in ACTING
    policy = policies.in_force(ruling.ground, ruling.verdict, now) if acts else None
    won = Case.objects.free_for(actor, now).filter(pk=case.pk, state=state)
    if not won.update(state=State.DECIDED, decided_at=now, claimed_by=None, claimed_until=None):
        raise entitled.lost(case, state)
    decision = Decision.objects.create(
        case=case,
        verdict=ruling.verdict,
        ground=ruling.ground,
        ground_version=ground_version(policy),
        restriction=ruling.restriction,
        label=ruling.label,
        cited_sealed=citing.seal_cited(ruling.cites, case),
        said_sealed=seal_said(ruling.said, case),
        reason_sealed=seal.seal(ruling.reason.strip().encode(), case.report.recipient),
        actor=actor,
        made_at=now,
    )
    audit.record(
        "case:decided",
        subject=decision,
        actor=actor.name_in_log,
        at=now,
        detail={
            "verdict": str(ruling.verdict),
            "ground": str(ruling.ground),
            "version": decision.ground_version,
        },
    )
    return decision


def reason_of(decision: Decision) -> str:
    """Why, in the words of whoever decided. Raises KeyMissing in a process without the vault."""
    identity = vault.identity_of(decision.case.report)
    return seal.open_sealed(bytes(decision.reason_sealed), identity).decode()
