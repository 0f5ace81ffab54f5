"""How the pictures were made: what an examination found, in words first, folded.

It decides nothing: no queue, clock or count goes by it, and it is read by whoever may read the case.
"""

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from haechi import forensics
from haechi.forensics import Region, Signal, Standing, State
from haechi.server import forensic_words as words
from haechi.server.cases.models import Label
from haechi.server.desk.case_page import timeline
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.case_page.timeline import Timeline
from haechi.server.desk.examined import Examined, examined
from haechi.server.evidence.models import Exhibit
from haechi.server.evidence.origin_models import Origin, OriginState
from haechi.server.words import words_for

MOST_DRAWN = 12
HEADINGS = (
    Standing.KNOWN,
    Standing.GUESSED,
    Standing.SILENT,
    Standing.UNCALIBRATED,
    Standing.OFF,
)
STEPS: dict[str, Promise] = {
    "": _("It waits for its turn."),
    "marks": _("Marks in the file are read."),
    "pixels": _("The pixels are examined."),
    "donors": _("It is compared with the pictures that were given."),
    "faces": _("Faces are looked at, and models look at it."),
    "video": _("The video is gone through."),
    "done": _("It is written down."),
}


@dataclass(frozen=True)
class Said:
    """One finding in words.

    shown   what there is to look at beside it: "heat", "picture" or ""
    """

    id: str
    words: str
    strength: str
    limits: list[str]
    shown: str = ""


@dataclass(frozen=True)
class Box:
    """A place in the picture, in pixels of what is drawn over it; `number` leads to its finding."""

    number: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Drawn:
    """The picture's grid, what is drawn on it, and what the numbers are."""

    width: int
    height: int
    boxes: list[Box]
    names: list[tuple[int, str]]

    @property
    def line(self) -> int:
        """Width of a line, and of what is written by it."""
        return max(2, max(self.width, self.height) // 160)

    @property
    def letter(self) -> int:
        """Height of a number."""
        return max(12, max(self.width, self.height) // 22)


@dataclass(frozen=True)
class Row:
    """One picture.

    rests_on   findings that the answer rests on
    missing    what is not known, in sentences
    headings   every finding, under what it is worth
    """

    exhibit: Exhibit
    origin: Origin
    step: Promise | str = ""
    problem: str = ""
    problem_words: Promise | str = ""
    answer: str = ""
    rests_on: list[Said] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)
    headings: list[tuple[str, list[Said]]] = field(default_factory=list)
    looked_at: list[Said] = field(default_factory=list)
    drawn: Drawn | None = None
    label: str = ""
    timeline: Timeline | None = None

    @property
    def waits(self) -> bool:
        """True while it is to be examined, the first time or anew."""
        return self.origin.state == OriginState.WAITING


def part(page: Page) -> dict[str, object]:
    """A row for each picture that was examined or is to be; nothing where the case is sealed."""
    found = examined(page.case) if page.opened else []
    return {"origins": [_row(one) for one in found], "origin_donors": _donors(page)}


def _donors(page: Page) -> int:
    return page.case.report.donors.count() if page.opened else 0


def _row(one: Examined) -> Row:
    problem = one.problem or one.origin.problem
    if one.report is None:
        return Row(
            one.exhibit,
            one.origin,
            step=STEPS.get(one.origin.step, one.origin.step),
            problem=problem,
            problem_words=words_for(problem) if problem else "",
        )
    report = one.report
    return Row(
        one.exhibit,
        one.origin,
        step=STEPS.get(one.origin.step, one.origin.step),
        problem=problem,
        problem_words=words_for(problem) if problem else "",
        answer=words.answer(report),
        rests_on=[_said(report.signal(name)) for name in report.because],
        missing=_missing(report),
        next_steps=[words.say(code) for code in report.next_steps],
        headings=[
            (words.say(f"standing.{standing.value}"), [_said(each) for each in under])
            for standing in HEADINGS
            if (under := report.standing(standing))
        ],
        looked_at=[_said(each) for each in report.signals if each.heat or each.picture],
        drawn=_drawn(one.exhibit, report),
        timeline=timeline.of(one.exhibit, report),
        label=str(Label(str(int(one.level))).label) if one.level is not None else "",
    )


def _said(signal: Signal) -> Said:
    return Said(
        signal.id,
        words.signal(signal),
        words.strength(signal),
        [words.say(code) for code in signal.limits],
        "picture" if signal.picture else "heat" if signal.heat else "",
    )


def _missing(report: forensics.Report) -> list[str]:
    """What could not be looked at and why, then what makes the grounds err; each once."""
    could_not = [
        " ".join([words.signal(one), *map(words.say, one.limits)])
        for one in report.standing(Standing.OFF)
    ]
    grounds = [report.signal(name) for name in report.because]
    odd = [words.finding(one) for one in report.reading.findings]
    limits = [words.say(code) for one in grounds for code in one.limits]
    return list(dict.fromkeys([*limits, *odd, *could_not]))


def _drawn(exhibit: Exhibit, report: forensics.Report) -> Drawn | None:
    """What speaks and has a place, over the grid of the picture; None for a video or without any."""
    made = getattr(exhibit, "fingerprint", None)
    speaking = [one for one in report.signals if one.state is State.SPEAKS and one.regions]
    if made is None or not speaking or any(one.regions[0].second is not None for one in speaking):
        return None
    boxes = [
        _box(number, region, made.width, made.height)
        for number, one in enumerate(speaking, start=1)
        for region in one.regions
    ]
    names = [(number, words.signal(one)) for number, one in enumerate(speaking, start=1)]
    return Drawn(made.width, made.height, boxes[:MOST_DRAWN], names)


def _box(number: int, region: Region, width: int, height: int) -> Box:
    return Box(
        number,
        round(region.x * width),
        round(region.y * height),
        max(1, round(region.width * width)),
        max(1, round(region.height * height)),
    )
