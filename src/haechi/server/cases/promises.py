"""Clocks that no law starts: what we promised to somebody who sends us notices."""

from datetime import datetime

from haechi.server.audit import services as audit
from haechi.server.cases import queue
from haechi.server.cases.models import Case, Clock

RULE = "promise"


def start(case: Case, *, since: datetime, due_at: datetime, now: datetime) -> Clock:
    """Promise an answer until `due_at`, inside the caller's transaction; an earlier promise stays."""
    clock, new = Clock.objects.get_or_create(
        case=case,
        rule=RULE,
        defaults={
            "law": "Our own promise to the sender",
            "jurisdiction": "",
            "action": "Answer the notice item by item.",
            "source": "",
            "why": "the sender of this notice was promised an answer by then",
            "stopped_by": "decision",
            "started_at": since,
            "due_at": due_at,
        },
    )
    if new:
        audit.record(
            "clock:started",
            subject=clock,
            actor="worker",
            at=now,
            detail={"rule": RULE, "due_at": due_at.isoformat()},
        )
        queue.refresh(case)
    return clock
