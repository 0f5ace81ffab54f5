"""Who does too much works or waits; nobody loses what she wrote, and reading has no limit (B30)."""

import hashlib
import json
import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import submit
from tests.flow.status import enter

from haechi.blobs import LocalStore
from haechi.server import counting
from haechi.server.client import network_of
from haechi.server.counting import Counts, Limit
from haechi.server.public import limits, page_token, work
from haechi.server.reports.models import Report

pytestmark = pytest.mark.django_db
PLACE = "https://photos.example/1"
LANGUAGES = {"en": "Nothing you wrote is lost", "ko": "그대로", "zh-hans": "都还在"}


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of each; and little to work."""
    few = {act: (Limit("address", 1),) for act in counting.LIMITS}
    monkeypatch.setattr(counting, "LIMITS", few)
    monkeypatch.setattr(work, "LEAST_BITS", 6)
    monkeypatch.setattr(work, "MOST_BITS", 8)


def filled(**more: object) -> dict[str, object]:
    """A report of one place."""
    return {"submission": page_token.issue(), "location": PLACE, "told": "What I wrote."} | more


def worked(page: str) -> dict[str, str]:
    """What a browser with scripts adds: the number that solves the page's challenge."""
    found = re.search(r'name="work" value="([^"]+)" data-work data-bits="(\d+)"', page)
    assert found is not None
    given, bits = found[1], int(found[2])
    for number in range(100_000):
        digest = hashlib.sha256(f"{given}:{number}".encode()).digest()
        if int.from_bytes(digest, "big") >> (256 - bits) == 0:
            return {"work": given, "worked": str(number)}
    raise AssertionError("no solution")


@pytest.mark.parametrize("language", LANGUAGES)
def test_too_many_reports_are_told_in_words_and_nothing_is_lost(
    strict: None, public: Client, language: str
) -> None:
    """What was typed stays, others who can help are named, and nothing is stored."""
    assert public.post("/report", filled()).status_code == 200
    answer = public.post("/report", filled(), headers={"accept-language": language})
    page = answer.content.decode()

    assert answer.status_code == 429
    assert LANGUAGES[language] in page
    assert "web.too_many" in page
    assert "What I wrote." in page
    assert PLACE in page
    assert 'rel="external' in page or "tel:" in page or "contact" in page
    assert Report.objects.count() == 1


def test_work_passes_once(strict: None, public: Client) -> None:
    public.post("/report", filled())
    refused = public.post("/report", filled()).content.decode()
    done = worked(refused)

    assert public.post("/report", filled(**done)).status_code == 200
    assert public.post("/report", filled(**done)).status_code == 429, "each challenge passes once"
    assert Report.objects.count() == 2


@pytest.mark.parametrize(
    "changed",
    [{"worked": "-1"}, {"worked": ""}, {"worked": "9" * 40}, {"work": "report.0.x:1:forged"}],
    ids=["negative", "none", "long", "forged"],
)
def test_no_work_is_no_way_round(strict: None, public: Client, changed: dict[str, str]) -> None:
    public.post("/report", filled())
    done = worked(public.post("/report", filled()).content.decode())
    assert public.post("/report", filled(**(done | changed))).status_code == 429


def test_work_for_one_act_is_none_for_another() -> None:
    given = work.challenge("code", over=1)
    number = next(
        str(n)
        for n in range(10_000_000)
        if int.from_bytes(hashlib.sha256(f"{given}:{n}".encode()).digest(), "big")
        >> (256 - work.bits_of(given))
        == 0
    )
    assert not work.passes("report", given, number, now=NOON)
    assert work.passes("code", given, number, now=NOON)


def test_harder_where_more_came() -> None:
    easy, hard = (work.bits_of(work.challenge("code", over=over)) for over in (1.0, 1_000.0))
    assert (easy, hard) == (work.LEAST_BITS, work.MOST_BITS)


def test_a_returning_reporter_reads_whatever_others_do(strict: None, public: Client) -> None:
    """The right code gets in although her network is over its limit; and her page has none."""
    _, code = submit(places=(PLACE,))
    for _ in range(3):
        public.post("/return", {"code": "wrong"})
    assert public.post("/return", {"code": code.digits()}).status_code == 302
    for _ in range(5):
        assert public.get("/status").status_code == 200
    assert public.get("/report").status_code == 200


def test_guesses_of_codes_beside_each_other_wait(strict: None, public: Client) -> None:
    """While one of an excessive network is looked up, its others get the page that keeps the code."""
    public.post("/return", {"code": "wrong"})
    with limits.LANE:
        answer = public.post("/return", {"code": "<b>my words</b>"})
    assert answer.status_code == 429
    page = answer.content.decode()
    assert 'name="code" value="&lt;b&gt;my words&lt;/b&gt;"' in page
    assert worked(page)


def test_networks_are_counted_apart_and_kept_as_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "LIMITS", {"report": (Limit("address", 1),)})
    counts = Counts()
    assert not counts.over("report", {"address": "192.0.2.0/24"}, factor=1, now=NOON)
    assert counts.over("report", {"address": "192.0.2.0/24"}, factor=1, now=NOON) == 2
    assert not counts.over("report", {"address": "198.51.100.0/24"}, factor=1, now=NOON)
    assert not counts.over("report", {"address": "192.0.2.0/24"}, factor=9, now=NOON)
    assert "192.0.2" not in repr(counts)
    before = set(counts._seen), counts._key
    later = NOON + timedelta(days=1)
    counts.over("report", {"address": "192.0.2.0/24"}, factor=1, now=later)
    assert counts._key != before[1]
    assert not before[0] & set(counts._seen), "another day, other digests"


def test_a_window_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "LIMITS", {"report": (Limit("session", 1),)})
    counts = Counts()
    who = {"session": "a", "address": "192.0.2.0/24"}
    assert not counts.over("report", who, factor=1, now=NOON)
    assert counts.over("report", who, factor=1, now=NOON)
    assert not counts.over("report", who, factor=1, now=NOON + timedelta(hours=1))


def test_memory_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_KEPT", 10)
    counts = Counts()
    for number in range(100):
        counts.over("report", {"address": str(number)}, factor=1, now=NOON)
    assert len(counts._seen) <= 11


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("no address", "unknown"),
    ],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network


def test_appeals_are_limited_for_each_address_of_one(
    public: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "LIMITS", {"appeal": (Limit("case", 1),)})
    assert public.post("/appeal/nothing-of-that-name", {"text": "a"}).status_code == 404
    assert public.post("/appeal/nothing-of-that-name", {"text": "a"}).status_code == 429
    assert public.post("/appeal/another-nothing-else", {"text": "a"}).status_code == 404


def test_work_lets_an_addition_with_a_file_through(
    strict: None, public: Client, astronaut: bytes
) -> None:
    """The files need their handler before anybody reads the form; over the limit as well."""
    report, code = submit(places=(PLACE,))
    enter(public, code)
    assert public.post("/status/add", {"locations": f"{PLACE}2"}).status_code == 302
    typed = {"locations": f"{PLACE}3"}
    refused = public.post("/status/add", {**typed, "files": [SimpleUploadedFile("a", astronaut)]})
    assert refused.status_code == 429
    assert f"{PLACE}3" in refused.content.decode()

    done = typed | worked(refused.content.decode())
    answer = public.post("/status/add", {**done, "files": [SimpleUploadedFile("a", astronaut)]})

    assert (answer.status_code, report.exhibits.count()) == (302, 1)


def test_a_refused_addition_leaves_no_file(
    strict: None, public: Client, astronaut: bytes, settings: Settings
) -> None:
    """What was sealed while it arrived goes again."""
    _, code = submit(places=(PLACE,))
    enter(public, code)
    public.post("/status/add", {"locations": f"{PLACE}2"})
    refused = public.post("/status/add", {"files": [SimpleUploadedFile("a", astronaut)]})
    assert refused.status_code == 429
    assert not list(LocalStore(settings.BLOBS).names())


def test_only_a_page_of_ours_uses_up_the_uploads_of_its_network(
    strict: None, public: Client
) -> None:
    """Strangers shut nobody out; over the limit the script is told in JSON."""

    def begin(page: str) -> HttpResponse:
        told = {"Upload-Page": page, "Upload-Length": "5000"}
        answer: HttpResponse = public.post("/report/upload", headers=told)  # type: ignore[assignment]
        return answer

    for _ in range(3):
        assert begin("nonsense").status_code == 403
    assert begin(page_token.issue()).status_code == 201
    over = begin(page_token.issue())
    assert (over.status_code, json.loads(over.content)["code"]) == (429, "web.too_many")
