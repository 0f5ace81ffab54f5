"""What follows from silence: a reminder, then the next in the chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from haechi.server.audit import services as audit
from haechi.server.cases.models import Case
from haechi.server.notices import directory, rdap, schedule
from haechi.server.notices.directory import Answering, host_of
from haechi.server.notices.letter import Item, letter_of
from haechi.server.notices.models import Kind, Notice, Step
from haechi.server.notices.services import answering_of, draft
from haechi.server.reports.models import Location
from haechi.server.reports.models import State as ReportState

AT_ONCE = 200


@dataclass(frozen=True)
class Plan:
    """Whom to ask next about which places; made outside a transaction, since it may ask RDAP."""

    kind: Kind
    asked: Sequence[tuple[Answering, Sequence[tuple[Location, str]]]]


def due(now: datetime) -> QuerySet[Notice]:
    """Notices whose silence has a consequence now, the oldest first."""
    ended = (ReportState.WITHDRAWN, ReportState.ERASED)
    found = Notice.objects.filter(next_at__lte=now, settled_at=None, answered_at=None)
    alive = found.exclude(decision__case__report__state__in=ended)
    standing = alive.filter(decision__overturned_at=None)
    return standing.select_related("decision__case__report").order_by("next_at")[:AT_ONCE]


def plan(notice: Notice) -> Plan:
    """Who would be asked now. Opens the letter; may ask RDAP (see there)."""
    letter = letter_of(notice)
    left = {
        item.number: item.location
        for item in schedule.outstanding(notice).select_related("location")
        if item.location is not None
    }
    items = [item for item in letter.items if item.number in left]
    places = [(left[item.number], item.url) for item in items]
    if not places:
        return Plan(Kind.TAKEDOWN, ())
    if notice.next_act == "remind":
        return Plan(Kind.REMINDER, [(answering_of(letter, notice), places)])
    return Plan(Kind.TAKEDOWN, _next_in_chain(notice, items, dict(enumerate(places))))


@transaction.atomic
def follow(notice: Notice, planned: Plan, *, actor: str, now: datetime) -> list[Notice]:
    """Write what was planned, unless an answer or somebody else came first; then nothing.

    The end of the chain is an entry in the log, and nothing is chased any more.
    """
    row = Notice.objects.filter(pk=notice.pk, next_at=notice.next_at, next_act=notice.next_act)
    if notice.next_at is None or not row.filter(answered_at=None).update(next_at=None, next_act=""):
        return []
    letter = letter_of(notice)
    told = (letter.name or letter.host, (notice.sent_at or notice.created_at).isoformat())
    drafted = [
        draft(
            notice.decision,
            to,
            places,
            now=now,
            kind=planned.kind,
            parent=notice,
            before=(*letter.before, told),
        )
        for to, places in planned.asked
    ]
    made = [each for each in drafted if each is not None]
    if not made:
        audit.record("notice:chain_ended", subject=notice, actor=actor, at=now)
    return made


@transaction.atomic
def hurry(notice: Notice, *, actor: str, now: datetime) -> bool:
    """Let the next step of the chain come now, also after an answer that left places up.

    False where it was settled before.
    """
    act = notice.next_act or "escalate"
    won = Notice.objects.filter(pk=notice.pk, settled_at=None).update(
        next_at=now, next_act=act, answered_at=None
    )
    if won:
        audit.record("notice:hurried", subject=notice, actor=actor, at=now)
    return bool(won)


def countries(case: Case) -> list[str]:
    """Where authorities are asked: where this installation is, and whose clocks run."""
    running = case.clocks.values_list("jurisdiction", flat=True)
    return list(dict.fromkeys([*settings.HAECHI.jurisdictions, *running]))


def _next_in_chain(
    notice: Notice, items: Sequence[Item], places: dict[int, tuple[Location, str]]
) -> list[tuple[Answering, list[tuple[Location, str]]]]:
    """The next step for which anybody is known, with everybody who is asked there."""
    chain = schedule.chain()
    near = countries(notice.decision.case)
    for step in chain[chain.index(Step(notice.step)) + 1 :]:
        asked: dict[Answering, list[tuple[Location, str]]] = {}
        known: dict[str, list[Answering]] = {}
        for place, item in enumerate(items):
            host = host_of(item.url) or ""
            if host not in known:
                known[host] = _known(step, host, near)
            for to in known[host]:
                asked.setdefault(to, []).append(places[place])
        if asked:
            return list(asked.items())
    return []


def _known(step: Step, host: str, near: Sequence[str]) -> list[Answering]:
    rows = directory.of_step(step, host=host, countries=near)
    return rows or rdap.ask(step, host, base_url=settings.HAECHI.rdap_url)
