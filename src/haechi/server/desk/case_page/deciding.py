"""The form to decide with, and what a removal would cause."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from haechi.server.cases import pauses, reviews
from haechi.server.cases.models import WAITING, Case, Opinion, Pause, Verdict
from haechi.server.desk import vocabulary
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.deciding_form import DecisionForm
from haechi.server.desk.examined import citable, examined, labels
from haechi.server.evidence.models import Fingerprint
from haechi.server.matching import services as matching
from haechi.server.matching import told
from haechi.server.matching.models import Hosted


@dataclass(frozen=True)
class Effects:
    """What a removal causes, before anybody decides it.

    unseen   finds of told fingerprints, of which only those go that somebody ticks
    """

    removals: list[tuple[str, int]]
    hosts: list[str]
    members: int
    unseen: int


def part(page: Page) -> dict[str, object]:
    """The form where this person may decide, whom the case waits for, and the effects."""
    case = page.case
    heard = reviews.heard(case, page.user)
    open_to_them = page.may_read and case.state in WAITING and not heard
    place = reviews.place_of(case)
    return {
        "form": page.typed.decision or (_form(page) if open_to_them else None),
        "effects": None if case.decision else _effects(page),
        "decide_waits": case.state in WAITING and not heard,
        "decide_heard": heard,
        "decide_alone": heard and not reviews.enough_people(case, besides=page.user),
        "decide_place": place,
        "decide_knowing": _opinions(page) if place == reviews.THIRD and not heard else [],
        "decide_pause": _pause(page),
        "decide_preview": page.typed.preview,
    }


def _form(page: Page) -> DecisionForm:
    return form_for(page.case, now=page.now, opened=page.opened)


def _opinions(page: Page) -> list[tuple[Opinion, str]]:
    """What the two concluded, for the third person; why, where the case is open to them."""
    review = reviews.pending(page.case)
    given = review.opinions.select_related("user") if review else ()
    return [(each, reviews.reason_of(each) if page.opened else "") for each in given]


def _pause(page: Page) -> tuple[Pause, str, str] | None:
    """Whom the case waits for: the row, the name, the reason."""
    pause = pauses.of(page.case)
    if pause is None:
        return None
    return (pause, *(pauses.note_of(pause) if page.opened else ("", "")))


def form_for(
    case: Case,
    data: Mapping[str, object] | None = None,
    *,
    now: datetime,
    place: int = 0,
    opened: bool = False,
) -> DecisionForm:
    """The form with a box for every piece of hosted content that the report met.

    place   of the opinion it is for, where that is not simply the next one of the case
    opened  what is sealed may be read: findings to cite, and labels that they come to
    """
    said: dict[int, list[str]] = {}
    for hit in case.report.hits.exclude(hosted=None):
        verdict = str(vocabulary.VERDICTS.get(hit.verdict, hit.verdict))
        words = f"{verdict}, {vocabulary.TOLD}" if hit.found_by.startswith(told.BY) else verdict
        said.setdefault(hit.hosted_id or 0, []).append(words)

    def say(hosted: Hosted) -> str:
        return f"{hosted.platform}: {hosted.content_id} ({', '.join(said.get(hosted.pk, []))})"

    place = place or reviews.place_of(case)
    return DecisionForm(
        data,
        hosted=removable(case),
        now=now,
        verdicts=tuple(Verdict) if place == reviews.FIRST else reviews.CONCLUSIONS,
        place=place,
        say=say,
        unseen=found_by_told(case),
        labels=labels(examined(case)) if opened else (),
        citable=citable(case) if opened else (),
    )


def found_by_told(case: Case) -> set[int]:
    """Hosted content that only a told fingerprint found: a tick says that somebody looked at it."""
    hits = case.report.hits.filter(hosted__isnull=False, found_by__startswith=told.BY)
    return set(hits.values_list("hosted_id", flat=True))


def removable(case: Case) -> QuerySet[Hosted]:
    """Hosted content that the report met and that is still up."""
    return matching.hosted_of(case.report).select_related("platform").order_by("pk")


def _effects(page: Page) -> Effects:
    case = page.case
    unseen = found_by_told(case)
    sure = [hosted for hosted in removable(case) if hosted.pk not in unseen]
    return Effects(
        removals=list(Counter(str(hosted.platform) for hosted in sure).items()),
        hosts=page.request.hosts,
        members=Fingerprint.objects.filter(exhibit__report=case.report).count(),
        unseen=len(unseen),
    )
