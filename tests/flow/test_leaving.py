"""The way out is on every page, also where something failed, and nothing on it says what it was."""

import re
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client

from haechi.server.public import page_token
from haechi.server.transparency import services as transparency

pytestmark = pytest.mark.django_db

NEUTRAL = {"ko": "안내", "zh-hans": "信息", "en": "Information"}


def failing(public: Client) -> dict[str, HttpResponse]:
    """Answers to requests that go well, and to requests that go wrong in every way we know."""
    strict = Client(enforce_csrf_checks=True)
    with patch.object(transparency, "count", side_effect=OperationalError):
        away = public.get("/numbers")
    token = page_token.issue()
    return {
        "receipt": public.post("/report", {"submission": token, "locations": "x.example/1"}),
        "sent twice": public.post("/report", {"submission": token, "locations": "x.example/1"}),
        "mistakes": public.post("/report", {"submission": page_token.issue()}),
        "asked": public.post("/report", {"submission": page_token.issue(), "check": "?"}),
        "no token": public.post("/report", {"locations": "x.example/1"}),
        "wrong code": public.post("/return", {"code": "1"}),
        "csrf": strict.post("/report", {}),
        "charset": public.post("/report", b"a", content_type="text/plain; charset=utf-16"),
        "not found": public.get("/no-such-page"),
        "no appeal": public.get("/appeal/none"),
        "away": away,
    }


@pytest.mark.parametrize("language", NEUTRAL)
def test_every_answer_has_the_way_out_and_a_neutral_title(public: Client, language: str) -> None:
    """B29: a link that works without scripts, the script for Escape, one word as a title."""
    public.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    answers = failing(public)

    assert answers["away"].status_code == 503
    assert answers["csrf"].status_code == 403
    for name, answer in answers.items():
        page = answer.content.decode()
        assert re.search(
            r'<a class="exit" data-exit rel="noreferrer noopener" href="https://', page
        ), name
        assert re.search(r'<script src="[^"]*public[^"]*\.js" defer>', page), name
        title = re.search(r"<title>(.*?)</title>", page)
        assert title, name
        assert title[1] in NEUTRAL.values(), name
        assert answer.headers["Cache-Control"] == "no-store", name


def test_nothing_that_was_typed_gets_into_an_address(public: Client) -> None:
    """B29: after a form is sent the address is the page's own; a history shows no more than that."""
    for answer in failing(public).values():
        assert not answer.has_header("Location")
        for address in re.findall(r'(?:action|href)="(/[^"]*)"', answer.content.decode()):
            assert "?" not in address, address
