"""Find what can be appealed, take an appeal in, answer it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from haechi import seal
from haechi.errors import (
    AppealUnknown,
    CaseClosed,
    NotAllowed,
    NothingToAppeal,
    ReasonRequired,
)
from haechi.server.appeals.models import Appeal, Outcome
from haechi.server.audit import services as audit
from haechi.server.cases import claims
from haechi.server.cases import services as cases
from haechi.server.cases.models import (
    OBJECTIONABLE,
    UNDECIDED,
    Action,
    ActionKind,
    Case,
    Clock,
    Decision,
)
from haechi.server.matching import banks
from haechi.server.matching import services as matching
from haechi.server.matching.models import Check, Member
from haechi.server.reports import vault
from haechi.server.reports.models import Report
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User

LONGEST_TEXT = 5_000


@dataclass(frozen=True)
class Appealable:
    """What an appeal is against: exactly one of the four.

    refused, removed  what a poster's appeal address names
    kept, silent      what a reporter objects to: a decision not to remove, a clock that ran out
    """

    refused: Check | None = None
    removed: Action | None = None
    kept: Decision | None = None
    silent: Clock | None = None

    @property
    def appeal(self) -> Appeal | None:
        """The appeal that was made already, or None."""
        return Appeal.objects.filter(**self.columns).first()

    @property
    def case(self) -> Case | None:
        """The case of a reporter's appeal."""
        if self.kept is not None:
            return self.kept.case
        return self.silent.case if self.silent is not None else None

    @property
    def columns(self) -> dict[str, Model | None]:
        """The four as columns of an Appeal."""
        return {
            "check_refused": self.refused,
            "action": self.removed,
            "kept": self.kept,
            "silent": self.silent,
        }


def find(token: str) -> Appealable:
    """What `token` names. Raises AppealUnknown."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{10,40}", token):
        raise AppealUnknown
    refused = Check.objects.filter(appeal_token=token).first()
    taken_away = Action.objects.exclude(kind=ActionKind.RESTORE)
    removed = taken_away.filter(appeal_token=token).first()
    if refused is None and removed is None:
        raise AppealUnknown
    return Appealable(refused, removed)


def of_report(report: Report, *, now: datetime) -> Appealable:
    """What its reporter may object to now: a refusal, or the newest deadline that was missed.

    Raises NothingToAppeal.
    """
    if Report.objects.filter(pk=report.pk, state=ReportState.WITHDRAWN).exists():
        raise NothingToAppeal
    standing = Decision.objects.standing().filter(case__report=report)
    kept = standing.filter(verdict__in=OBJECTIONABLE).first()
    if kept is not None:
        return Appealable(kept=kept)
    open_clocks = Clock.objects.filter(
        case__report=report, case__state__in=UNDECIDED, stopped_at=None
    )
    silent = open_clocks.filter(due_at__lt=now).order_by("-due_at").first()
    if silent is None:
        raise NothingToAppeal
    return Appealable(silent=silent)


def by_reporter(report: Report) -> QuerySet[Appeal]:
    """Every appeal its reporter made, oldest first."""
    return Appeal.objects.filter(Q(kept__case__report=report) | Q(silent__case__report=report))


@transaction.atomic
def receive(subject: Appealable, text: str, *, now: datetime) -> Appeal:
    """Take an appeal in, sealed; a second one against the same thing is the first.

    A poster's is sealed to the vault, a reporter's to her report, so that she can read it again.
    """
    case = subject.case
    recipients = (case.report.recipient,) if case else settings.HAECHI.vault_recipients
    appeal, new = Appeal.objects.get_or_create(
        **subject.columns,
        defaults={
            "sealed": seal.seal(text[:LONGEST_TEXT].encode(), *recipients),
            "sealed_to": "" if case else vault.recipients_mark(),
            "received_at": now,
        },
    )
    if new:
        who = "reporter" if case else "poster"
        audit.record("appeal:received", subject=appeal, actor=who, at=now)
    return appeal


def stale(recipients: Sequence[str]) -> QuerySet[Appeal]:
    """Posters' appeals that are not known to be sealed to exactly these vault recipients."""
    of_posters = Appeal.objects.filter(kept=None, silent=None)
    return of_posters.exclude(sealed_to=vault.recipients_mark(tuple(recipients)))


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
    """True while an appeal about this report waits for its answer, whoever made it."""
    removal = Q(action__decision__case__report=report)
    hers = Q(kept__case__report=report) | Q(silent__case__report=report)
    return Appeal.objects.filter(removal | hers, outcome=Outcome.WAITING).exists()


def withdraw(report: Report, *, now: datetime) -> None:
    """The report was taken back: what its reporter objected to waits for nobody any more."""
    by_reporter(report).filter(outcome=Outcome.WAITING).update(
        outcome=Outcome.UPHELD, answered_at=now
    )


def forget(report: Report) -> None:
    """The report is erased: empty what its reporter wrote in appeals, and what was answered.

    That there was one, and how it ended, stays. Runs inside the caller's transaction.
    """
    by_reporter(report).filter(outcome=Outcome.WAITING).update(outcome=Outcome.UPHELD)
    by_reporter(report).update(sealed=b"", answer_sealed=None)


def text_of(appeal: Appeal, identity: str | None = None) -> str:
    """What was written; a reporter's is opened with `identity` or, at the desk, with the vault's.

    Raises KeyMissing in a process that has neither.
    """
    case = appeal.case
    if case is None:
        return vault.open_for_staff(bytes(appeal.sealed)).decode()
    opened = identity or vault.identity_of(case.report)
    return seal.open_sealed(bytes(appeal.sealed), opened).decode()


def answer_of(appeal: Appeal, identity: str | None = None) -> str:
    """What was answered, or ""; opened as `text_of` does."""
    case = appeal.case
    if case is None or appeal.answer_sealed is None:
        return appeal.answer
    opened = identity or vault.identity_of(case.report)
    return seal.open_sealed(bytes(appeal.answer_sealed), opened).decode()


@transaction.atomic
def answer(appeal: Appeal, *, grant: bool, reason: str, actor: User, now: datetime) -> None:
    """Answer an appeal once.

    Granting a poster's withdraws the bank members behind it, so they match no more. Granting a
    reporter's reopens the case, for another person than who refused or let the time run out.
    Raises ReasonRequired, NotAllowed (whoever decided about the picture does not judge the
    appeal), or CaseClosed (somebody answered first).
    """
    if not reason.strip():
        raise ReasonRequired
    if concerns(appeal, actor):
        raise NotAllowed("an appeal is judged by another person than who decided")
    outcome = Outcome.GRANTED if grant else Outcome.UPHELD
    won = Appeal.objects.filter(pk=appeal.pk, outcome=Outcome.WAITING).update(
        outcome=outcome,
        answered_at=now,
        answered_by=actor,
        **_sealed_answer(appeal, reason.strip()),
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
    if grant and appeal.kept is not None:
        cases.reopen(appeal.kept, actor=actor, now=now)
    if grant and appeal.silent is not None:
        claims.free(appeal.silent.case)
    if grant:
        for member in members_behind(appeal):
            banks.withdraw(member, actor=actor.name_in_log, now=now, note="an appeal was granted")


def _sealed_answer(appeal: Appeal, text: str) -> dict[str, str | bytes]:
    case = appeal.case
    if case is None:
        return {"answer": text}
    return {"answer_sealed": seal.seal(text.encode(), case.report.recipient)}


def concerns(appeal: Appeal, actor: User) -> bool:
    """True where the appeal is about what `actor` did, or is letting wait."""
    if appeal.silent is not None and appeal.silent.case.claimed_by_id == actor.pk:
        return True
    mine = Q(actor=actor) | Q(review__opinions__user=actor)
    return decisions_about(appeal).filter(mine).exists()


def decision_of(appeal: Appeal) -> Decision | None:
    """The decision that led to what is appealed, or None where a foreign member matched."""
    if appeal.action is not None:
        return appeal.action.decision
    if appeal.case is not None:
        return appeal.kept
    member = next(iter(members_behind(appeal)), None)
    return decision_on(member) if member else None


def decision_on(member: Member) -> Decision | None:
    """The decision that brought a member into our bank, or None for a foreign one."""
    if member.exhibit is not None:
        return Decision.objects.filter(case__report__exhibits=member.exhibit).first()
    ours = member.source == matching.OWN_SOURCE and member.case_number is not None
    return Decision.objects.filter(case=member.case_number).first() if ours else None


def decisions_about(appeal: Appeal) -> QuerySet[Decision]:
    """Every decision in whose report the same picture was an exhibit, whatever it concluded."""
    members = members_behind(appeal)
    pictures = {bytes(member.sha256) for member in members if member.sha256 is not None}
    about = Q(pk=None)
    if appeal.action is not None:
        pictures.add(bytes(appeal.action.hosted.sha256))
        about = Q(pk=appeal.action.decision_id) | Q(actions__hosted=appeal.action.hosted_id)
    if appeal.case is not None:
        about = Q(case=appeal.case)
        pictures = {
            bytes(digest) for digest in appeal.case.report.exhibits.values_list("sha256", flat=True)
        }
    about |= Q(case__report__exhibits__sha256__in=pictures)
    about |= Q(pk__in=[made.pk for member in members if (made := decision_on(member)) is not None])
    return Decision.objects.filter(about).distinct()


def members_behind(appeal: Appeal) -> list[Member]:
    """The bank members that a granted appeal withdraws."""
    if appeal.check_refused is not None:
        member = appeal.check_refused.member
        return [member] if member else []
    case = appeal.action.decision.case if appeal.action else None
    return list(matching.members_of(case.report, case.pk)) if case else []
