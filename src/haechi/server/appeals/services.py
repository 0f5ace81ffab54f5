"""Find what can be appealed, take an appeal in, answer it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from haechi import seal
from haechi.errors import AppealUnknown, CaseClosed, NotAllowed, ReasonRequired
from haechi.server.appeals.models import Appeal, Outcome
from haechi.server.audit import services as audit
from haechi.server.cases.models import Action, Decision
from haechi.server.matching import services as matching
from haechi.server.matching.models import Check, Member
from haechi.server.reports import vault
from haechi.server.reports.models import Report
from haechi.server.staff.models import User

LONGEST_TEXT = 5_000


@dataclass(frozen=True)
class Appealable:
    """What an appeal address names: exactly one of the two."""

    refused: Check | None
    removed: Action | None

    @property
    def appeal(self) -> Appeal | None:
        """The appeal that was made already, or None."""
        return Appeal.objects.filter(check_refused=self.refused, action=self.removed).first()


def find(token: str) -> Appealable:
    """What `token` names. Raises AppealUnknown."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{10,40}", token):
        raise AppealUnknown
    refused = Check.objects.filter(appeal_token=token).first()
    removed = Action.objects.filter(appeal_token=token).first()
    if refused is None and removed is None:
        raise AppealUnknown
    return Appealable(refused, removed)


@transaction.atomic
def receive(subject: Appealable, text: str, *, now: datetime) -> Appeal:
    """Take an appeal in, sealed to the vault; a second one against the same thing is the first."""
    appeal, new = Appeal.objects.get_or_create(
        check_refused=subject.refused,
        action=subject.removed,
        defaults={
            "sealed": seal.seal(text[:LONGEST_TEXT].encode(), *settings.HAECHI.vault_recipients),
            "sealed_to": vault.recipients_mark(),
            "received_at": now,
        },
    )
    if new:
        audit.record("appeal:received", subject=appeal, actor="poster", at=now)
    return appeal


def stale(recipients: Sequence[str]) -> QuerySet[Appeal]:
    """Appeals that are not known to be sealed to exactly these vault recipients."""
    return Appeal.objects.exclude(sealed_to=vault.recipients_mark(tuple(recipients)))


def reseal_all(recipients: Sequence[str], *, now: datetime) -> Iterator[Appeal]:
    """Seal stale appeals anew, and yield each once that is committed; may be stopped anywhere."""
    for appeal in stale(recipients).order_by("pk"):
        with transaction.atomic():
            sealed = seal.seal(text_of(appeal).encode(), *recipients)
            mark = vault.recipients_mark(tuple(recipients))
            Appeal.objects.filter(pk=appeal.pk).update(sealed=sealed, sealed_to=mark)
            audit.record("appeal:resealed", subject=appeal, actor="operator", at=now)
        yield appeal


def waiting_about(report: Report) -> bool:
    """True while an appeal against a removal that this report caused waits for its answer."""
    return Appeal.objects.filter(
        action__decision__case__report=report, outcome=Outcome.WAITING
    ).exists()


def text_of(appeal: Appeal) -> str:
    """What was written. Raises KeyMissing in a process without the vault identity."""
    return vault.open_for_staff(bytes(appeal.sealed)).decode()


@transaction.atomic
def answer(appeal: Appeal, *, grant: bool, reason: str, actor: User, now: datetime) -> None:
    """Answer an appeal once. Granting withdraws the bank members behind it, so they match no more.

    Raises ReasonRequired, NotAllowed (whoever decided about the picture does not judge the
    appeal), or CaseClosed (somebody answered first).
    """
    if not reason.strip():
        raise ReasonRequired
    if decisions_about(appeal).filter(actor=actor).exists():
        raise NotAllowed("an appeal is judged by another person than who decided")
    outcome = Outcome.GRANTED if grant else Outcome.UPHELD
    won = Appeal.objects.filter(pk=appeal.pk, outcome=Outcome.WAITING).update(
        outcome=outcome, answer=reason.strip(), answered_at=now, answered_by=actor
    )
    if not won:
        raise CaseClosed("somebody answered this appeal first")
    audit.record(
        "appeal:answered",
        subject=appeal,
        actor=actor.name_in_log,
        at=now,
        detail={"outcome": outcome.value},
    )
    if grant:
        for member in members_behind(appeal):
            matching.withdraw_member(member, actor=actor.name_in_log, now=now)


def decision_of(appeal: Appeal) -> Decision | None:
    """The decision that led to what is appealed, or None where a foreign member matched."""
    if appeal.action is not None:
        return appeal.action.decision
    exhibit = next((member.exhibit for member in members_behind(appeal)), None)
    return Decision.objects.filter(case__report__exhibits=exhibit).first() if exhibit else None


def decisions_about(appeal: Appeal) -> QuerySet[Decision]:
    """Every decision in whose report the same picture was an exhibit, whatever it concluded."""
    members = members_behind(appeal)
    pictures = {bytes(member.sha256) for member in members if member.sha256 is not None}
    about = Q(pk=None)
    if appeal.action is not None:
        pictures.add(bytes(appeal.action.hosted.sha256))
        about = Q(pk=appeal.action.decision_id) | Q(actions__hosted=appeal.action.hosted_id)
    about |= Q(case__report__exhibits__sha256__in=pictures)
    return Decision.objects.filter(about).distinct()


def members_behind(appeal: Appeal) -> list[Member]:
    """The bank members that a granted appeal withdraws."""
    if appeal.check_refused is not None:
        member = appeal.check_refused.member
        return [member] if member else []
    report = appeal.action.decision.case.report if appeal.action else None
    return list(Member.objects.filter(exhibit__report=report)) if report else []
