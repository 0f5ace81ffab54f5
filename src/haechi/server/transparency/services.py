"""Give reasons, and count."""

from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median

from haechi.formats import statement
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Action, Case, Clock, Decision, Ground, Verdict
from haechi.server.matching.models import Check
from haechi.server.notices.models import Notice
from haechi.server.notices.models import State as NoticeState
from haechi.server.reports.models import Report
from haechi.server.transparency.models import Statement

# Said in fixed words: what a reviewer typed may name a person, a statement must not.
FACTS = (
    "It was reported that this content depicts a person in an intimate way without consent. "
    "A reviewer compared the content with the report by its fingerprint and confirmed it."
)
LEGAL_GROUNDS = {
    Ground.DEEPFAKE: "Non-consensual intimate depiction made or altered by a machine",
    Ground.INTIMATE: "Non-consensual sharing of an intimate picture",
    Ground.MINOR: "Sexual depiction of a person under 18",
}
EXPLANATION = (
    "Making such content available without the consent of the person depicted is unlawful, "
    "whether it was recorded or generated."
)


def state_reasons(action: Action, *, now: datetime, by_machine: bool = False) -> Statement:
    """Write the statement of reasons for one removal, inside the caller's transaction.

    by_machine   no person saw this copy: it matched a picture that a person had confirmed
    """
    decision = action.decision
    made = Statement.objects.create(
        action=action,
        made_at=now,
        document=statement.dsa(
            puid=f"haechi-{action.appeal_token}",
            facts=FACTS,
            ground=LEGAL_GROUNDS[Ground(decision.ground)],
            explanation=EXPLANATION,
            content_type=[_content_type(action)],
            minor=decision.ground == Ground.MINOR,
            content_date=action.hosted.registered_at.date(),
            application_date=now.date(),
            automated_detection=_found_by_machine(action),
            automated_decision=f"AUTOMATED_DECISION_{'FULLY' if by_machine else 'NOT_AUTOMATED'}",
            synthetic=decision.ground == Ground.DEEPFAKE,
        ),
    )
    audit.record("statement:made", subject=made, actor=decision.actor.name_in_log, at=now)
    return made


def _content_type(action: Action) -> str:
    return f"CONTENT_TYPE_{'VIDEO' if bytes(action.hosted.frames) else 'IMAGE'}"


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
    refusals_decided: int
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
    done = Action.objects.exclude(done_at=None).select_related("decision__case__report")
    times = [
        (action.done_at - action.decision.case.report.received_at).total_seconds()
        for action in done
        if action.done_at is not None
    ]
    return Counts(
        reports=Report.objects.count(),
        reports_minor=Report.objects.filter(age="under_18").count(),
        removals_decided=decisions.filter(verdict=Verdict.REMOVE).count(),
        refusals_decided=decisions.filter(verdict=Verdict.KEEP).count(),
        open_cases=Case.objects.queue().count(),
        pieces_removed=len(times),
        notices_sent=Notice.objects.filter(state=NoticeState.SENT).count(),
        uploads_checked=Check.objects.count(),
        uploads_refused=Check.objects.filter(outcome="block").count(),
        clocks_started=Clock.objects.count(),
        clocks_missed=Clock.objects.exclude(missed_at=None).count(),
        median_time_to_removal_s=round(median(times)) if times else None,
        log_entries=Entry.objects.count(),
        as_of=now.isoformat(timespec="seconds"),
    )
