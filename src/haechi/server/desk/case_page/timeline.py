"""What was found in a film, over time: a chart, the same as a table, and where in the frame at which second."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from haechi import forensics
from haechi.forensics import State
from haechi.forensics.video import chart
from haechi.server import forensic_words as words
from haechi.server.evidence.models import Exhibit
from haechi.server.transparency import drawing

MOST_ROWS = 300
MOST_PLACES = 24
TITLES: Mapping[str, Promise] = {
    "second": pgettext_lazy("chart", "seconds"),
    "ratio": pgettext_lazy("chart", "1 = remarkable"),
    "score": _("score of the model"),
    "face": pgettext_lazy("chart", "face"),
    "flicker": _("brightness trembles"),
    "jitter": _("features tremble"),
    "frozen": _("face stands still"),
    "held": _("only the face moves"),
}


@dataclass(frozen=True)
class Place:
    """Where something was found, in pixels of a frame, and when; `words` say what."""

    seconds: str
    words: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Timeline:
    """One film.

    drawn          the chart; "" where there is nothing to draw
    rows           second, what was measured of which face, and how much; the first of them
    more           rows that are left out
    width, height  of a frame
    """

    drawn: SafeString
    rows: list[tuple[str, str, str]]
    more: int
    places: list[Place]
    width: int
    height: int


def of(exhibit: Exhibit, report: forensics.Report) -> Timeline | None:
    """None for a picture, and for a film in which nothing was measured or found in a place."""
    titles = {name: str(told) for name, told in TITLES.items()}
    spec = chart.spec(report, titles)
    made = getattr(exhibit, "fingerprint", None)
    width, height = (made.width, made.height) if made is not None else (16, 9)
    places = _places(report, width, height)
    if spec is None and not places:
        return None
    # Drawn by us from escaped words; the SVG is a part of the page so that it has its colours.
    drawn = mark_safe(drawing.svg(drawing.framed(spec)) if spec else "")  # noqa: S308
    rows = [
        (f"{row['second']:.1f}", f"{row['face']}: {row['series']}", f"{row['value']:.2f}")
        for row in chart.rows(report, titles)
    ]
    return Timeline(drawn, rows[:MOST_ROWS], len(rows[MOST_ROWS:]), places, width, height)


def _places(report: forensics.Report, width: int, height: int) -> list[Place]:
    found = [
        Place(
            f"{region.second:.1f}",
            words.signal(signal),
            round(region.x * width),
            round(region.y * height),
            max(1, round(region.width * width)),
            max(1, round(region.height * height)),
        )
        for signal in report.signals
        if signal.state is State.SPEAKS
        for region in signal.regions
        if region.second is not None
    ]
    return found[:MOST_PLACES]
