"""What the page about keeping and erasing one report shows."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from haechi.errors import HaechiError
from haechi.server.audit import services as audit
from haechi.server.cases import erasures, grants
from haechi.server.cases.models import Case, ErasureRequest, Scope
from haechi.server.desk.keeping_forms import ErasureForm, HoldForm, ReleaseForm
from haechi.server.desk.vocabulary import who
from haechi.server.reports import holds, retention
from haechi.server.reports.holds import Grounds
from haechi.server.reports.models import Hold, Report, Tombstone
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import Role, User
from haechi.server.words import words_for


@dataclass(frozen=True)
class Kept:
    """One hold. `grounds` is None where they are not open to whoever reads."""

    hold: Hold
    by: str
    ended_by: str
    grounds: Grounds | None


@dataclass(frozen=True)
class Wanted:
    """The request that waits, with its note or "" where that is not for whoever reads."""

    request: ErasureRequest
    note: str
    mine: bool
    may_agree: bool


def context(
    case: Case,
    user: User,
    *,
    now: datetime,
    hold_form: HoldForm | None = None,
    erasure_form: ErasureForm | None = None,
    release_form: ReleaseForm | None = None,
    error: HaechiError | None = None,
) -> dict[str, object]:
    """Holds, the time it is kept, and an erasure that waits. What is opened is logged first."""
    report = case.report
    rows = [_kept(case, hold, user, now=now) for hold in report.holds.all()]
    running = set(holds.in_force(report, now).values_list("pk", flat=True))
    waiting = case.erasure_requests.waiting().select_related("asked_by").first()
    return {
        "case": case,
        "now": now,
        "in_force": [row for row in rows if row.hold.pk in running],
        "ended": [row for row in rows if row.hold.pk not in running],
        "kept_until": kept_until(report),
        "erased": Tombstone.objects.filter(report=report.pk).first(),
        "wanted": _wanted(waiting, user, now=now) if waiting else None,
        "files": report.exhibits.count(),
        "places": report.locations.count(),
        "messages_number": report.messages.count(),
        "notes_number": case.notes.count(),
        "hold_form": hold_form or HoldForm(auto_id="hold_%s"),
        "erasure_form": erasure_form or ErasureForm(auto_id="erasure_%s"),
        "release_form": release_form or ReleaseForm(auto_id="release_%s"),
        "problem": error.code if error else "",
        "problem_words": words_for(error.code) if error else "",
    }


def kept_until(report: Report) -> datetime | None:
    """When time erases the report, or None where it does not."""
    days = {period.state: period.days for period in retention.periods()}.get(report.state)
    if days is None or report.settled_at is None or report.state == ReportState.ERASED:
        return None
    return report.settled_at + timedelta(days=days)


def _kept(case: Case, hold: Hold, user: User, *, now: datetime) -> Kept:
    grounds = None
    if case.report.state != ReportState.ERASED and grants.holds(case, user, Scope.CONTENT, now=now):
        with transaction.atomic():
            audit.record(
                "hold:read",
                subject=case.report,
                actor=user.name_in_log,
                at=now,
                detail={"hold": hold.pk},
            )
        grounds = holds.grounds_of(hold)
    ended_by = who(hold.released_by) if hold.released_by else ""
    return Kept(hold, who(hold.placed_by), ended_by, grounds)


def _wanted(request: ErasureRequest, user: User, *, now: datetime) -> Wanted:
    """Administrators read no content (B11): a reviewer agrees."""
    mine = request.asked_by_id == user.pk
    may_agree = user.role == Role.REVIEWER and not mine
    note = erasures.read_note(request, actor=user, now=now) if may_agree else ""
    return Wanted(request, note, mine, may_agree)
