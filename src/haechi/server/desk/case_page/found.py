"""What the fingerprints met: on platforms, in banks."""

from dataclasses import dataclass

from django.utils.functional import Promise

from haechi.server.cases.models import Case
from haechi.server.desk import vocabulary
from haechi.server.desk.case_page.page import Page
from haechi.server.matching.models import Hit


@dataclass(frozen=True)
class Found:
    """One hit in words."""

    hit: Hit
    verdict: Promise | str
    found_by: Promise | str
    closeness: str


def part(page: Page) -> dict[str, object]:
    """Fingerprints that were told, and every hit."""
    return {"told": list(page.case.report.told.all()), "found": _found(page.case)}


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
