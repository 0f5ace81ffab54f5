"""Every public page: its headers, its title, what it links to, and how it fails."""

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from tests.conftest import NOON

from haechi.server import contacts
from haechi.server.audit import services as audit

PAGES = {
    "/": 200,
    "/report": 200,
    "/return": 200,
    "/help": 200,
    "/live": 200,
    "/numbers": 200,
    "/inspect": 200,
    "/appeal/nothing-of-that-name": 404,
    "/no-such-page": 404,
}
LANGUAGES = ("ko", "zh-hans", "en")
EXIT = {"https://www.naver.com/", "https://www.baidu.com/", "https://www.google.com/"}
LOADED = {"src", "srcset", "action", "formaction", "data", "poster", "background"}


class Addresses(HTMLParser):
    """What a page loads or sends to, and what it only links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: set[str] = set()
        self.linked: set[str] = set()
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort one element's addresses."""
        for name, value in attrs:
            if name in LOADED or (tag == "link" and name == "href"):
                self.loaded.add(value or "")
            elif name == "href":
                self.linked.add(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(name)
        if tag == "style" or (tag == "script" and not dict(attrs).get("src")):
            self.inline.append(tag)


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("path", "status"), PAGES.items())
def test_every_page_is_neutral_uncached_and_loads_nothing_from_elsewhere(
    public: Client, path: str, status: int, language: str
) -> None:
    """B27, B29: titles say nothing, nothing is kept, no third party hears of the visit."""
    response = public.get(path, headers={"accept-language": language})
    page = text_of(response)
    found = Addresses(page)

    assert response.status_code == status
    assert f'<html lang="{language}">' in page
    title = re.search(r"<title>(.*?)</title>", page)
    assert title is not None
    assert not re.search(r"(?i)fake|porn|nude|sex|report|abuse", title[1])
    assert response.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Robots-Tag"] == ("all" if path == "/" else "noindex, nofollow")
    assert ('name="robots"' in page) == (path != "/")
    assert not found.inline
    assert all(address.startswith("/") for address in found.loaded)
    known = {row.url for country in contacts.by_country("en") for row in country.contacts}
    sources = {row.source for country in contacts.by_country("en") for row in country.contacts}
    sources |= {address for _host, address in contacts.advice_sources()}
    outside = {address for address in found.linked if address.startswith("http")} - EXIT
    assert outside <= (known | sources if path == "/help" else set())


@pytest.mark.django_db
def test_nobody_gets_a_cookie_but_the_form_token(public: Client) -> None:
    """A visit to every page leaves one cookie, which the forms need."""
    for path in PAGES:
        public.get(path)

    assert [name.rpartition("_")[2] for name in public.cookies] == ["csrf"]


@pytest.mark.parametrize(
    "path", ["/numbers", "/numbers.json", "/log", "/appeal/nothing-of-that-name"]
)
def test_a_database_that_is_away_is_said_in_words(public: Client, path: str) -> None:
    """B31: 503 with a stable code and others who can help, never 500."""
    with patch(
        "django.db.backends.base.base.BaseDatabaseWrapper.ensure_connection",
        side_effect=OperationalError("away"),
    ):
        response = public.get(path)

    assert response.status_code == 503
    assert "web.away" in text_of(response)
    assert "takeitdown.ncmec.org" in text_of(response)


@pytest.mark.parametrize("path", ["/", "/report", "/return", "/help", "/inspect"])
def test_pages_that_only_ask_stand_while_the_database_is_away(public: Client, path: str) -> None:
    """B31: who comes to report finds the form; the law on it is as this process read it last."""
    with patch(
        "django.db.backends.base.base.BaseDatabaseWrapper.ensure_connection",
        side_effect=OperationalError("away"),
    ):
        assert public.get(path).status_code == 200


@pytest.mark.django_db
def test_the_numbers_are_the_same_for_people_and_programs(public: Client) -> None:
    """The page shows what the JSON says."""
    counted = json.loads(public.get("/numbers.json").content)

    page = text_of(public.get("/numbers"))

    assert counted["reports"] == 0
    assert counted["median_time_to_removal_s"] is None
    assert page.count('<svg class="bar"') == 6
    assert "Nothing has been removed yet" in page


@pytest.mark.django_db
def test_the_log_is_words_until_it_is_signed_then_a_note(public: Client) -> None:
    """/log gives the latest signed checkpoint as it is."""
    unsigned = public.get("/log")
    assert unsigned.status_code == 200
    assert "not been signed yet" in text_of(unsigned)

    made = audit.checkpoint(audit.signing_key(), now=NOON)
    response = public.get("/log")

    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text_of(response) == made.note


def test_every_contact_has_a_source_a_day_and_words_in_every_language() -> None:
    """No number stands on the help page that nobody can check."""
    source = files("haechi.server").joinpath("data/help.json")
    rows = json.loads(source.read_text(encoding="utf-8"))["rows"]

    assert {row["country"] for row in rows} <= set(contacts.COUNTRIES)
    for row in rows:
        assert row["source"].startswith("http")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["checked"])
        assert row["phone"] or row["url"]
        for words in (row["name"], row["does"], row["hours"] or dict.fromkeys(LANGUAGES, "-")):
            assert set(words) == set(LANGUAGES)
            assert all(words.values())


def test_the_nearest_contacts_come_first() -> None:
    """A Korean reader sees Korean numbers before others."""
    assert contacts.by_country("ko")[0].contacts[0].country == "KR"
    assert contacts.by_country("en")[0].contacts[0].country == "any"
