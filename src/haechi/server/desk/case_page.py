"""Everything the page of one case shows, in the order one decides."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import get_language

from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import grants, wellbeing
from haechi.server.cases.models import Action, Case, Scope, State
from haechi.server.cases.services import reason_of
from haechi.server.contacts import serving
from haechi.server.desk import custody_of, vocabulary
from haechi.server.desk.forms import DecisionForm, IdentityForm, MessageForm, OpenForm
from haechi.server.desk.reading import Request, read_request
from haechi.server.desk.time_left import PATTERNS, read
from haechi.server.desk.vocabulary import TAGS, Names
from haechi.server.evidence.models import Fingerprint
from haechi.server.matching import services as matching
from haechi.server.matching import told
from haechi.server.matching.models import Hit, Hosted
from haechi.server.notices.models import Notice
from haechi.server.notices.services import answer_of, host_of
from haechi.server.reports.places import link_in
from haechi.server.staff.models import User
from haechi.server.words import words_for

HISTORY_AT_MOST = 60
BUDGET = wellbeing.Budget()


@dataclass(frozen=True)
class Found:
    """One hit in words."""

    hit: Hit
    verdict: Promise | str
    found_by: Promise | str
    closeness: str


@dataclass(frozen=True)
class Effects:
    """What a removal causes, before anybody decides it.

    unseen   finds of told fingerprints, of which only those go that somebody ticks
    """

    removals: list[tuple[str, int]]
    hosts: list[str]
    members: int
    unseen: int


@dataclass(frozen=True)
class Event:
    """One line of the history."""

    entry: Entry
    words: Promise | str
    actor: str


def decision_form(case: Case, data: Mapping[str, object] | None = None) -> DecisionForm:
    """The form with a box for every piece of hosted content that the report met."""
    said: dict[int, list[str]] = {}
    for hit in case.report.hits.exclude(hosted=None):
        verdict = str(vocabulary.VERDICTS.get(hit.verdict, hit.verdict))
        words = f"{verdict}, {vocabulary.TOLD}" if hit.found_by.startswith(told.BY) else verdict
        said.setdefault(hit.hosted_id or 0, []).append(words)

    def say(hosted: Hosted) -> str:
        return f"{hosted.platform}: {hosted.content_id} ({', '.join(said.get(hosted.pk, []))})"

    return DecisionForm(data, hosted=removable(case), say=say, unseen=found_by_told(case))


def found_by_told(case: Case) -> set[int]:
    """Hosted content that only a told fingerprint found: a tick says that somebody looked at it."""
    hits = case.report.hits.filter(hosted__isnull=False, found_by__startswith=told.BY)
    return set(hits.values_list("hosted_id", flat=True))


def removable(case: Case) -> QuerySet[Hosted]:
    """Hosted content that the report met and that is still up."""
    return matching.hosted_of(case.report).select_related("platform").order_by("pk")


def context(
    case: Case,
    user: User,
    *,
    now: datetime,
    form: DecisionForm | None,
    problem: str,
    identity: IdentityForm | None = None,
    message: MessageForm | None = None,
) -> dict[str, object]:
    """What the template needs. Reads the report where `user` may, which is logged.

    form, identity, message  as they were typed, or None for fresh ones
    problem         stable code of what went wrong, or ""
    """
    may_read = grants.holds(case, user, Scope.CONTENT, now=now)
    request = read_request(case, user, now) if may_read else Request()
    opened = may_read and not request.problem
    decision = case.decision
    exhibits = list(case.report.exhibits.select_related("stamp"))
    held = case.claimed_until is not None and case.claimed_until >= now
    return {
        "case": case,
        "now": now,
        "patterns": PATTERNS,
        "clocks": [read(clock, now) for clock in case.clocks.all()],
        "harms": vocabulary.harms(case.report.harms),
        "contacts": serving("child", get_language() or "en") if case.minor else [],
        "request_of": request,
        "may_read": may_read,
        "open_form": None if may_read else OpenForm(),
        "knows_identity": grants.holds(case, user, Scope.IDENTITY, now=now),
        "asked_identity": case.grants.waiting().filter(user=user).exists(),
        "identity_form": identity or IdentityForm(),
        "budget": BUDGET,
        "spent": wellbeing.spent(user, BUDGET, now=now),
        "request_words": words_for(request.problem) if request.problem else "",
        "exhibits": exhibits,
        "custody": custody_of.rows(exhibits),
        "told": list(case.report.told.all()),
        "found": _found(case),
        "decision": decision,
        "decision_reason": reason_of(decision) if decision and opened else "",
        "actions": _actions(case) if decision else [],
        "notices": _notices(case, request, opened=opened) if decision else [],
        "effects": None if decision else _effects(case, request),
        "overturned": [
            (earlier, reason_of(earlier) if opened else "")
            for earlier in case.decisions.exclude(overturned_at=None).select_related("actor")
        ],
        "message_form": message or MessageForm(),
        "form": form or (decision_form(case) if may_read and case.state == State.OPEN else None),
        "holder": case.claimed_by if held else None,
        "mine": held and case.claimed_by_id == user.pk,
        "problem": problem,
        "problem_words": words_for(problem) if problem else "",
        "history": _history(case),
    }


def _found(case: Case) -> list[Found]:
    hits = case.report.hits.select_related("hosted__platform", "member__bank").order_by("pk")
    return [
        Found(
            hit,
            vocabulary.VERDICTS.get(hit.verdict, hit.verdict),
            vocabulary.found_by(hit),
            vocabulary.closeness(hit),
        )
        for hit in hits
    ]


def _effects(case: Case, request: Request) -> Effects:
    unseen = found_by_told(case)
    sure = [hosted for hosted in removable(case) if hosted.pk not in unseen]
    return Effects(
        removals=list(Counter(str(hosted.platform) for hosted in sure).items()),
        hosts=request.hosts,
        members=Fingerprint.objects.filter(exhibit__report=case.report).count(),
        unseen=len(unseen),
    )


def _actions(case: Case) -> QuerySet[Action]:
    actions = Action.objects.filter(decision__case=case)
    return actions.select_related("platform", "hosted", "statement").order_by("pk")


def _notices(case: Case, request: Request, *, opened: bool) -> list[tuple[Notice, str, str]]:
    hosts = {place.number: host_of(link_in(place.address)) or "" for place in request.places}
    notices = Notice.objects.filter(decision__case=case).select_related("location")
    return [
        (
            notice,
            hosts.get(notice.location.number, "") if notice.location else "",
            answer_of(notice) if opened else "",
        )
        for notice in notices.order_by("location__number")
    ]


def _history(case: Case) -> list[Event]:
    entries = list(
        Entry.objects.filter(subject__in=_subjects(case)).order_by("-position")[:HISTORY_AT_MOST]
    )
    names = Names(entries)
    return [Event(entry, TAGS.get(entry.tag, entry.tag), names.of(entry)) for entry in entries]


def _subjects(case: Case) -> list[str]:
    rows: list[Model] = [case, case.report, *case.clocks.all(), *case.report.exhibits.all()]
    rows += [*case.report.messages.all(), *case.decisions.exclude(overturned_at=None)]
    rows += case.report.told.all()
    rows += matching.members_of(case.report, case.pk)
    decision = getattr(case, "decision", None)
    if decision is not None:
        actions = list(_actions(case))
        rows += [decision, *decision.notices.all(), *actions]
        rows += [action.statement for action in actions]
    return [audit.name_of(row) for row in rows]
