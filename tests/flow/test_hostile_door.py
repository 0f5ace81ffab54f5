"""B16 and script at the door: hostile bodies through the real form, hostile words in every field.

What a page shows of them is read as a browser reads it: parsed, then searched for what could run.
"""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django import forms
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings
from tests.flow.conftest import BOARD_URL, host
from tests.flow.status import code_on, enter, text_of

from haechi.server import flow
from haechi.server.cases.models import Action, Case, Decision
from haechi.server.evidence.models import Exhibit
from haechi.server.matching.models import Hosted, Platform
from haechi.server.public import page_token
from haechi.server.public.forms import ReportForm
from haechi.server.reports.models import Report
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db

SCRIPT = "\"'></textarea></title></option><svg onload=alert(7)><script>alert(7)</script>{{7*7}}"
BOUNDARY = "limit"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
ANSWERS = {200, 400, 413, 422}


class Running(HTMLParser):
    """What of a page could run: handlers, scripts of its own, addresses that are script, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        told = dict(attrs)
        if (tag == "script" and not (told.get("src") or "").startswith("/static/")) or tag in {
            "iframe", "object", "embed", "base",
        }:  # fmt: skip
            self.found.append(tag)
        for name, value in attrs:
            bare = "".join((value or "").split()).lower()
            if name == "data-copy":
                continue  # Only ever text: what the button puts on the clipboard (web/src/copying.ts).
            if name.startswith("on") or bare.startswith(("javascript:", "data:text", "vbscript:")):
                self.found.append(f"{tag} {name}={value}")


def runs(page: str) -> list[str]:
    """What could run in `page`."""
    reader = Running()
    reader.feed(page)
    return reader.found


def test_the_search_finds_what_runs() -> None:
    assert runs(f"<p>{SCRIPT}</p>") == ["svg onload=alert(7)", "script"]
    assert runs('<a href=" java\nscript:alert(7)">x</a>') != []
    assert runs('<script src="/static/a.js" defer></script>') == []


def body(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body as somebody writes it by hand: header lines and content of each part."""
    made = b"".join(
        b"--limit\r\n" + head.encode(errors="surrogatepass") + b"\r\n\r\n" + held + b"\r\n"
        for head, held in parts
    )
    return made + b"--limit--\r\n"


def field(name: str, value: str) -> tuple[str, bytes]:
    """One field."""
    return f'Content-Disposition: form-data; name="{name}"', value.encode()


def form(*more: tuple[str, bytes]) -> bytes:
    """A report of one place, with more parts."""
    return body(field("submission", page_token.issue()), field("location", BOARD_URL), *more)


def file(name: str, data: bytes, kind: str = "image/jpeg") -> tuple[str, bytes]:
    """One file; `name` stands in its head as it is."""
    disposition = f'Content-Disposition: form-data; name="files"; filename="{name}"'
    return f"{disposition}\r\nContent-Type: {kind}", data


def post(public: Client, data: bytes, kind: str = FORM) -> HttpResponse:
    """Send it, and see that the next visitor is served."""
    answer: Any = public.generic("POST", "/report", data, content_type=kind)
    assert answer.status_code in ANSWERS, answer.status_code
    assert runs(text_of(answer)) == []
    assert public.get("/help").status_code == 200
    return answer  # type: ignore[no-any-return]


NAMES = {
    "path": "../../../../etc/passwd.jpg",
    "windows": "..\\..\\boot.ini",
    "absolute": "/etc/cron.d/x.jpg",
    "right to left": "\u202egpj.exe",
    "nul": "a\0b.jpg",
    "long": "x" * 4096 + ".jpg",
    "dots": "..",
    "nothing": "",
    "device": "CON",
    "script": SCRIPT.replace('"', "&quot;"),
    "header": "a.jpg\r\nX-Evil: 1\r\nSet-Cookie: evil=1",
    "percent": "%2e%2e%2fa.jpg%00%0d%0aX-Evil:1",
    "surrogate": "\ud83d.jpg",
    "encoded": "=?utf-8?b?Li4vYQ==?=",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_b16_odd_names_of_files(public: Client, cat: bytes, name: str) -> None:
    """Stored under a name of ours; shown, where it is shown, as text; in no header."""
    shown = post(public, form(file(name, cat), field("check", "1")))
    taken = post(public, form(file(name, cat)))

    for answer in (shown, taken):
        assert "evil" not in str(answer.headers).lower() + str(answer.cookies).lower()
    folder = django_settings.BLOBS.resolve()
    for path in folder.rglob("*"):
        assert path.resolve().is_relative_to(folder)
        assert path.is_dir() or set(path.name.partition(".")[0]) <= set("0123456789abcdef")
    for exhibit in Exhibit.objects.all():
        assert len(exhibit.blob) == 32


def bomb() -> bytes:
    """A PNG of 60,000 x 60,000 pixels in a few kilobytes."""

    def chunk(name: bytes, held: bytes) -> bytes:
        return (
            struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held))
        )

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(7_501) * 500)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zipped() -> bytes:
    """A ZIP with a path trick in it, and ten megabytes of nothing."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../evil", bytes(10_000_000))
    return out.getvalue()


GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"  # fmt: skip
PAGE = b"<!doctype html><script>alert(7)</script>"


def hostile(cat: bytes) -> Iterator[tuple[bytes, bool]]:
    """Files, and whether their first bytes are those of a picture."""
    comment = b"\xff\xfe" + struct.pack(">H", len(PAGE) + 2) + PAGE
    yield cat[:2] + comment + cat[2:] + PAGE, True
    yield GIF + zipped(), True
    yield GIF[:6] + PAGE, True
    yield cat[: len(cat) // 2], True
    yield cat[:20], True
    yield bomb(), True
    yield b"\x89PNG\r\n\x1a\n" + bytes(600), True
    yield zipped(), False
    yield PAGE, False
    yield b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(7)"/>', False
    yield b"%PDF-1.7\n" + bytes(600), False
    yield b"MZ" + bytes(600), False
    yield b"\x7fELF" + bytes(600), False
    yield b"#!/bin/sh\nid\n", False
    yield b"push graphic-context\nviewbox 0 0 1 1\nfill 'url(https://a.example/\"|id\")'\n", False
    yield b"", False


@pytest.mark.slow
def test_b16_odd_files_are_kept_as_evidence_or_refused_with_a_code(
    public: Client, desk: Client, cat: bytes, reviewer: User, settings: Settings
) -> None:
    """What begins like a picture is kept and opened in a decoder; the rest is refused at once."""
    for data, picture in hostile(cat):
        _at(settings, "public")
        answer = post(public, form(file("me.jpg", data)))
        assert answer.status_code == (200 if picture else 422), data[:20]
        assert picture or "media." in text_of(answer)
    assert Exhibit.objects.count() == Report.objects.count() == 7
    for report in Report.objects.all():
        flow.examine(report, last_try=True)
    assert Case.objects.count() == 7, "a bad file keeps no report from a person"
    usable = [each for each in Exhibit.objects.all() if each.state == "fingerprinted"]
    assert len(usable) < 7
    _at(settings, "desk")
    desk.force_login(reviewer)
    for case in Case.objects.all():
        desk.post(f"/case/{case.pk}/open", {"purpose": "review"})
        page = desk.get(f"/case/{case.pk}")
        assert page.status_code == 200
        assert runs(page.content.decode()) == []
        for exhibit in case.report.exhibits.all():
            desk.post(f"/case/{case.pk}/exhibit/{exhibit.pk}/lift")
            for path in (f"/exhibit/{exhibit.pk}", f"/exhibit/{exhibit.pk}/picture"):
                shown: Any = desk.get(path)
                held = b"".join(shown.streaming_content) if shown.streaming else shown.content
                assert shown.status_code < 500
                assert shown["Content-Type"].startswith("image/") or runs(held.decode()) == []
                assert PAGE not in held, "only what was drawn anew leaves"


DEEP = "Content-Type: multipart/mixed; boundary=limit"
BODIES: dict[str, tuple[bytes, str]] = {
    "no boundary": (b"--limit\r\n", "multipart/form-data"),
    "long boundary": (b"x", f"multipart/form-data; boundary={'x' * 5_000}"),
    "boundary with signs": (b"x", 'multipart/form-data; boundary="\u00e9"'),
    "never ends": (b"--limit\r\n" + b"a" * 100_000, FORM),
    "no end": (form(file("a.jpg", b"\xff\xd8\xff" + bytes(9_000)))[:-3_000], FORM),
    "long head": (body(("X: " + "y" * 200_000, b"")), FORM),
    "many parts": (body(*(field(f"f{n}", "") for n in range(3_000))), FORM),
    "many files": (body(*(file("a.jpg", b"\xff\xd8\xff") for _ in range(300))), FORM),
    "nested": (body((DEEP, body((DEEP, body(field("told", "x")))))), FORM),
    "deep": (b"--limit\r\n" * 20_000, FORM),
    "base64": (
        body((field("told", "")[0] + "\r\nContent-Transfer-Encoding: base64", b"%%%")),
        FORM,
    ),
    "two names": (body(('Content-Disposition: form-data; name="a"; name="told"', b"x")), FORM),
    "no name": (body(("Content-Disposition: form-data", b"x")), FORM),
    "long field": (body(field("told", "x" * 700_000)), FORM),
    "nul in a field": (body(field("told", "a\0b")), FORM),
    "bad utf-8": (body((field("told", "")[0], b"\xff\xfe\xc3")), FORM),
    "header in a field": (body(field("language", "ko\r\nSet-Cookie: evil=1")), FORM),
    "json": (json.dumps({"told": SCRIPT}).encode(), "application/json"),
    "nothing": (b"", FORM),
}


@pytest.mark.parametrize(("data", "kind"), BODIES.values(), ids=BODIES)
def test_b16_odd_bodies(public: Client, data: bytes, kind: str) -> None:
    """Nothing is stored of them, and nobody waits for them."""
    answer = post(public, data, kind)

    assert answer.status_code in {400, 413, 422}
    assert "evil" not in str(answer.headers).lower() + str(answer.cookies).lower()
    assert Report.objects.count() == 0


def _at(settings: Settings, surface: str) -> None:
    settings.ROOT_URLCONF = f"haechi.server.config.urls_{surface}"
    settings.MIDDLEWARE = getattr(settings, f"MIDDLEWARE_{surface.upper()}")


def free_fields() -> list[str]:
    """Every field of the report form that takes what somebody types, or what a page put there."""
    typed = forms.CharField | forms.ChoiceField | forms.MultipleChoiceField
    return [name for name, each in ReportForm.base_fields.items() if isinstance(each, typed)]


@pytest.mark.parametrize("name", [*free_fields(), "location", "sealed", "work"])
def test_script_in_a_field_comes_back_as_text(public: Client, name: str) -> None:
    """Reflected: the form with a mistake in it, asked for again, and over a limit."""
    fields = {"submission": page_token.issue(), "told": "x", "check": "1", name: SCRIPT}
    answer = public.post("/report", fields)

    assert answer.status_code in {200, 422}
    assert runs(text_of(answer)) == []
    assert "<script>alert" not in text_of(answer)
    assert runs(text_of(public.post("/return", {"code": SCRIPT}))) == []


@pytest.mark.slow
def test_script_that_was_stored_is_text_wherever_it_is_shown(
    public: Client,
    desk: Client,
    board: Platform,
    reviewer: User,
    cat: bytes,
    settings: Settings,
) -> None:
    """Stored: every field of the form, a message, a correction, a reason, an appeal; both sites."""
    host(board, cat)
    typed = {
        name: SCRIPT
        for name, each in ReportForm.base_fields.items()
        if type(each) is forms.CharField and name not in {"submission", "kept", "identity"}
    }
    typed |= {"fingerprints": "", "contact": "", "locations": "", "age": "adult"}
    places = [BOARD_URL, f"javascript:alert(7)//{SCRIPT}", f"https://a.example/{SCRIPT}", SCRIPT]
    seen = []
    _at(settings, "public")
    receipt = public.post(
        "/report",
        {
            **typed,
            "submission": page_token.issue(),
            "location": places,
            "files": SimpleUploadedFile("x.jpg", cat, "image/jpeg"),
        },
    )
    assert receipt.status_code == 200, text_of(receipt)
    report = Report.objects.get()
    flow.examine(report, last_try=True)
    case = Case.objects.get()
    enter(public, code_on(receipt))
    seen += [receipt]
    seen += [public.post("/status/messages", {"text": SCRIPT}, follow=True)]
    seen += [public.post("/status/words", {"told": SCRIPT}, follow=True)]
    seen += [public.post("/status/mail", {"address": SCRIPT}, follow=True)]
    seen += [public.get("/status")]
    _at(settings, "desk")
    desk.force_login(reviewer)
    desk.post(f"/case/{case.pk}/open", {"purpose": "review"})
    desk.post(f"/case/{case.pk}/claim")
    seen += [desk.post(f"/case/{case.pk}/message", {"text": SCRIPT}, follow=True)]
    hosted = list(Hosted.objects.values_list("pk", flat=True))
    decision = {"verdict": "remove", "ground": "deepfake", "reason": SCRIPT, "remove": hosted}
    seen += [desk.get(f"/case/{case.pk}")]
    seen += [desk.post(f"/case/{case.pk}/decide", decision, follow=True)]
    assert Decision.objects.count() == 1
    _at(settings, "public")
    token = Action.objects.get().appeal_token
    seen += [public.get(f"/appeal/{token}"), public.post(f"/appeal/{token}", {"text": SCRIPT})]
    seen += [public.get(path) for path in (f"/appeal/{token}", "/status", "/numbers", "/log")]
    _at(settings, "desk")
    for path in ("", "deliveries", "appeals", "banks", "log", "grants", f"case/{case.pk}"):
        seen.append(desk.get(f"/{path}", follow=True))
    seen += [desk.get(f"/appeals/{n}", follow=True) for n in (1, 2)]

    assert sum("&lt;script&gt;alert(7)" in text_of(one) for one in seen) > 4, "it was shown"
    for one in seen:
        assert one.status_code < 500
        assert runs(text_of(one)) == [], one.request
        assert "<script>alert" not in text_of(one)
        assert "49" not in text_of(one).partition("onload=alert(7)")[2][:120], "no template of ours"


ELSEWHERE = (
    "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(7)", "https:evil.example",
    "/a\r\nSet-Cookie: evil=1", "\x01https://evil.example", "///evil.example", "http:///evil.example",
)  # fmt: skip


@pytest.mark.parametrize("site", ["public", "desk"])
@pytest.mark.parametrize("where", ELSEWHERE)
def test_nobody_is_sent_elsewhere(site: str, where: str, request: pytest.FixtureRequest) -> None:
    """No open redirect in the switch of languages, by field or by Referer; nor at the login."""
    client: Client = request.getfixturevalue(site)
    sent = [client.post("/language/setlang/", {"language": "ko", "next": where})]
    sent += [client.post("/language/setlang/", {"language": "ko"}, headers={"referer": where})]
    sent += [client.get("/language/setlang/", {"next": where})]
    if site == "desk":
        sent += [client.post(f"/login?next={where}", {"next": where, "username": "x"})]
    for answer in sent:
        to = answer.headers.get("Location", "/")
        assert answer.status_code < 500
        assert to.startswith("/")
        assert not to.startswith(("//", "/\\"))
        assert "evil=1" not in str(answer.cookies)


@pytest.mark.parametrize("site", ["public", "desk"])
def test_the_switch_of_languages_wants_its_token_and_knows_three(
    site: str, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(site)
    odd = client.post("/language/setlang/", {"language": "ko\r\nSet-Cookie: evil=1", "next": "/"})
    assert not odd.cookies.get("django_language")
    client.handler.enforce_csrf_checks = True
    assert client.post("/language/setlang/", {"language": "ko"}).status_code == 403
