"""What somebody asked never to see again is not there for them: on no route, in no list.

A route names what it is about by the names of its arguments. One that is about a case, whichever way,
has its argument here, so that `access` keeps it shut; tests/flow/test_aside.py goes through all routes.
"""

from collections.abc import Mapping

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models import Model as Row

from haechi.server.cases.models import Case, Recusal
from haechi.server.staff.models import User

# From a case to what an argument names.
BY_ARGUMENT: Mapping[str, tuple[str, ...]] = {
    "case_id": ("pk",),
    "exhibit_id": ("report__exhibits",),
    "grant_id": ("grants",),
    "member_id": ("report__exhibits__member",),
    "sighting_id": ("report__exhibits__member__sightings",),
    "notice_id": ("decisions__notices",),
    "action_id": ("decisions__actions",),
    "hold_id": ("report__holds",),
    "request_id": ("erasure_requests",),
    "package_id": ("packages",),
    "undoing_id": ("undoings",),
    "recheck_id": ("report__locations__rechecks",),
    "review_id": ("reviews",),
    "one": ("report__exhibits",),
    "other": ("report__exhibits",),
    # A notice that came in has the number of the report it becomes.
    "number": ("report",),
    "appeal_id": (
        "decisions__appeal",
        "clocks__appeal",
        "decisions__actions__appeal",
    ),
}


def hides(user: User, arguments: Mapping[str, object]) -> bool:
    """True where the route is about a case that `user` asked not to see."""
    asked = Q()
    for name, paths in BY_ARGUMENT.items():
        if name in arguments:
            for path in paths:
                asked |= Q(**{path: arguments[name]})
    return bool(asked) and Case.objects.filter(asked, recusals__user=user).exists()


def without[M: Row](rows: QuerySet[M], user: User, *cases: str) -> QuerySet[M]:
    """`rows` without those of cases that `user` asked not to see; `cases` lead from a row to its case."""
    for case in cases:
        rows = rows.exclude(Exists(Recusal.objects.filter(user=user, case=OuterRef(case))))
    return rows
