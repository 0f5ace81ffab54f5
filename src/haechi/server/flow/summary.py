"""The summary of a package, on paper: what a prosecutor reads first, in three languages.

Set in Noto Sans CJK (SIL Open Font License), whose glyphs are embedded: it looks alike everywhere.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

import noto_cjk_sans_otc  # type: ignore[import-untyped]  # two constants
from django.utils.translation import get_language, override, pgettext
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from haechi.forensics import Standing
from haechi.server import forensic_words
from haechi.server.cases.models import Verdict
from haechi.server.flow.dossier import Dossier, Made, Row
from haechi.server.forensic_words import say
from haechi.server.notices.models import State as NoticeState
from haechi.server.reports.models import Age, Harm

# Language: what the file is called by.
LANGUAGES = {"ko": "ko", "zh-hans": "zh-Hans", "en": "en"}
# Faces of the font collection: a character that both write is drawn as the language draws it.
_FACES = {"ko": 1, "zh-hans": 2, "en": 1}
_TEXT_PT, _TITLE_PT, _HEAD_PT, _SMALL_PT = 9.0, 18.0, 12.0, 7.0
_LINE = 1.5
_LONGEST_CELL = 1_500
NOTHING = "-"

type Column = tuple[str, int, Callable[[Row], object]]


def pdf(found: Dossier, language: str) -> bytes:
    """The whole summary as a PDF of A4 pages in one of LANGUAGES."""
    with override(language):
        paper = _Paper(language, _title(found), dt.datetime.fromisoformat(found.made_at))
        _cover(paper, found)
        for head, rows, columns in _tables(found):
            paper.head(head)
            paper.listed(rows, columns)
        _sign(paper)
        return bytes(paper.output())


def _title(found: Dossier) -> str:
    return _("Evidence package %(number)s") % {"number": f"{found.case}-{found.package}"}


def _cover(paper: "_Paper", found: Dossier) -> None:
    purpose = found.purpose
    if found.minor:
        paper.box(
            _(
                "A person under 18 is shown. To have or to pass on this material is a crime in most"
                " countries. Open it only as far as the law named below allows."
            )
        )
    paper.facts(
        [
            (_("Made by"), found.organisation),
            (_("Made at"), _when(found.made_at)),
            (_("For"), purpose.receiver),
            (_("Authority"), purpose.authority),
            (_("Legal basis"), purpose.basis or NOTHING),
            (_("Reason"), purpose.reason),
            (_("Opened by the key"), "\n".join(found.recipients)),
            (_("Report received"), _when(found.received_at)),
            (_("Age of the person shown"), _choice(Age, found.age)),
            (
                _("What was reported"),
                "\n".join(_choice(Harm, one) for one in found.harms) or NOTHING,
            ),
        ]
    )
    paper.paragraph(
        _(
            "This paper lists what is in the package; the files beside it say the same for programs."
            " Originals are sealed to the key above. The file verify.md says how to open and to"
            " check everything with published tools. Times are UTC."
        )
    )


def _tables(found: Dossier) -> Iterable[tuple[str, list[Row], list[Column]]]:
    handled = [{"number": one["number"], **act} for one in found.exhibits for act in one["handled"]]
    yield (
        _("Exhibits"),
        found.exhibits,
        [
            (_("No."), 8, _of("number")),
            (_("Received"), 23, lambda row: _when(row["received_at"])),
            (_("Kind and size"), 20, lambda row: f"{row['kind']}, {row['size']:,}"),
            (_("SHA-256 of the original"), 101, _of("sha256")),
            (_("Time stamp"), 18, _of("stamp")),
        ],
    )
    yield (
        _("Fingerprints"),
        found.fingerprints,
        [
            (_("No."), 8, _of("number")),
            ("PDQ", 101, _of("pdq")),
            ("MD5", 41, _of("md5")),
            (_("Pixels"), 20, lambda row: f"{row['width']} x {row['height']}"),
        ],
    )
    yield (
        _("How the pictures were made"),
        [_made(one) for one in found.origins],
        [
            (_("No."), 8, _of("number")),
            (_("Examined"), 22, _of("at")),
            (_("Answer"), 46, _of("answer")),
            (_("What it rests on"), 54, _of("rests_on")),
            (_("What is not known"), 40, _of("missing")),
        ],
    )
    yield (
        _("Custody"),
        handled,
        [
            (_("No."), 8, _of("number")),
            (_("When"), 30, lambda row: _when(row["at"])),
            (_("What"), 42, lambda row: _act(row["act"])),
            (_("Who"), 24, _of("by")),
            (pgettext("summary", "Why"), 50, lambda row: _why(row.get("reason", ""))),
            (_("Entry"), 16, _of("entry")),
        ],
    )
    yield (
        _("Places"),
        found.locations,
        [
            (_("No."), 8, _of("number")),
            (_("Address"), 122, _of("address")),
            (_("Named"), 40, lambda row: _when(row["named_at"])),
        ],
    )
    yield from _done(found)


def _done(found: Dossier) -> Iterable[tuple[str, list[Row], list[Column]]]:
    yield (
        pgettext("summary", "Decisions"),
        found.decisions,
        [
            (_("When"), 26, lambda row: _when(row["made_at"])),
            (_("Decision"), 20, lambda row: _choice(Verdict, row["verdict"])),
            (_("Ground"), 32, lambda row: row["ground_in_words"][get_language()]),
            (_("Who"), 16, _of("by")),
            (_("Reason"), 42, _of("reason")),
            (_("Findings it rests on"), 34, _cited),
        ],
    )
    yield (
        _("Platforms"),
        found.actions,
        [
            (_("Platform"), 40, _of("platform")),
            (_("Content"), 60, _of("content")),
            (pgettext("summary", "Asked"), 35, lambda row: _when(row["asked_at"])),
            (_("Removed"), 35, lambda row: _when(row["done_at"])),
        ],
    )
    yield (
        _("Notices"),
        found.notices,
        [
            (pgettext("summary", "To"), 50, _of("to")),
            (_("State"), 30, lambda row: _choice(NoticeState, row["state"])),
            (_("Sent"), 30, lambda row: _when(row["sent_at"])),
            (_("Answer"), 60, _of("answer")),
        ],
    )
    yield (
        _("Deadlines"),
        found.clocks,
        [
            (_("Law"), 65, _of("law")),
            (_("Began"), 35, lambda row: _when(row["started_at"])),
            (_("Ends"), 35, lambda row: _when(row["due_at"])),
            (_("Ended"), 35, lambda row: _when(row["stopped_at"])),
        ],
    )
    yield (
        _("Log"),
        [found.log],
        [
            (_("Entries in all"), 24, _of("size")),
            (_("of this case"), 24, _of("entries")),
            (_("Merkle root"), 122, _of("root")),
        ],
    )


def _made(one: Made) -> Row:
    """What an examination says, in words; origin/ has all of it."""
    report = one.report
    grounds = [report.signal(name) for name in report.because]
    limits = [say(code) for ground in grounds for code in ground.limits]
    off = [forensic_words.signal(each) for each in report.standing(Standing.OFF)]
    return {
        "number": one.number,
        "at": _when(one.made_at),
        "answer": forensic_words.answer(report),
        "rests_on": "\n".join(f"{forensic_words.signal(each)} [{each.id}]" for each in grounds),
        "missing": "\n".join(dict.fromkeys([*limits, *off])),
    }


def _cited(row: Row) -> str:
    return "\n".join(
        f"{one['exhibit']}: {say(one['meaning'], one['params'])} [{one['signal']}]"
        for one in row["cites"]
    )


def _sign(paper: "_Paper") -> None:
    """Room for those who hand it over and receive it; some courts want two of each."""
    paper.head(_("Handed over and received"))
    blank = [{"part": part} for part in (_("Handed over by"), _("Received by")) for _n in (1, 2)]
    nothing: Callable[[Row], object] = lambda _row: " \n \n "  # noqa: E731
    paper.listed(
        blank,
        [
            ("", 34, _of("part")),
            (_("Name and office"), 60, nothing),
            (_("Date and place"), 40, nothing),
            (_("Signature"), 36, nothing),
        ],
    )


def _act(tag: str) -> str:
    words = {
        "exhibit:opened": _("Picture opened"),
        "exhibit:lifted": _("Veil lifted"),
        "exhibit:exported": _("Picture exported"),
        "exhibit:transferred": _("Picture handed over"),
    }
    return words.get(tag, tag)


def _why(code: str) -> str:
    words = {
        "fingerprint": _("to make its fingerprint"),
        "review": _("for review"),
        "origin": _("to examine how it was made"),
        "check": _("to check that it is whole"),
    }
    return words.get(code, code)


def _of(name: str) -> Callable[[Row], object]:
    return lambda row: row.get(name)


def _choice(choices: type[Verdict | NoticeState | Age | Harm], code: str) -> str:
    return str(choices(code).label) if code in choices.values else code


def _when(at: str | None) -> str:
    return at[:16].replace("T", " ") if at else NOTHING


class _Paper(FPDF):
    """A4, one face, quiet lines."""

    def __init__(self, language: str, title: str, at: dt.datetime) -> None:
        super().__init__(format="A4")
        self._title = title
        self._wrap = WrapMode.CHAR if language == "zh-hans" else WrapMode.WORD
        self.set_creation_date(at)
        self.set_title(title)
        self.set_lang(language)
        self.set_margin(20)
        self.set_auto_page_break(auto=True, margin=20)
        self.add_font(
            "cjk", "", str(noto_cjk_sans_otc.FONT_PATH), collection_font_number=_FACES[language]
        )
        self.add_page()
        self._write(title, _TITLE_PT)
        self.ln(3)

    def footer(self) -> None:
        """Which package, which page."""
        self.set_y(-14)
        self.set_font("cjk", size=_SMALL_PT)
        self.set_text_color(90)
        self.cell(0, 5, f"{self._title}   {self.page_no()} / {{nb}}", align="C")
        self.set_text_color(0)

    def head(self, words: str) -> None:
        """The title of a part."""
        self.ln(4)
        if self.will_page_break(30):
            self.add_page()
        self._write(words, _HEAD_PT)
        self.ln(1)

    def paragraph(self, words: str) -> None:
        """A paragraph."""
        self.ln(2)
        self._write(words, _TEXT_PT)

    def box(self, words: str) -> None:
        """What must not be overlooked."""
        self.set_font("cjk", size=_TEXT_PT + 1)
        self.set_fill_color(255, 235, 205)
        self.multi_cell(
            0, 6, words, border=1, fill=True, wrapmode=self._wrap,
            new_x=XPos.LMARGIN, new_y=YPos.NEXT, padding=2,
        )  # fmt: skip
        self.set_fill_color(255)
        self.ln(3)

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names on the left, what they are on the right."""
        self._cells([(name, value) for name, value in rows], (42, 128), headed=False)

    def listed(self, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        """A table with a heading on every page; words where it is empty."""
        if not rows:
            self._write(_("None."), _TEXT_PT)
            return
        cells = ([_shown(of(row)) for _name, _width, of in columns] for row in rows)
        heading = [name for name, _width, _value in columns]
        self._cells(chain([heading], cells), [width for _name, width, _value in columns])

    def _cells(
        self, rows: Iterable[Sequence[str]], widths: Sequence[int], *, headed: bool = True
    ) -> None:
        self.set_font("cjk", size=_SMALL_PT if headed else _TEXT_PT)
        with self.table(
            col_widths=tuple(widths),
            width=sum(widths),
            align="LEFT",
            text_align="LEFT",
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            line_height=self.font_size * _LINE,
            first_row_as_headings=headed,
            headings_style=FontFace(fill_color=(238, 238, 238)),
            wrapmode=self._wrap,
            padding=0.8,
        ) as made:
            for row in rows:
                made.row(list(row))

    def _write(self, words: str, size_pt: float) -> None:
        self.set_font("cjk", size=size_pt)
        self.multi_cell(
            0, self.font_size * _LINE, words, align="L", wrapmode=self._wrap,
            new_x=XPos.LMARGIN, new_y=YPos.NEXT,
        )  # fmt: skip


def _shown(value: object) -> str:
    text = NOTHING if value is None or value == "" else str(value)
    # What a stranger wrote may hold what no font draws.
    return "".join(sign for sign in text if sign.isprintable() or sign == "\n")[:_LONGEST_CELL]
