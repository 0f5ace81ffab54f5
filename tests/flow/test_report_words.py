"""What the form asks beyond the place and the picture: sealed, skippable, and put to the law."""

import dataclasses
import json
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import submit

from haechi import law, seal
from haechi.server import flow, law_words
from haechi.server.cases import claims
from haechi.server.cases.models import Case, Clock
from haechi.server.public import page_token
from haechi.server.reports import services as reports
from haechi.server.reports.models import Age, Filer, Report
from haechi.server.reports.places import MOST_PLACES
from haechi.server.reports.story import Circulating, Relation, Shows, Story
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db

EVERYTHING: dict[str, Any] = {
    "age": "adult",
    "filer": "parent",
    "authority": "I am her mother; she asked me to.",
    "danger": "on",
    "harms": ["watched", "doxxed"],
    "told": "It is in two rooms.",
    "shows": ["sexual", "forged"],
    "who": "the one on the left",
    "circulating": ["names", "phones"],
    "relation": "schoolmate",
    "relation_told": "maybe from 3-B",
    "locations": "t.me/Bad_room/4\n@somebody\n우리 반 단톡방",
    "declared": "on",
    "signature": "K.",
    "contact": "k@example.org",
}


def sent(public: Client, **fields: Any) -> HttpResponse:
    return public.post("/report", {"submission": page_token.issue(), **fields})


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def test_every_answer_is_sealed_and_opens_again(public: Client) -> None:
    """Only the facets that order the queue stand in clear; no word, name or place does."""
    assert sent(public, **EVERYTHING).status_code == 200

    report = Report.objects.get()
    assert (report.danger, report.filer, report.harms) == (True, "parent", ["watched", "doxxed"])
    story = reports.story_of(report)
    assert (story.shows, story.circulating) == (["sexual", "forged"], ["names", "phones"])
    assert (story.who, story.relation, story.relation_told) == (
        "the one on the left",
        "schoolmate",
        "maybe from 3-B",
    )
    assert story.authority == "I am her mother; she asked me to."
    assert list(reports.addresses_of(report).values()) == EVERYTHING["locations"].split("\n")
    with connection.cursor() as cursor:
        for table in ("reports_report", "reports_location", "audit_entry"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            stored = " ".join(row[0] for row in cursor.fetchall())
            for word in ("mother", "left", "schoolmate", "3-B", "phones", "Bad_room", "단톡방"):
                assert word not in stored, (table, word)


def test_every_question_may_be_skipped_but_a_place_or_a_picture(public: Client) -> None:
    """One line with a place is a report; silence is no adult."""
    assert sent(public, locations="우리 반 단톡방").status_code == 200

    report = Report.objects.get()
    assert (report.age, report.filer, report.danger) == (Age.UNSAID, Filer.SELF, False)
    assert report.maybe_minor
    assert not report.minor
    assert reports.story_of(report) == Story()


def test_one_block_takes_two_hundred_places_and_one_more_is_explained(public: Client) -> None:
    lines = [f"https://forum.example/{n}" for n in range(MOST_PLACES)]
    refused = sent(public, locations="\n".join([*lines, "https://forum.example/more"]))
    assert refused.status_code == 422
    assert "https://forum.example/more" in text_of(refused)
    assert sent(public, locations="\r\n".join([*lines, f"{lines[0]}/"])).status_code == 200
    assert Report.objects.get().locations.count() == MOST_PLACES


def test_the_receipt_shows_how_each_place_was_understood(public: Client) -> None:
    page = text_of(sent(public, **EVERYTHING))
    for words in ("A message in a chat", "(Telegram)", "An account", "a person here reads it"):
        assert words in page, words


def test_asking_what_is_missing_sends_nothing_and_keeps_everything(
    public: Client, settings: Settings
) -> None:
    """Without scripts the button answers; nothing is stored (B28)."""
    settings.HAECHI = dataclasses.replace(settings.HAECHI, jurisdictions=("US", "KR"))
    page = text_of(sent(public, check="Check", **EVERYTHING | {"signature": ""}))

    assert not Report.objects.exists()
    assert "Nothing was sent yet" in page
    assert 'value="k@example.org"' in page
    assert "t.me/Bad_room/4\n@somebody" in page
    given = re.findall(r'data-given="(\w+)" data-ways="signed"', page)
    assert given == ["no"]


@pytest.mark.parametrize("lacking", ["signature", "declared", "locations", "authority"])
def test_the_clock_of_a_law_starts_only_with_all_its_elements(
    public: Client, settings: Settings, lacking: str
) -> None:
    """Each element the TAKE IT DOWN Act asks for; a contact is there with every report."""
    settings.HAECHI = dataclasses.replace(settings.HAECHI, jurisdictions=("US", "KR"))
    fields = EVERYTHING | {"contact": ""}
    fields[lacking] = "the class chat" if lacking == "locations" else ""
    assert sent(public, **fields).status_code == 200
    case = flow.open_case(Report.objects.get(), now=timezone.now())

    assert list(case.clocks.values_list("rule", flat=True)) == ["kr_tba_report_result"]


def test_what_is_supplied_later_starts_the_clock_from_then(settings: Settings) -> None:
    """The first clock keeps its time; the new one runs from when the request was complete."""
    settings.HAECHI = dataclasses.replace(settings.HAECHI, jurisdictions=("US", "KR"))
    report, _ = submit(places=("https://x.example/1",))
    whole = bytes(report.sealed)
    unsigned = dataclasses.replace(reports.story_of(report), signature="")
    Report.objects.update(sealed=seal.seal(unsigned.to_bytes(), report.recipient))
    case = flow.open_case(Report.objects.get(), now=NOON)
    assert list(case.clocks.values_list("rule", flat=True)) == ["kr_tba_report_result"]

    Report.objects.update(sealed=whole)
    later = timezone.now()
    for _again in range(2):
        flow.complete_request(str(report.pk), later.isoformat())

    assert Clock.objects.get(rule="us_tida_remove").started_at == later
    assert Clock.objects.get(rule="kr_tba_report_result").started_at == report.received_at


def test_a_story_of_another_version_opens() -> None:
    """What was sealed before has fewer fields, what comes later may have more."""
    old = {"told": "a", "contact": "", "declared": True, "signature": "K.", "files": {"1": "x"}}
    assert Story.from_bytes(json.dumps(old).encode()).relation == ""
    assert Story.from_bytes(json.dumps(old | {"later": 1}).encode()).told == "a"


def test_help_is_on_the_page_before_anybody_needs_it(public: Client) -> None:
    """A child and somebody in danger see whom to call at once, without scripts."""
    page = text_of(public.get("/report"))
    child = page[page.index("for-child") : page.index("id_danger")]
    assert "takeitdown.ncmec.org" in child
    danger = page[page.index("for-danger") : page.index("ask-more")]
    assert 'href="tel:112"' in danger


@pytest.mark.parametrize("fields", [{"age": "under_18"}, {"danger": "on"}])
def test_the_receipt_repeats_whom_to_call(public: Client, fields: dict[str, str]) -> None:
    assert 'id="now"' in text_of(sent(public, locations="x.example/1", **fields))
    assert 'id="now"' not in text_of(sent(public, locations="x.example/1", age="adult"))


def test_the_case_shows_what_was_told_and_that_a_guess_is_a_guess(
    desk: Client, reviewer: User
) -> None:
    """Who files, how they may, danger, relation; to a reviewer, and the reading is logged."""
    report, _ = submit(places=("t.me/bad/4",))
    story = Story(
        told="x",
        shows=[Shows.FORGED, "of a later version"],
        circulating=[Circulating.ADDRESSES],
        relation=Relation.PARTNER,
        relation_told="<b>him</b>",
    )
    Report.objects.update(
        filer=Filer.FRIEND,
        danger=True,
        age=Age.UNDER_18,
        sealed=seal.seal(story.to_bytes(), report.recipient),
    )
    case = flow.open_case(Report.objects.get(), now=NOON)
    desk.force_login(reviewer)
    claims.claim(case, reviewer, now=timezone.now())

    page = text_of(desk.get(f"/case/{case.pk}"))

    for words in (
        "a friend or somebody trusted",
        "authority not stated",
        "somebody may be hurt soon",
        "It is fake",
        "of a later version",
        "A home address",
        "A partner, or a former one",
        "&lt;b&gt;him&lt;/b&gt;",
        "no finding",
        "A message in a chat",
        "A person under 18.",
    ):
        assert words in page, words


def test_every_element_has_words_in_every_language() -> None:
    """What a law lacks is said in the reader's language, never as a key."""
    for language in ("ko", "zh-hans", "en"):
        with translation.override(language):
            rows = law_words.shown(
                law.standings(frozenset(), frozenset({"US", "EU", "UK", "IN", "CN", "KR"})),
                {rule.id: rule for rule in law.rules()},
            )
            assert len(rows) == 6
            said = [str(item.words) for row in rows for item in row.items]
            assert all(said)
            if language != "en":
                assert not any(re.search(r"[A-Za-z]{4,} [a-z]{3,}", words) for words in said)


def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_an_unsaid_age_counts_as_maybe_a_child_for_the_law() -> None:
    submit(places=("https://x.example/1",))
    Report.objects.update(age=Age.UNSAID)
    case = flow.open_case(Report.objects.get(), now=NOON)
    assert Case.objects.get(pk=case.pk).report.maybe_minor
    assert not case.minor
