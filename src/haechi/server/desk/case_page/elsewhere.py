"""Who posted it elsewhere: a drawing of what this case shares with others, and a table of the same."""

from dataclasses import dataclass
from itertools import groupby

from django.urls import reverse
from django.utils.translation import gettext, ngettext, pgettext

from haechi.server.cases import elsewhere
from haechi.server.cases.elsewhere import Kind, Source
from haechi.server.cases.models import Case
from haechi.server.desk.case_page.page import Page
from haechi.server.reports.places import understand

MOST_DRAWN = 8
ROW_PX, TOP_PX, BOX_PX = 62, 34, 46
LEFT_PX, RIGHT_PX, WIDTH_PX = 300, 540, 760


@dataclass(frozen=True)
class Line:
    """A row of the table: what it is, how much of it there is, and where it was found.

    cases   (number, case or None for this one, copies)
    """

    id: str
    kind: str
    name: str
    detail: str
    cases: list[tuple[int, Case | None, int]]


@dataclass(frozen=True)
class Box:
    """A box of the drawing. `link` is "" for this case. Pixels of the drawing's own grid."""

    y: int
    name: str
    detail: str
    link: str
    here: bool = False

    @property
    def middle(self) -> int:
        """Where lines meet it."""
        return self.y + BOX_PX // 2


@dataclass(frozen=True)
class Edge:
    """A line from a source to a case; `width` grows with the copies."""

    path: str
    width: int
    here: bool


@dataclass(frozen=True)
class Drawing:
    """The drawing: sources left, cases right."""

    height: int
    left: list[Box]
    right: list[Box]
    edges: list[Edge]


def part(page: Page) -> dict[str, object]:
    """The table, and its drawing where there is anything to see."""
    found = elsewhere.of(page.case)
    lines = _lines(page, found)
    return {
        "elsewhere": lines,
        "elsewhere_more": found.more,
        "drawing": _drawing(page, lines, found.cases) if lines else None,
    }


def _lines(page: Page, found: elsewhere.Elsewhere) -> list[Line]:
    numbers = {case.pk: case for case in found.cases}
    places = {str(place.number): place.address for place in page.request.places}
    order = {source: at for at, source in enumerate(found.sources)}
    ties = sorted(found.ties, key=lambda tie: order[tie.source])
    lines = []
    for source, group in groupby(ties, key=lambda tie: tie.source):
        met = sorted(group, key=lambda tie: (tie.case_id != page.case.pk, -tie.case_id))
        kind, name = _named(source, places)
        cases = [(tie.case_id, numbers.get(tie.case_id), tie.copies) for tie in met]
        lines.append(Line(_id(source), kind, name, _detail(source), cases))
    # What leads to another case first.
    return sorted(lines, key=lambda line: -len(line.cases))


def _named(source: Source, places: dict[str, str]) -> tuple[str, str]:
    if source.kind == Kind.ACCOUNT:
        said = gettext("account {name} on {platform}")
        return gettext("Account"), said.format(name=source.short, platform=source.on)
    if source.kind == Kind.PICTURE:
        said = gettext("known picture {number}, bank {bank}")
        return gettext("Picture"), said.format(number=source.key, bank=source.on)
    address = places.get(source.key, "")
    if address:
        return str(understand(address).kind.label), address
    return pgettext("case", "Place"), gettext("place {number}, sealed").format(number=source.key)


def _detail(source: Source) -> str:
    if not source.copies:
        return ""
    said = ngettext("{number} copy, {up} still up", "{number} copies, {up} still up", source.copies)
    return said.format(number=source.copies, up=source.up)


def _id(source: Source) -> str:
    return f"{source.kind.value}-{source.key[:12]}"


def _drawing(page: Page, lines: list[Line], others: list[Case]) -> Drawing:
    drawn = lines[:MOST_DRAWN]
    met = {number for line in drawn for number, _case, _copies in line.cases}
    cases = [page.case, *[case for case in others if case.pk in met][: MOST_DRAWN - 1]]
    height = TOP_PX + max(len(drawn), len(cases)) * ROW_PX
    left = [
        Box(_y(at, len(drawn), height), line.name, line.detail, f"#{line.id}")
        for at, line in enumerate(drawn)
    ]
    right = [
        Box(
            _y(at, len(cases), height),
            gettext("Case {number}").format(number=case.pk),
            gettext("this case") if case == page.case else str(case.get_state_display()),
            "" if case == page.case else f"{reverse('desk:case', args=[case.pk])}#elsewhere",
            here=case == page.case,
        )
        for at, case in enumerate(cases)
    ]
    rows = {case.pk: box for case, box in zip(cases, right, strict=True)}
    edges = [
        _edge(box, rows[number], copies)
        for line, box in zip(drawn, left, strict=True)
        for number, _case, copies in line.cases
        if number in rows
    ]
    return Drawing(height, left, right, edges)


def _y(at: int, rows: int, height: int) -> int:
    """Rows of the shorter side stand in the middle of the longer one's."""
    spare = height - TOP_PX - rows * ROW_PX
    return TOP_PX + spare // 2 + at * ROW_PX


def _edge(source: Box, case: Box, copies: int) -> Edge:
    bend = (LEFT_PX + RIGHT_PX) // 2
    path = f"M{LEFT_PX} {source.middle}C{bend} {source.middle} {bend} {case.middle} {RIGHT_PX} {case.middle}"
    return Edge(path, min(6, 1 + copies), case.here)
