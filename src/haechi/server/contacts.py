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
    "TW": _("Taiwan"),
    "HK": _("Hong Kong"),
    "US": _("United States"),
    "UK": _("United Kingdom"),
    "EU": _("European Union"),
    "DE": _("Germany"),
    "FR": _("France"),
    "JP": _("Japan"),
    "IN": _("India"),
    "AU": _("Australia"),
}
# Whose numbers stand first for a reader of a language; the others follow in the order above.
NEAREST = {"ko": "KR", "zh-hans": "CN"}


@dataclass(frozen=True)
class Contact:
    """One place to turn to.

    where, near         its country, and whether that is the reader's (or help in any country)
    serves              "child" (people under 18), "urgent" (danger now), or neither
    phone, hours, url   "" where there is none
    source              page on which the row was read
    checked             day it was read
    """

    id: str
    country: str
    where: Promise
    near: bool
    name: str
    does: str
    serves: tuple[str, ...]
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
    """The contacts of one country. `near`: the reader's own, or help in any country."""

    name: Promise
    contacts: tuple[Contact, ...]
    near: bool


def by_country(language: str) -> list[Country]:
    """Every contact, the reader's nearest country first."""
    order = sorted(COUNTRIES, key=lambda code: code != NEAREST.get(language))
    rows = [_contact(row, language) for row in _data()["rows"]]
    return [
        Country(
            COUNTRIES[code],
            tuple(row for row in rows if row.country == code),
            near=_near(code, language),
        )
        for code in order
        if any(row.country == code for row in rows)
    ]


def nearest(language: str) -> list[Contact]:
    """Two or three contacts for a page that has bad news."""
    first = [row for country in by_country(language) for row in country.contacts]
    return first[:3]


def serving(whom: str, language: str) -> list[Contact]:
    """Contacts for "child" or "urgent", the nearest first."""
    rows = [row for country in by_country(language) for row in country.contacts]
    return [row for row in rows if whom in row.serves]


def _near(country: str, language: str) -> bool:
    return country in ("any", NEAREST.get(language))


def advice_sources() -> list[tuple[str, str]]:
    """Host and address of the pages on which the advice of the help page was read."""
    return [(_host(row["source"]), row["source"]) for row in _data()["advice"]]


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


@cache
def _data() -> Any:  # noqa: ANN401  # JSON as it is in the file
    text = files("haechi.server").joinpath("data/help.json").read_text(encoding="utf-8")
    return json.loads(text)


def _contact(row: dict[str, Any], language: str) -> Contact:
    def told(words: dict[str, str]) -> str:
        return words.get(language) or words.get("en", "")

    return Contact(
        id=row["id"],
        country=row["country"],
        where=COUNTRIES[row["country"]],
        near=_near(row["country"], language),
        name=told(row["name"]),
        does=told(row["does"]),
        serves=tuple(row.get("serves", ())),
        phone=row["phone"],
        hours=told(row["hours"]),
        url=row["url"],
        source=row["source"],
        checked=date.fromisoformat(row["checked"]),
    )
