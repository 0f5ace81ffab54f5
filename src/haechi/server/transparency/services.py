"""Give reasons, and count."""

from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median
from typing import Any

from haechi.errors import InvalidDocument, StatementRefused
from haechi.formats import statement
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import (
    REFUSALS,
    UNDECIDED,
    Action,
    ActionKind,
    Case,
    Clock,
    Decision,
    For,
    Pause,
    Policy,
    Restriction,
    Verdict,
)
from haechi.server.cases.ruling import Said, said_in
from haechi.server.matching.models import Check, Hosted
from haechi.server.notices.models import Notice
from haechi.server.reports.models import Report
from haechi.server.transparency.models import Statement

# Said in fixed words: what a reviewer typed may name a person, a statement must not.
FACTS = (
    "It was reported that this content depicts a person in an intimate way without consent. "
    "A reviewer compared the content with the report by its fingerprint and confirmed it."
)
# Art. 17(3)(c): said in every statement, also where it is a no.
EXAMINED = "The reviewer also relied on an automated examination of how the file was made."
NOT_EXAMINED = "No automated examination of how the file was made was relied on."
VISIBILITY = {
    "": "DECISION_VISIBILITY_CONTENT_REMOVED",
    Restriction.DISABLED: "DECISION_VISIBILITY_CONTENT_DISABLED",
    Restriction.AGE: "DECISION_VISIBILITY_CONTENT_AGE_RESTRICTED",
    Restriction.LABELLED: "DECISION_VISIBILITY_CONTENT_LABELLED",
}


def state_reasons(action: Action, *, now: datetime, by_machine: bool = False) -> Statement:
    """Write the statement of reasons for one removal, inside the caller's transaction.

    by_machine   no person saw this copy: it matched a picture that a person had confirmed
    """
    decision = action.decision
    made = Statement.objects.create(
        action=action,
        made_at=now,
        document=document(
            decision.policy,
            said_in(decision),
            restriction=decision.restriction,
            puid=f"haechi-{action.appeal_token}",
            hosted=action.hosted,
            cites=bool(decision.cited_sealed),
            named=not _found_by_machine(action),
            by_machine=by_machine,
            now=now,
        ),
    )
    audit.record("statement:made", subject=made, actor=decision.actor.name_in_log, at=now)
    return made


def document(
    policy: Policy,
    said: Said,
    *,
    restriction: str,
    puid: str,
    hosted: Hosted | None,
    named: bool,
    cites: bool,
    by_machine: bool,
    now: datetime,
) -> dict[str, Any]:
    """The statement as the EU's database takes it; also shown before anything is decided.

    hosted   None before it is known what is removed
    cites    the decision rests on an automated examination of the file: that is told as automated
             detection, and the decision, which a person made with its help, as partially automated

    Raises StatementRefused, which names the field.
    """
    how = "FULLY" if by_machine else "PARTIALLY" if cites else "NOT_AUTOMATED"
    try:
        return statement.dsa(
            puid=puid,
            facts=f"{said.facts or FACTS} {EXAMINED if cites else NOT_EXAMINED}",
            ground=policy.legal_ground,
            explanation=said.explanation or policy.explanation,
            content_type=[_content_type(hosted)],
            minor=policy.minor,
            content_date=(hosted.registered_at if hosted else now).date(),
            application_date=now.date(),
            automated_detection=cites or not named,
            automated_decision=f"AUTOMATED_DECISION_{how}",
            synthetic=policy.synthetic,
            illegal=policy.illegal,
            visibility=VISIBILITY[restriction],
        )
    except InvalidDocument as refused:
        field, _space, why = str(refused).partition(" ")
        raise StatementRefused(field, why) from refused


def _content_type(hosted: Hosted | None) -> str:
    return f"CONTENT_TYPE_{'VIDEO' if hosted and bytes(hosted.frames) else 'IMAGE'}"


def _found_by_machine(action: Action) -> bool:
    """True where nobody had named the place: then the fingerprint found it."""
    named = action.decision.case.report.locations.filter(digest=action.hosted.url_digest)
    return not named.exists()


@dataclass(frozen=True)
class Counts:
    """The public numbers, over all time. Times in seconds, or None where there is nothing yet."""

    reports: int
    reports_minor: int
    removals_decided: int
    restrictions_decided: int
    refusals_decided: int
    refusals_not_our_remit: int
    cases_referred: int
    reporters_asked_for_more: int
    open_cases: int
    pieces_removed: int
    notices_sent: int
    uploads_checked: int
    uploads_refused: int
    clocks_started: int
    clocks_missed: int
    median_time_to_removal_s: int | None
    log_entries: int
    as_of: str

    def as_dict(self) -> dict[str, int | str | None]:
        """For JSON."""
        return asdict(self)


def count(*, now: datetime) -> Counts:
    """Recompute every number from the rows; nothing is kept in a counter that could drift."""
    decisions = Decision.objects.all()
    done = (
        Action.objects.filter(kind=ActionKind.REMOVE)
        .exclude(done_at=None)
        .select_related("decision__case__report")
    )
    times = [
        (action.done_at - action.decision.case.report.received_at).total_seconds()
        for action in done
        if action.done_at is not None
    ]
    return Counts(
        reports=Report.objects.count(),
        reports_minor=Report.objects.filter(age="under_18").count(),
        removals_decided=decisions.filter(verdict=Verdict.REMOVE).count(),
        restrictions_decided=decisions.filter(verdict=Verdict.RESTRICT).count(),
        refusals_decided=decisions.filter(verdict__in=REFUSALS).count(),
        refusals_not_our_remit=decisions.filter(verdict=Verdict.NOT_OURS).count(),
        cases_referred=Pause.objects.exclude(waits_for=For.REPORTER).count(),
        reporters_asked_for_more=Pause.objects.filter(waits_for=For.REPORTER).count(),
        open_cases=Case.objects.filter(state__in=UNDECIDED).count(),
        pieces_removed=len(times),
        notices_sent=Notice.objects.exclude(sent_at=None).count(),
        uploads_checked=Check.objects.count(),
        uploads_refused=Check.objects.filter(outcome="block").count(),
        clocks_started=Clock.objects.count(),
        clocks_missed=Clock.objects.exclude(missed_at=None).count(),
        median_time_to_removal_s=round(median(times)) if times else None,
        log_entries=Entry.objects.count(),
        as_of=now.isoformat(timespec="seconds"),
    )
