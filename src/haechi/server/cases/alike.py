"""Open cases that hold nothing but exact copies of what another case holds."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from haechi.server.cases.models import Case, CaseQuerySet, State
from haechi.server.evidence.models import Exhibit
from haechi.server.staff.models import User

AT_MOST = 100
"""Of one page, and of one press of its button: each is decided for itself."""


def waiting(case: Case, user: User, *, now: datetime) -> CaseQuerySet:
    """Cases that may be decided as `case` was, because everything in them is byte for byte in it.

    Each exhibit has the SHA-256 of one of this case's, seen to be true by whoever opened it, and no
    fingerprint was only told, of which nobody saw the picture. The age that was told is the same, and
    nobody else works on it or has given an opinion.
    """
    same = Exhibit.objects.filter(report=case.report, verified_at__isnull=False)
    theirs = Exhibit.objects.filter(report=OuterRef("report"))
    strange = theirs.exclude(verified_at__isnull=False, sha256__in=same.values("sha256"))
    found = Case.objects.queue().free_for(user, now).exclude(pk=case.pk)
    return found.filter(
        Exists(theirs),
        ~Exists(strange),
        state=State.OPEN,
        report__age=case.report.age,
        report__told=None,
    )
