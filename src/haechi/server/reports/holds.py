"""Legal holds: what an authority wants kept is not erased, whoever asks (B32).

Why, and on what authority, is sealed to the report: it may name a person or a proceeding.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from haechi import seal
from haechi.errors import LegalHold, ReportErased
from haechi.server.audit import services as audit
from haechi.server.reports import vault
from haechi.server.reports.models import Hold, Report, State


@dataclass(frozen=True)
class Grounds:
    """What is sealed with a hold.

    authority   who asked, and the number of the proceeding
    """

    why: str
    authority: str
    release: str = ""


@transaction.atomic
def place(
    report: Report, grounds: Grounds, *, until: datetime | None, actor: str, now: datetime
) -> Hold:
    """Keep the report until `until`, or until the hold is released. Raises ReportErased."""
    locked = lock(report)
    hold = Hold.objects.create(
        report=locked,
        placed_by=actor,
        sealed=_sealed(locked, grounds),
        since=now,
        until=until,
    )
    audit.record(
        "hold:placed",
        subject=report,
        actor=actor,
        at=now,
        detail={"hold": hold.pk, "until": until.isoformat() if until else None},
    )
    return hold


@transaction.atomic
def release(hold: Hold, *, why: str, actor: str, now: datetime) -> bool:
    """End a hold before its time. False where it had ended. Raises KeyMissing without the vault."""
    grounds = grounds_of(hold)
    sealed = _sealed(hold.report, Grounds(grounds.why, grounds.authority, why))
    won = Hold.objects.filter(_in_force(now), pk=hold.pk).update(
        released_at=now, released_by=actor, sealed=sealed
    )
    if won:
        audit.record(
            "hold:released", subject=hold.report, actor=actor, at=now, detail={"hold": hold.pk}
        )
    return bool(won)


def grounds_of(hold: Hold) -> Grounds:
    """Why the report is kept, opened with the vault's identity. Raises KeyMissing, CannotOpen."""
    return Grounds(
        **json.loads(seal.open_sealed(bytes(hold.sealed), vault.identity_of(hold.report)))
    )


def in_force(report: Report, now: datetime) -> QuerySet[Hold]:
    """The holds that keep this report now."""
    return Hold.objects.filter(_in_force(now), report=report)


def check(report: Report, now: datetime) -> None:
    """Raises LegalHold, with the end of the last one, while a hold is in force."""
    ends = list(in_force(report, now).values_list("until", flat=True))
    if ends:
        known = [end for end in ends if end is not None]
        raise LegalHold(max(known) if len(known) == len(ends) else None)


def lock(report: Report) -> Report:
    """The report, which nobody erases or holds until the caller's transaction ends.

    Raises ReportErased where somebody erased it before.
    """
    found = Report.objects.select_for_update().filter(pk=report.pk).first()
    if found is None or found.state == State.ERASED:
        raise ReportErased(report.short)
    return found


def take_first(report_id: UUID) -> None:
    """Take the report's row, inside the caller's transaction, before its case and before the log.

    Every path takes them in this order; in two orders two of them would wait for each other.
    """
    list(Report.objects.select_for_update().filter(pk=report_id).values_list("pk"))


def _in_force(now: datetime) -> Q:
    return Q(released_at=None) & (Q(until=None) | Q(until__gt=now))


def _sealed(report: Report, grounds: Grounds) -> bytes:
    return seal.seal(json.dumps(asdict(grounds)).encode(), report.recipient)
