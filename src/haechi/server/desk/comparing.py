"""Which pictures of a case can be laid side by side, and whether somebody may (B17)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from haechi.fingerprint import joined
from haechi.server.cases import grants
from haechi.server.cases.models import Case, Scope
from haechi.server.evidence.models import Exhibit, Fingerprint
from haechi.server.matching.models import Member
from haechi.server.staff.models import User

AT_MOST = 6


@dataclass(frozen=True)
class Pair:
    """Two pictures.

    case_id   of the other picture
    elsewhere True where that is another case
    may_open  False where the other case is not open to whoever asks
    """

    exhibit: Exhibit
    other: Exhibit
    case_id: int
    elsewhere: bool
    may_open: bool


def pairs(case: Case, user: User, *, now: datetime) -> list[Pair]:
    """With known pictures whose file is here first, then among the case's own; a few of each."""
    prints = list(
        Fingerprint.objects.filter(exhibit__report=case.report_id)
        .select_related("exhibit")
        .order_by("exhibit__number")
    )
    found = list(_known(case, prints, user, now=now))
    own = [
        Pair(one.exhibit, other.exhibit, case.pk, elsewhere=False, may_open=True)
        for one, other in combinations(prints, 2)
    ]
    return found[:AT_MOST] + own[:AT_MOST]


def _known(case: Case, prints: list[Fingerprint], user: User, *, now: datetime) -> Iterator[Pair]:
    members = Member.objects.filter(hit__report=case.report_id, exhibit__report__case__isnull=False)
    others = members.exclude(exhibit__report=case.report_id).distinct().order_by("pk")
    for member in others.select_related("exhibit__report__case")[:AT_MOST] if prints else ():
        if member.exhibit is not None:
            theirs = member.exhibit.report.case
            nearest = min(prints, key=lambda one: _distance(one, member))
            may_open = grants.holds(theirs, user, Scope.CONTENT, now=now)
            yield Pair(nearest.exhibit, member.exhibit, theirs.pk, True, may_open)  # noqa: FBT003


def _distance(own: Fingerprint, member: Member) -> int:
    """Bits that differ in the best of eight turns; 256 where that says nothing."""
    if member.pdq is None:
        return 256
    known = int.from_bytes(member.pdq)
    turns = joined.hashes(bytes(own.turns))
    return min(((int.from_bytes(turn) ^ known).bit_count() for turn in turns), default=256)
