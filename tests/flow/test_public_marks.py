"""The page that reads a file's marks: in words, in three languages, and nothing of the file stays."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings
from tests.unit import marked

from haechi.errors import DecoderCrashed, DecodeTimeout
from haechi.server import counting
from haechi.server.config import environ
from haechi.server.config.environ import Environment
from haechi.server.counting import Limit
from haechi.server.public.views import marks

HEADLINES = {
    "ko": "AI로 만들었거나 고쳤다는 표시가 있어요",
    "zh-hans": "用 AI 生成或修改",
    "en": "made or changed with AI",
}


def sent(public: Client, data: bytes, language: str = "en") -> HttpResponse:
    """The answer to one file."""
    file = SimpleUploadedFile("name-of-a-person.png", data)
    return public.post("/inspect", {"file": file}, headers={"accept-language": language})  # type: ignore[return-value]


def text_of(response: HttpResponse) -> str:
    return response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("language", HEADLINES)
def test_marks_are_told_in_words(public: Client, language: str) -> None:
    """The claim, what it is worth, who made it; and what it does not mean."""
    answer = sent(public, marked.png({"parameters": marked.A1111, "AIGC": marked.BARE}), language)
    page = text_of(answer)

    assert answer.status_code == 200
    assert HEADLINES[language] in page
    assert "Stable Diffusion web UI" in page
    assert "a lighthouse at dusk" in page
    assert marked.AIGC["ContentProducer"] in page
    assert "name-of-a-person" not in page
    assert not re.search(r"%\(|made_by_ai|contradiction\.", page)


@pytest.mark.django_db
def test_a_file_without_marks_is_not_called_real(public: Client) -> None:
    """The sentence most easily misunderstood stands in the answer."""
    page = text_of(sent(public, marked.saved(marked.picture(), "JPEG")))

    assert "We found no mark in this file." in page
    assert "That does not mean that it is real" in page


@pytest.mark.django_db
def test_findings_are_sentences(public: Client) -> None:
    """What is odd is said, and a file cannot write into the page."""
    texts = {"AIGC": '{"Label":"1","ContentProducer":"<script>alert(1)</script>"}'}
    page = text_of(sent(public, marked.png(texts)))

    assert "lacks fields" in page
    assert "<script>alert" not in page


def _crash(*_: Any, **__: Any) -> None:
    raise DecoderCrashed("died")


def _hang(*_: Any, **__: Any) -> None:
    raise DecodeTimeout("slow")


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [_crash, _hang])
def test_a_file_that_breaks_its_reader_costs_one_answer(
    public: Client, fault: Callable[..., None]
) -> None:
    """The child process is gone; the page says so calmly."""
    with patch.object(marks.sandbox(), "run", fault):
        answer = sent(public, marked.png({}))

    assert answer.status_code == 422
    assert "could not be read safely" in text_of(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [_crash, _hang])
def test_pixels_that_break_their_reader_cost_the_watermark_alone(
    public: Client, fault: Callable[..., None]
) -> None:
    """What is written in the file is read all the same, and what was not looked for is said."""
    run = marks.sandbox().run

    def careful(act: Any, *given: Any, **more: Any) -> Any:
        return run(act, *given, **more) if more.get("watermark") is False else fault()

    with patch.object(marks.sandbox(), "run", careful):
        page = text_of(sent(public, marked.png({"parameters": marked.A1111})))

    assert "Stable Diffusion web UI" in page
    assert "was not looked for" in page
    assert "was not looked for" not in text_of(sent(public, marked.png({})))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "words"),
    [(b"Dear Sir or Madam, " * 30, "no kind of file"), (b"", "no kind of file")],
)
def test_what_cannot_be_read_is_refused_in_words(public: Client, data: bytes, words: str) -> None:
    """Never with the sentences for somebody who reports."""
    answer = sent(public, data)

    assert answer.status_code == 422
    assert words in text_of(answer)


@pytest.mark.django_db
def test_no_file_and_too_much_of_one(public: Client, settings: Settings) -> None:
    """Asked again; and no more is taken into memory than the limit."""
    settings.UPLOAD_LIMIT_BYTES = 10_000

    assert public.post("/inspect", {}).status_code == 422
    answer = sent(public, marked.png_chunk(b"prVt", bytes(20_000)))
    assert answer.status_code == 413
    assert "larger than we take here" in text_of(answer)


@pytest.mark.django_db
def test_nothing_of_the_file_stays(public: Client, tmp_path: Path) -> None:
    """No row, no file, no cookie but the form's."""
    sent(public, marked.png({}))
    with (
        CaptureQueriesContext(connection) as queries,
        patch.object(tempfile, "tempdir", str(tmp_path)),
    ):
        sent(public, marked.png({"parameters": marked.A1111}))

    assert not [query for query in queries if not query["sql"].startswith("SELECT")]
    assert not list(tmp_path.iterdir())
    assert [name.rpartition("_")[2] for name in public.cookies] in ([], ["csrf"])


@pytest.mark.django_db
def test_who_asks_too_often_works_or_waits(public: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """B30: a limit for a network; what is asked without a file has none."""
    monkeypatch.setitem(counting.LIMITS, "inspect", (Limit("address", 1),))
    data = marked.saved(marked.picture(), "PNG")

    assert [sent(public, data).status_code for _ in range(2)] == [200, 429]
    assert public.get("/inspect").status_code == 200


@pytest.mark.django_db
def test_a_page_of_somebody_else_sends_no_files_here(public: Client) -> None:
    """The form's own token is asked for, whatever handler takes the file."""
    public.handler.enforce_csrf_checks = True

    assert sent(public, marked.png({})).status_code == 403


def test_anchors_are_read_when_the_process_starts(tmp_path: Path) -> None:
    """A wrong path or a file without certificates stops it, and names the variable."""
    file = tmp_path / "anchors.pem"
    file.write_text("nothing")
    for wrong in (file, tmp_path / "nowhere.pem"):
        with pytest.raises(ImproperlyConfigured, match="HAECHI_C2PA_ANCHORS_FILE"):
            environ._certificates(
                {"HAECHI_C2PA_ANCHORS_FILE": str(wrong)}, "HAECHI_C2PA_ANCHORS_FILE"
            )
    file.write_text("-----BEGIN CERTIFICATE-----\nx\n")
    read = environ._certificates(
        {"HAECHI_C2PA_ANCHORS_FILE": str(file)}, "HAECHI_C2PA_ANCHORS_FILE"
    )
    assert read is not None
    assert "c2pa_anchors" in Environment.__dataclass_fields__


@pytest.mark.django_db
def test_many_readers_leave_room_for_reports(
    public: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a few at once it says so before a byte of the file is taken; the page itself opens."""
    monkeypatch.setattr(marks, "AT_ONCE", BoundedSemaphore(1))
    data = marked.png({})
    with marks.AT_ONCE, patch.object(marks, "InMemory", side_effect=AssertionError):
        answer = sent(public, data)
        page = public.get("/inspect")

    assert answer.status_code == 503
    assert "Many files are being read just now" in text_of(answer)
    assert page.status_code == 200
    assert [sent(public, data).status_code for _ in range(2)] == [200, 200]
