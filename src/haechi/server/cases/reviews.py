"""Second looks: nothing is refused by one person alone, and some removals are looked at again.

Blind: who gives the second opinion is told neither the first nor by whom. Where the two differ, a third
person, who knows both, decides.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from haechi import seal
from haechi.errors import AlreadyLooked, CaseClosed, NotAllowed, ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases import entitled
from haechi.server.cases.models import (
    Aside,
    Case,
    Decision,
    Occasion,
    Opinion,
    Review,
    Sampling,
    State,
    Verdict,
)
from haechi.server.cases.ruling import Ruling
from haechi.server.reports import vault
from haechi.server.staff.models import Role, User

FIRST, SECOND, THIRD = 1, 2, 3
# Until an administrator says otherwise, of a hundred decisions.
USUAL_PERCENT: Final = 10
# What a second person may conclude: the case cannot be sent away again.
CONCLUSIONS: Final = (Verdict.REMOVE, Verdict.RESTRICT, Verdict.KEEP, Verdict.NOT_OURS)


def place_of(case: Case) -> int:
    """Which opinion is wanted next: 1, 2 or 3."""
    review = pending(case)
    return review.opinions.count() + 1 if review else FIRST


def pending(case: Case) -> Review | None:
    """The refusal that waits for another opinion, or None."""
    return case.reviews.unsettled().filter(occasion=Occasion.REFUSAL).first()


def heard(case: Case, user: User) -> bool:
    """True where `user` has given an opinion and somebody else's is wanted."""
    review = pending(case)
    return review is not None and review.opinions.filter(user=user).exists()


def give(case: Case, ruling: Ruling, *, place: int, actor: User, now: datetime) -> Opinion:
    """Write an opinion down, inside the caller's transaction.

    place   the one the page was for: who wrote a second opinion has not heard two, and does not
            become the third. Raises what `cases.deciding.decide` raises, and AlreadyLooked.
    """
    ruling.check(case)
    entitled.may_decide(case, actor)
    if ruling.verdict not in CONCLUSIONS:
        raise NotAllowed("a second look ends with a decision")
    if heard(case, actor):
        raise AlreadyLooked(case.pk)
    before = State.OPEN if place == FIRST else State.SECOND
    # The row is locked from here on: of two people at once, one goes on (B19).
    won = Case.objects.free_for(actor, now).filter(pk=case.pk, state=before)
    if not won.update(state=State.SECOND, claimed_by=None, claimed_until=None):
        raise entitled.lost(case, before)
    if place_of(case) != place:
        raise CaseClosed(case.pk)
    review = pending(case) or Review.objects.create(
        case=case, occasion=Occasion.REFUSAL, asked_at=now
    )
    return _write(review, ruling, place=place, actor=actor, now=now)


def decides(opinion: Opinion, ruling: Ruling) -> bool:
    """True where nobody else has to be heard."""
    if opinion.place == SECOND:
        first = opinion.review.opinions.get(place=FIRST)
        return ruling.agrees_with(first.verdict, first.ground)
    return opinion.place == THIRD


def settle(review: Review, decision: Decision, *, now: datetime) -> None:
    """It led to a decision; who concluded what is in the log from now on."""
    Review.objects.filter(pk=review.pk).update(decision=decision, settled_at=now)
    said = [f"{each.user.name_in_log} {each.verdict}" for each in review.opinions.all()]
    audit.record(
        "review:settled",
        subject=review,
        actor=decision.actor.name_in_log,
        at=now,
        detail={"opinions": said},
    )


def draw(decision: Decision, *, now: datetime) -> Review | None:
    """By lot, a second person looks at what was decided; it changes nothing.

    Never a child's: nobody sees such a picture without need. The lot hangs on the report's random
    number and a key, so that nobody can choose or foresee it.
    """
    case = decision.case
    if case.report.maybe_minor or _lot(case) >= percent(now):
        return None
    review = Review.objects.create(
        case=case, occasion=Occasion.SAMPLE, decision=decision, asked_at=now
    )
    Opinion.objects.create(
        review=review,
        place=FIRST,
        user=decision.actor,
        verdict=decision.verdict,
        ground=decision.ground,
        given_at=now,
    )
    audit.record("review:drawn", subject=review, actor="worker", at=now)
    return review


def drawn_for(user: User) -> QuerySet[Review]:
    """Samples that `user` may still look at blind, oldest first."""
    drawn = Review.objects.unsettled().filter(occasion=Occasion.SAMPLE)
    mine = drawn.exclude(opinions__user=user).exclude(asides__user=user)
    return mine.select_related("case__report").order_by("asked_at")


@transaction.atomic
def look_again(review: Review, ruling: Ruling, *, actor: User, now: datetime) -> Opinion:
    """The second opinion on a sample. Raises AlreadyLooked, CaseClosed, ReasonRequired."""
    ruling.check(review.case)
    if ruling.verdict not in CONCLUSIONS:
        raise NotAllowed("a second look ends with a conclusion")
    if not drawn_for(actor).filter(pk=review.pk).exists():
        raise AlreadyLooked(review.case_id)
    won = Review.objects.unsettled().filter(pk=review.pk, occasion=Occasion.SAMPLE)
    if not won.update(settled_at=now):
        raise CaseClosed(review.case_id)
    return _write(review, ruling, place=SECOND, actor=actor, now=now)


def stand_aside(case: Case, user: User, *, now: datetime) -> None:
    """`user` sees what was decided, so a sample of this case is for somebody else."""
    for review in case.reviews.unsettled().filter(occasion=Occasion.SAMPLE):
        if not review.opinions.filter(user=user).exists():
            Aside.objects.get_or_create(review=review, user=user, defaults={"at": now})


def percent(now: datetime) -> int:
    """How many of a hundred are drawn."""
    row = Sampling.objects.filter(from_at__lte=now).first()
    return row.percent if row else USUAL_PERCENT


@transaction.atomic
def set_percent(number: int, *, reason: str, actor: User, now: datetime) -> Sampling:
    """An administrator says how many. Raises NotAllowed, ReasonRequired."""
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed("how many are drawn is the administrators' to say")
    if not reason.strip():
        raise ReasonRequired
    row = Sampling.objects.create(
        percent=number, from_at=now, changed_by=actor, reason=reason.strip()
    )
    detail = {"percent": number}
    audit.record("sampling:changed", subject=row, actor=actor.name_in_log, at=now, detail=detail)
    return row


def enough_people(case: Case, *, besides: User) -> bool:
    """True where anybody else works here who may give the next opinion."""
    others = User.objects.filter(role=Role.REVIEWER, is_active=True).exclude(pk=besides.pk)
    review = pending(case)
    earlier = case.decisions.exclude(overturned_at=None)
    gave = Opinion.objects.filter(Q(review=review) | Q(review__decision__in=earlier))
    free = others.exclude(pk__in=gave.values("user"))
    return free.exclude(pk__in=earlier.values("actor")).exists()


def reason_of(opinion: Opinion) -> str:
    """Why, in that person's words. Raises KeyMissing in a process without the vault."""
    if not opinion.reason_sealed:
        return ""
    identity = vault.identity_of(opinion.review.case.report)
    return seal.open_sealed(bytes(opinion.reason_sealed), identity).decode()


def hidden_among(subjects: Sequence[str]) -> set[str]:
    """Those among names in the log that nobody reads there yet: another opinion is wanted."""
    kind = "cases.review:"
    keys = [int(name.removeprefix(kind)) for name in subjects if name.startswith(kind)]
    waiting = Review.objects.unsettled().filter(pk__in=keys) if keys else Review.objects.none()
    return {f"{kind}{number}" for number in waiting.values_list("pk", flat=True)}


def end(case: Case, *, now: datetime) -> None:
    """The case ended without a decision, inside the caller's transaction."""
    case.reviews.unsettled().update(settled_at=now)


def forget(case: Case, *, now: datetime) -> None:
    """The report is erased: what was concluded stays, what was written goes."""
    end(case, now=now)
    Opinion.objects.filter(review__case=case).update(reason_sealed=b"")


def _write(review: Review, ruling: Ruling, *, place: int, actor: User, now: datetime) -> Opinion:
    opinion = Opinion.objects.create(
        review=review,
        place=place,
        user=actor,
        verdict=ruling.verdict,
        ground=ruling.ground,
        reason_sealed=seal.seal(ruling.reason.strip().encode(), review.case.report.recipient),
        given_at=now,
    )
    # Neither verdict nor ground: the log is read by who is still to look.
    audit.record("review:opinion", subject=review, actor=actor.name_in_log, at=now)
    return opinion


def _lot(case: Case) -> float:
    """A number from 0 to 100 that hangs on the report alone."""
    text = b"second look\0" + case.report_id.bytes
    digest = hmac.digest(settings.HAECHI.digest_key, text, hashlib.sha256)
    return int.from_bytes(digest[:8]) * 100 / 2**64
