"""The queue: where each case stands, which ones a filter asks for, and one page of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from django.db import connection, transaction
from django.db.models import Q

from haechi.server.cases import urgency
from haechi.server.cases.clocks import RUNNING
from haechi.server.cases.models import WAITING, Case, CaseQuerySet, Clock
from haechi.server.matching.models import BankPolicy, Hit
from haechi.server.staff.models import User

AT_ONCE = 500
_NEEDED = (
    "minor",
    "opened_at",
    "urgent_at",
    "facets",
    "report__age",
    "report__harms",
    "report__danger",
)
# Django's bulk_update() writes a CASE of as many branches as rows, which takes minutes for 100,000.
_MOVE = """
UPDATE cases_case SET urgent_at = moved.urgent_at, facets = string_to_array(moved.facets, ',')
FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS moved(id, urgent_at, facets)
WHERE cases_case.id = moved.id
"""
COUNTED_AT_MOST = 10_000


@dataclass(frozen=True)
class Asked:
    """Which cases somebody wants to see. "" asks for nothing.

    law       a rule whose clock runs
    harm      what happened (reports.Harm)
    age       "minor", "unsaid" or "adult"
    danger    "yes"
    state     "open" or "second"
    holder    "me", "nobody", "others", or "kept": given to me
    hits      "yes" or "no": something was found
    platform  number of a platform where something was found
    """

    law: str = ""
    harm: str = ""
    age: str = ""
    danger: str = ""
    state: str = ""
    holder: str = ""
    hits: str = ""
    platform: str = ""

    def facets(self) -> tuple[list[str], list[str]]:
        """Those a case must have, and those it must not have."""
        wants = {
            f"law:{self.law}": self.law,
            self.harm: self.harm,
            "minor": self.age == "minor",
            "age_unsaid": self.age == "unsaid",
            "danger": self.danger,
            "hits": self.hits == "yes",
            f"platform:{self.platform}": self.platform,
        }
        without = {"minor": self.age == "adult", "age_unsaid": self.age == "adult"}
        without["hits"] = self.hits == "no"
        return [key for key, on in wants.items() if on], [key for key, on in without.items() if on]


def waiting(asked: Asked, user: User, *, now: datetime) -> CaseQuerySet:
    """What waits and fits, in the order of the queue; never what `user` asked not to see."""
    has, lacks = asked.facets()
    found = Case.objects.queue().shown_to(user).wanted_from(user)
    if has:
        found = found.filter(facets__contains=has)
    if lacks:
        found = found.exclude(facets__overlap=lacks)
    if asked.state:
        found = found.filter(state=asked.state)
    held = Q(claimed_by__isnull=False, claimed_until__gte=now)
    if asked.holder == "me":
        return found.filter(held, claimed_by=user)
    if asked.holder == "others":
        return found.filter(held).exclude(claimed_by=user)
    if asked.holder == "nobody":
        return found.exclude(held)
    if asked.holder == "kept":
        return found.filter(kept_for=user, kept_until__gte=now)
    return found


def after(found: CaseQuerySet, number: int) -> CaseQuerySet:
    """What comes later in the queue than this case; all, where there is no such case."""
    place = Case.objects.filter(pk=number).values("urgent_at", "opened_at").first()
    if place is None:
        return found
    urgent, opened = place["urgent_at"], place["opened_at"]
    later = Q(urgent_at__gt=urgent) | Q(opened_at__gt=opened) | Q(opened_at=opened, pk__gt=number)
    # The first condition alone lets the index begin there.
    return found.filter(urgent_at__gte=urgent).filter(later)


def count(found: CaseQuerySet) -> int:
    """How many, but never more than COUNTED_AT_MOST + 1."""
    return found.order_by().select_related(None)[: COUNTED_AT_MOST + 1].count()


def lock(case: Case) -> None:
    """Nobody else changes this case until the transaction ends.

    Before entries are written, like everybody who changes a case: the log is locked by writing one,
    and two who lock in different orders would wait for each other.
    """
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)


def refresh(case: Case) -> None:
    """Put a case where it belongs now, inside the caller's transaction.

    To be called whenever a clock starts, stops or runs on, something was found, or the report's
    facets changed while it waits. Call lock() before entries are written.
    """
    refresh_some([case.pk])


@transaction.atomic
def refresh_some(numbers: Iterable[int]) -> int:
    """Put these cases where they belong; how many of them had stood elsewhere."""
    rows = Case.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=list(numbers))
    cases = list(rows.select_related("report").only(*_NEEDED).order_by("pk"))
    known, hours, moved = _Known.of(cases), urgency.weights(), []
    for case in cases:
        facets = known.facets_of(case)
        urgent = urgency.urgent_at(known.due.get(case.pk), case.opened_at, facets, hours)
        if (case.urgent_at, case.facets) != (urgent, facets):
            case.urgent_at, case.facets = urgent, facets
            moved.append(case)
    if moved:
        columns = zip(
            *((one.pk, one.urgent_at, ",".join(one.facets)) for one in moved), strict=True
        )
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [list(column) for column in columns])
    return len(moved)


def refresh_all() -> int:
    """Put everything that waits where it belongs: after weights changed, and from time to time."""
    numbers = list(Case.objects.filter(state__in=WAITING).values_list("pk", flat=True))
    return sum(refresh_some(some) for some in batched(numbers, AT_ONCE))


@dataclass(frozen=True)
class _Known:
    """What decides where cases stand.

    due    when the first of a case's running clocks ends
    laws   rules whose clocks run, by case
    found  (platform, it is a picture that is known) of every hit, by report
    """

    due: dict[int, datetime]
    laws: dict[int, set[str]]
    found: dict[object, set[tuple[int | None, bool]]]

    @classmethod
    def of(cls, cases: list[Case]) -> "_Known":
        due: dict[int, datetime] = {}
        laws: dict[int, set[str]] = {}
        running = Clock.objects.filter(RUNNING, case__in=cases).order_by("-due_at")
        for number, rule, ends in running.values_list("case_id", "rule", "due_at"):
            due[number] = ends
            laws.setdefault(number, set()).add(rule)
        found: dict[object, set[tuple[int | None, bool]]] = {}
        hits = Hit.objects.filter(report__in=[case.report_id for case in cases]).exclude(
            member__bank__policy=BankPolicy.BENIGN
        )
        for report, platform, member in hits.values_list(
            "report_id", "hosted__platform_id", "member_id"
        ):
            found.setdefault(report, set()).add((platform, member is not None))
        return cls(due, laws, found)

    def facets_of(self, case: Case) -> list[str]:
        """Short forms of what can be filtered by and what brings it forward, in one order."""
        report, found = case.report, self.found.get(case.report_id, set())
        facets = {str(harm) for harm in report.harms}
        facets |= {f"law:{rule}" for rule in self.laws.get(case.pk, ())}
        facets |= {f"platform:{platform}" for platform, _ in found if platform is not None}
        said = {
            "danger": report.danger,
            "minor": case.minor,
            "age_unsaid": report.maybe_minor and not case.minor,
            "hits": bool(found),
            "new": not any(member for _, member in found),
        }
        return sorted(facets | {name for name, is_so in said.items() if is_so})
