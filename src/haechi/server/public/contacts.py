"""Others who can help: data/help.json, in the reader's language. Adding one is a row there."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

COUNTRIES: dict[str, Promise] = {
    "any": _("In any country"),
    "KR": _("South Korea"),
    "CN": _("China"),
    "US": _("United States"),
    "UK": _("United Kingdom"),
    "EU": _("European Union"),
    "AU": _("Australia"),
}
# Whose numbers stand first for a reader of a language; the others follow in the order above.
NEAREST = {"ko": "KR", "zh-hans": "CN"}


@dataclass(frozen=True)
class Contact:
    """One place to turn to.

    phone, hours, url   "" where there is none
    source              page on which the row was read
    checked             day it was read
    """

    id: str
    country: str
    name: str
    does: str
    phone: str
    hours: str
    url: str
    source: str
    checked: date

    @property
    def dial(self) -> str:
        """The number as a telephone dials it."""
        return self.phone.replace(" ", "").replace("-", "")

    @property
    def host(self) -> str:
        """Where the link leads, short enough to read."""
        return _host(self.url)

    @property
    def source_host(self) -> str:
        """Whose page the row was read on."""
        return _host(self.source)


@dataclass(frozen=True)
class Country:
    """The contacts of one country."""

    name: Promise
    contacts: tuple[Contact, ...]


def by_country(language: str) -> list[Country]:
    """Every contact, the reader's nearest country first."""
    order = sorted(COUNTRIES, key=lambda code: code != NEAREST.get(language))
    rows = [_contact(row, language) for row in _rows()]
    return [
        Country(COUNTRIES[code], tuple(row for row in rows if row.country == code))
        for code in order
        if any(row.country == code for row in rows)
    ]


def nearest(language: str) -> list[Contact]:
    """Two or three contacts for a page that has bad news."""
    first = [row for country in by_country(language) for row in country.contacts]
    return first[:3]


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    text = files("haechi.server.public").joinpath("data/help.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["rows"])


def _contact(row: dict[str, Any], language: str) -> Contact:
    def told(words: dict[str, str]) -> str:
        return words.get(language) or words.get("en", "")

    return Contact(
        id=row["id"],
        country=row["country"],
        name=told(row["name"]),
        does=told(row["does"]),
        phone=row["phone"],
        hours=told(row["hours"]),
        url=row["url"],
        source=row["source"],
        checked=date.fromisoformat(row["checked"]),
    )
