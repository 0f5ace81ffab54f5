"""The custody of a case's files, as the desk shows it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from haechi.errors import LedgerBroken
from haechi.server.audit.models import Entry
from haechi.server.desk.vocabulary import TAGS, Names
from haechi.server.evidence import custody
from haechi.server.evidence.models import Exhibit, Stamp
from haechi.server.words import words_for

WAYS: dict[str, Promise] = {
    "server": _("this server, while it arrived"),
    "browser": _("the browser it came from"),
}
WHY: dict[str, Promise] = {
    "fingerprint": _("to make its fingerprint"),
    "review": _("for review"),
    "origin": _("to examine how it was made"),
    "found": _("to look at what an examination drew"),
    "compare": _("to compare it with another"),
    "check": _("to check that it is whole"),
}


@dataclass(frozen=True)
class Act:
    """One opening, look, copy, export or transfer, in words."""

    entry: Entry
    words: Promise | str
    actor: str
    why: Promise | str
    authority: str
    to: str


@dataclass(frozen=True)
class Row:
    """One file: what came, and what was done with it; or the code of what is wrong with its record."""

    exhibit: Exhibit
    sha256: str
    cipher_sha256: str
    way: Promise | str = ""
    stamp: Stamp | None = None
    acts: tuple[Act, ...] = ()
    problem: str = ""
    problem_words: Promise | str = ""


def rows(exhibits: Iterable[Exhibit]) -> list[Row]:
    """One row a file, in the order of their numbers."""
    return [_row(exhibit) for exhibit in exhibits]


def _row(exhibit: Exhibit) -> Row:
    digests = bytes(exhibit.sha256).hex(), bytes(exhibit.cipher_sha256).hex()
    try:
        history = custody.of(exhibit)
    except LedgerBroken as error:
        return Row(exhibit, *digests, problem=error.code, problem_words=words_for(error))
    way = str(history.receipt.detail.get("way", ""))
    names = Names(history.handled)
    return Row(
        exhibit,
        *digests,
        way=WAYS.get(way, way),
        stamp=exhibit.stamp if history.stamped else None,
        acts=tuple(_act(entry, names) for entry in history.handled),
    )


def _act(entry: Entry, names: Names) -> Act:
    why = str(entry.detail.get("reason", ""))
    return Act(
        entry,
        TAGS.get(entry.tag, entry.tag),
        names.of(entry),
        WHY.get(why, why),
        str(entry.detail.get("authority", "")),
        str(entry.detail.get("to", "")),
    )
