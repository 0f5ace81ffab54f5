"""The report form through HTTP: what is stored, what is refused, and that nothing typed is lost."""

import hashlib
import io
import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from tests.conftest import NOON

from haechi import seal
from haechi.blobs import LocalStore
from haechi.errors import StorageUnavailable
from haechi.server.evidence import services as evidence
from haechi.server.public import kept, page_token
from haechi.server.reports import services as reports
from haechi.server.reports import visits
from haechi.server.reports.models import Age, Report
from haechi.server.reports.return_code import ReturnCode, submission_of

pytestmark = pytest.mark.django_db

PLACE = "https://board.example/post/1"


def filled(**fields: Any) -> dict[str, Any]:
    return {
        "submission": page_token.issue(),
        "age": "under_18",
        "harms": ["made", "shared"],
        "told": "It was posted <yesterday>.",
        "location": ["", PLACE, f" {PLACE} "],
        "locations": "room @bad\r\n\r\nhttps://photos.outside.example/1",
        "declared": "on",
        "signature": "K.",
        **fields,
    }


def picture(data: bytes, name: str = "me.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/jpeg")


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


def words_in(response: HttpResponse) -> str:
    listed = re.search(r"data-code-words[^>]*>(.*?)</ol>", text_of(response), re.DOTALL)
    assert listed is not None
    return " ".join(re.findall(r"<li>(.*?)</li>", listed[1]))


def hidden(response: HttpResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', text_of(response))
    assert found is not None
    return found[1]


def test_a_report_is_sealed_before_its_code_is_shown(public: Client, astronaut: bytes) -> None:
    """B14: what shows a receipt is stored, and opens with the code that the receipt shows."""
    response = public.post("/report", filled(files=[picture(astronaut)]))

    assert response.status_code == 200
    report = Report.objects.get()
    token = visits.enter(words_in(response), now=NOON)
    found = visits.resume(token, now=NOON)
    assert found is not None
    assert found.report == report
    story = reports.story_of(report, found.identity)
    assert (story.told, story.signature, story.declared) == (
        "It was posted <yesterday>.",
        "K.",
        True,
    )
    assert story.files == {"1": "me.jpg"}
    assert list(reports.addresses_of(report, found.identity).values()) == [
        PLACE,
        "room @bad",
        "https://photos.outside.example/1",
    ]
    assert (report.age, report.harms, report.language) == (Age.UNDER_18, ["made", "shared"], "en")
    exhibit = report.exhibits.get()
    assert evidence.open_exhibit(exhibit, actor="t", reason="t", now=NOON) == astronaut


def test_the_code_is_in_the_answer_and_nowhere_else(
    public: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """B05: no cookie, no header, no log line and no address holds it; digits are shown too."""
    with caplog.at_level(logging.DEBUG):
        response = public.post("/report", filled())

    code = ReturnCode.parse(words_in(response))
    assert code.digits() in text_of(response)
    assert "Location" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    elsewhere = f"{response.headers} {public.cookies} {caplog.text}"
    assert words_in(response) not in elsewhere
    assert code.digits() not in elsewhere


@pytest.mark.parametrize("language", ["ko", "zh-hans"])
def test_the_code_is_in_the_readers_language(public: Client, language: str) -> None:
    """The same number, in words she reads."""
    response = public.post("/report", filled(), headers={"accept-language": language})

    code = ReturnCode.parse(words_in(response))
    assert code.words(language) == words_in(response).split()
    assert Report.objects.get().language == language


def test_the_same_form_twice_makes_one_report(public: Client, astronaut: bytes) -> None:
    """A double click: the second answer is the same receipt; its copy of the file is dropped."""
    form = filled()
    first = public.post("/report", {**form, "files": [picture(astronaut)]})
    stored = list(LocalStore(django_settings.BLOBS).names())

    second = public.post("/report", {**form, "files": [picture(astronaut)]})

    assert second.status_code == 200
    assert without_csrf(text_of(second)) == without_csrf(text_of(first))
    assert "1 file locked" in text_of(second)
    assert "3 places noted" in text_of(second)
    assert list(LocalStore(django_settings.BLOBS).names()) == stored
    found = visits.resume(visits.enter(words_in(second), now=NOON), now=NOON)
    assert found is not None
    assert found.report == Report.objects.get()


def without_csrf(page: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


def test_a_second_sending_with_less_shows_what_is_stored(public: Client, astronaut: bytes) -> None:
    """The numbers are those of the report, not of the page that came again."""
    form = filled(files=[picture(astronaut)])
    first = public.post("/report", form)

    second = public.post("/report", {**form, "location": [PLACE], "files": []})

    assert without_csrf(text_of(second)) == without_csrf(text_of(first))


@pytest.mark.parametrize("what", ["place", "picture"])
def test_a_second_sending_with_more_says_that_it_was_not_taken(
    public: Client, astronaut: bytes, cat: bytes, what: str
) -> None:
    """Nobody goes away believing that what she added is in the report."""
    form = filled()
    first = public.post("/report", {**form, "files": [picture(astronaut)]})
    assert "had been sent before" not in text_of(first)
    added = {"location": ["elsewhere"]} if what == "place" else {}
    files = [picture(astronaut), *([picture(cat)] if what == "picture" else [])]

    second = public.post("/report", {**form, **added, "files": files})

    assert "This page had been sent before." in text_of(second)
    assert "What you added now was not taken." in text_of(second)
    assert 'href="/return"' in text_of(second)
    assert words_in(second) == words_in(first)
    assert Report.objects.get().exhibits.count() == 1


def forget_committed() -> None:
    """What threads committed. The log's own triggers, rightly, would keep its rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in ("reports_location", "reports_report", "audit_entry", "procrastinate_jobs"):
            cursor.execute(f"DELETE FROM {table}")
    connection.close()


def test_ten_sendings_at_once_make_one_report_with_one_code(public: Client) -> None:
    """Every answer shows the code, whichever of them was first; each commits by itself."""
    form = filled()

    def send(_: int) -> HttpResponse:
        try:
            return Client(headers={"accept-language": "en"}).post("/report", form)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        try:
            answers = list(pool.map(send, range(10)))
            report = Report.objects.get()
        finally:
            pool.submit(forget_committed).result()

    assert [answer.status_code for answer in answers] == [200] * 10
    assert len({without_csrf(text_of(answer)) for answer in answers}) == 1
    lookup = ReturnCode.parse(words_in(answers[0])).lookup(django_settings.HAECHI.pepper_lookup)
    assert lookup == bytes(report.lookup)


def test_the_stored_row_gives_neither_the_token_nor_the_code(public: Client) -> None:
    """B03: what a thief of the database holds is a hash; nothing in it leads to the code."""
    form = filled()
    code = ReturnCode.parse(words_in(public.post("/report", form)))

    report = Report.objects.get()
    row = " ".join(
        bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
        for value in Report.objects.filter(pk=report.pk).values_list()[0]
    )
    assert report.submission == submission_of(form["submission"])
    for secret in (form["submission"], form["submission"].split(":")[0]):
        assert secret not in row
        assert secret.encode().hex() not in row
    assert f"{code.number:022x}" not in row
    assert str(code.number) not in row
    assert ReturnCode.from_seed(report.submission.bytes) != code
    assert ReturnCode.from_seed(str(report.submission).encode()) != code


def test_a_page_that_was_open_for_a_day_is_sent_once_more(public: Client, astronaut: bytes) -> None:
    """An old token is replaced, with every word and picture kept."""
    with patch("django.core.signing.time.time", return_value=time.time() - 24 * 3600 - 60):
        old = hidden(public.get("/report"), "submission")

    told = public.post("/report", filled(submission=old, files=[picture(astronaut)]))

    assert told.status_code == 422
    assert "open for too long" in text_of(told)
    assert "It was posted &lt;yesterday&gt;." in text_of(told)
    fresh = hidden(told, "submission")
    assert fresh != old
    again = public.post("/report", filled(submission=fresh, kept=hidden(told, "kept")))
    assert again.status_code == 200
    assert Report.objects.get().exhibits.count() == 1


def test_a_second_sending_without_the_database_keeps_everything(public: Client) -> None:
    """The report is there, but cannot be read: say so, and leave the page to be sent again."""
    form = filled()
    first = public.post("/report", form)
    with patch("haechi.server.public.views.report.reports.received", side_effect=OperationalError):
        assert_closed(public.post("/report", form))

    assert words_in(public.post("/report", form)) == words_in(first)


@pytest.mark.parametrize("path", ["/report", "/return"])
@pytest.mark.parametrize(
    "charset",
    ["utf-7", "unicode_escape", "rot13", "idna", "base64", "zlib", "undefined", "nothing", "utf8"],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_in_another_charset_is_refused(
    public: Client, path: str, charset: str, kind: str
) -> None:
    """Only utf-8 is read; anything else is an answer with a code, not an error."""
    body = b'--b\r\nContent-Disposition: form-data; name="code"\r\n\r\n+AGE-\r\n--b--\r\n'

    kind = f"{kind}; boundary=b; charset={charset}"
    response = public.generic("POST", path, body, content_type=kind)

    assert response.status_code == 400
    assert "web.too_large" in text_of(response)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8"])
def test_a_body_that_says_it_is_utf_8_is_read(public: Client, charset: str) -> None:
    """Some browsers and tools name it."""
    kind = f"application/x-www-form-urlencoded; charset={charset}"

    assert public.generic("POST", "/return", b"code=a", content_type=kind).status_code == 403


def test_the_desk_refuses_another_charset_too(desk: Client) -> None:
    """The login form is read by the same rule."""
    kind = "application/x-www-form-urlencoded; charset=rot13"

    response = desk.generic("POST", "/login", b"username=a", content_type=kind)

    assert response.status_code == 400
    assert "web.too_large" in text_of(response)


def test_an_empty_form_is_told_so_and_keeps_what_was_typed(public: Client) -> None:
    """Neither a place nor a picture: report.empty, with everything still there."""
    form = filled(location=["", "  "], locations="\n \n", contact="me@example.org")

    response = public.post("/report", form)

    page = text_of(response)
    assert response.status_code == 422
    assert "report.empty" in page
    assert 'href="#id_locations"' in page
    assert "It was posted &lt;yesterday&gt;." in page
    assert 'value="me@example.org"' in page
    assert re.search(r'value="under_18"[^>]*checked', page)
    assert hidden(response, "submission") == form["submission"]
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"This is a letter, not a picture. " * 40, "media.not_media"),
        (b"", "media.not_media"),
        (b"\xff\xd8\xff\xe0" + bytes(51 * 1024 * 1024), "media.too_many_bytes"),
    ],
    ids=["text", "empty", "51 MB"],
)
def test_a_file_that_is_refused_has_its_code_and_words(
    public: Client, data: bytes, code: str
) -> None:
    """The page names the file and why; the report is not sent, nothing of the file stays."""
    response = public.post("/report", filled(files=[picture(data, "<odd>.jpg")]))

    page = text_of(response)
    assert response.status_code == 422
    assert f"({code})" in page
    assert "&lt;odd&gt;.jpg" in page
    assert PLACE in page
    assert not Report.objects.exists()
    assert not list(LocalStore(django_settings.BLOBS).names())


def test_a_stream_of_60_mb_is_cut_off_while_it_arrives(public: Client) -> None:
    """B13: counted while streaming; the answer is a page, not an error."""
    stream = io.BytesIO(b"\xff\xd8\xff\xe0" + bytes(60 * 1024 * 1024))
    stream.name = "long.jpg"

    response = public.post("/report", filled(files=[stream]))

    assert response.status_code == 422
    assert "media.too_many_bytes" in text_of(response)


def test_good_files_survive_beside_a_refused_one(
    public: Client, astronaut: bytes, cat: bytes
) -> None:
    """One of two is refused; the second send brings a third: the report holds both good ones."""
    form = filled()
    first = public.post(
        "/report", {**form, "files": [picture(astronaut, "one.jpg"), picture(b"no" * 400, "two")]}
    )
    assert "Leave out one.jpg" in text_of(first)

    second = public.post(
        "/report",
        {**form, "kept": hidden(first, "kept"), "files": [picture(cat, "three.jpg")]},
    )

    assert second.status_code == 200
    exhibits = list(Report.objects.get().exhibits.all())
    opened = [evidence.open_exhibit(each, actor="t", reason="t", now=NOON) for each in exhibits]
    assert opened == [astronaut, cat]
    token = visits.enter(words_in(second), now=NOON)
    found = visits.resume(token, now=NOON)
    assert found is not None
    assert reports.story_of(found.report, found.identity).files == {
        "1": "one.jpg",
        "2": "three.jpg",
    }
    assert len(list(LocalStore(django_settings.BLOBS).names())) == 2
    for exhibit in exhibits:
        with LocalStore(django_settings.BLOBS).open(exhibit.blob) as stored:
            assert hashlib.sha256(stored.read()).digest() == bytes(exhibit.cipher_sha256)


def test_a_kept_file_can_be_left_out(public: Client, astronaut: bytes) -> None:
    """She ticks it away; the report goes without it."""
    form = filled(location=[], locations="")
    first = public.post("/report", {**form, "signature": "K" * 201, "files": [picture(astronaut)]})

    second = public.post("/report", {**form, "kept": hidden(first, "kept"), "drop": ["0"]})

    assert second.status_code == 422
    assert "report.empty" in text_of(second)


def test_a_kept_file_alone_is_enough(public: Client, astronaut: bytes) -> None:
    """No place and no new file: what was kept makes the report."""
    form = filled(location=[], locations="")
    first = public.post("/report", {**form, "signature": "K" * 201, "files": [picture(astronaut)]})

    second = public.post("/report", {**form, "kept": hidden(first, "kept")})

    assert second.status_code == 200
    assert Report.objects.get().exhibits.count() == 1


def test_a_token_that_is_too_old_or_made_up_is_said(
    public: Client, astronaut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report is not sent silently without its pictures."""
    form = filled()
    first = public.post("/report", {**form, "signature": "K" * 201, "files": [picture(astronaut)]})
    token = hidden(first, "kept")
    monkeypatch.setattr(kept, "TTL_S", -1)

    for given in (token, "made up", "x" * 5000):
        response = public.post("/report", {**form, "kept": given})
        assert response.status_code == 422
        assert "Please add them again" in text_of(response)
    assert not Report.objects.exists()


def test_the_token_shows_nothing_of_what_it_holds(public: Client, astronaut: bytes) -> None:
    """It stands in a page: neither name, nor blob, nor identity is readable in it."""
    identity = seal.new_identity()
    first = public.post("/report", filled(signature="K" * 201, files=[picture(astronaut)]))
    token = hidden(first, "kept")

    held = kept.read(token)

    assert held is not None
    for secret in (held.identity, held.files[0].blob, held.files[0].name):
        assert secret not in token
        assert secret == held.files[0].name or secret not in text_of(first)
    assert kept.Kept(identity, held.files).token() != token


def test_six_files_are_five_and_a_kind_word(public: Client, astronaut: bytes) -> None:
    """The sixth is named; the five are kept."""
    files = [picture(astronaut, f"{n}.jpg") for n in range(6)]

    response = public.post("/report", filled(files=files))

    page = text_of(response)
    assert response.status_code == 422
    assert "5.jpg: One report takes up to 5 files" in page
    assert page.count("Leave out") == 5


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("location", [f"https://a.example/{n}" for n in range(201)], "up to 200 places"),
        ("location", ["https://a.example/" + "x" * 2000], "longer than 2000 characters"),
        ("told", "x" * 20_001, "at most 20000 characters"),
        ("age", "elephant", "valid choice"),
        ("harms", ["elephant"], "valid choice"),
        ("submission", "", "open for too long"),
        ("submission", "a1b2c3:1vMabc:forged", "open for too long"),
    ],
)
def test_what_does_not_fit_is_said_and_kept(
    public: Client, field: str, value: object, words: str
) -> None:
    """Limits are answered with words beside everything that was typed."""
    response = public.post("/report", filled(**{field: value}))

    assert response.status_code == 422
    assert words in text_of(response)
    assert "It was posted" in text_of(response) or field == "told"
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    "place",
    ["http://[", "//", "javascript:alert(1)", "\x00", "http://a\x00b.example", "\u202eevil"],
)
def test_odd_places_are_text_like_any_other(public: Client, place: str) -> None:
    """Whatever she pastes is sealed as it is, or dropped where it is nothing."""
    response = public.post("/report", filled(location=[place, PLACE], locations=""))

    assert response.status_code == 200
    assert Report.objects.get().locations.count() == (1 if place == "\x00" else 2)


def test_a_body_of_fields_beyond_reason_is_refused(public: Client) -> None:
    """More text than the process holds is an answer with a code, not an error."""
    response = public.post("/report", filled(told="x" * 600_000))

    assert response.status_code == 413
    assert "web.too_large" in text_of(response)


def test_without_a_form_token_nothing_is_taken(public: Client) -> None:
    """A form from elsewhere is refused in words."""
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})

    response = strict.post("/report", filled())

    assert response.status_code == 403
    assert "web.csrf" in text_of(response)
    assert not Report.objects.exists()


def assert_closed(response: HttpResponse) -> None:
    page = text_of(response)
    assert response.status_code == 503
    assert "report.intake_closed" in page
    assert "takeitdown.ncmec.org" in page
    assert "It was posted &lt;yesterday&gt;." in page
    assert PLACE in page


def test_no_disk_is_said_and_other_help_offered(
    public: Client, astronaut: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """B31: storage away while the file arrives."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setattr(django_settings, "BLOBS", blocked)

    response = public.post("/report", filled(files=[picture(astronaut)]))

    assert_closed(response)
    assert not Report.objects.exists()


def test_no_database_is_said_and_the_picture_is_kept(public: Client, astronaut: bytes) -> None:
    """B31: once the database is back, the same page is enough."""
    form = filled()
    with patch("haechi.server.flow.intake.reports.receive", side_effect=OperationalError("away")):
        closed = public.post("/report", {**form, "files": [picture(astronaut)]})
    assert_closed(closed)

    again = public.post("/report", {**form, "kept": hidden(closed, "kept")})

    assert again.status_code == 200
    assert Report.objects.get().exhibits.count() == 1


def test_a_disk_that_fails_in_between_loses_no_kept_file(
    public: Client, astronaut: bytes, cat: bytes
) -> None:
    """Joining old and new fails: the page still carries what it carried."""
    form = filled()
    first = public.post("/report", {**form, "signature": "K" * 201, "files": [picture(astronaut)]})
    with patch.object(kept, "join", side_effect=StorageUnavailable("full")):
        closed = public.post(
            "/report", {**form, "kept": hidden(first, "kept"), "files": [picture(cat)]}
        )
    assert_closed(closed)

    again = public.post("/report", {**form, "kept": hidden(closed, "kept")})

    assert again.status_code == 200
    assert Report.objects.get().exhibits.count() == 1


def test_clocks_that_need_a_signature_are_named_only_with_it(public: Client) -> None:
    """The receipt says which deadlines may run, and what a missing signature means."""
    signed = text_of(public.post("/report", filled()))
    unsigned = text_of(public.post("/report", filled(signature="")))

    clock = "TAKE IT DOWN Act, section 3: until"
    assert clock in signed
    assert clock not in unsigned
    lacks = r'data-given="no" data-ways="signed"'
    assert re.search(lacks, unsigned)
    assert not re.search(lacks, signed)
