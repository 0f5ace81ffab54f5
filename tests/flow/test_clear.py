"""What a thief of the database, the blobs and the logs can read: what docs/clear.md says, no more."""

import base64
import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import host
from tests.flow.status import code_on, enter

from haechi.errors import DeliveryFailed
from haechi.server import flow
from haechi.server.cases import deciding
from haechi.server.cases.models import Action, Case, Decision
from haechi.server.config import roles
from haechi.server.matching.models import Check, Hosted, Platform
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice
from haechi.server.public import page_token
from haechi.server.reports.models import Report
from haechi.server.reports.return_code import ReturnCode
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db

CLEAR = Path(__file__).parents[2] / "docs" / "clear.md"
KINDS = {
    "facet", "digest", "sealed", "fingerprint", "name", "platform", "staff", "law", "count",
}  # fmt: skip
# Numbers, times and yes or no need no row.
PLAIN = {
    "bigint", "integer", "smallint", "boolean", "double precision", "timestamp with time zone",
    "date", "numeric",
}  # fmt: skip

# One mark for each thing that somebody writes, or that points at a person or a place.
MARKS = {
    "story": "mark-story-고래9317",
    "signature": "mark-signature-고래2281",
    "contact": "mark-contact-4410@mail.example",
    "location": "mark-host-7731.example",
    "path": "mark-path-8802",
    "room": "@mark_room_5519",
    "file": "mark-file-고래6604.jpg",
    "account": "@mark_account_3307",
    "hosted": "mark-post-1294",
    "reason": "mark-reason-고래7750",
    "appeal": "mark-appeal-고래9026",
    "note": "mark-note-고래5528",
    "hold": "mark-hold-고래6193",
    "erasure": "mark-erasure-고래8074",
}
PLACE = f"https://{MARKS['location']}/{MARKS['path']}"


def rows_of_the_list() -> dict[tuple[str, str], str]:
    """(table, column) to its kind, as docs/clear.md says."""
    found = {}
    for line in CLEAR.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 4 and cells[0] != "table":
            assert cells[2] in KINDS, line
            found |= {(cells[0], name): cells[2] for name in cells[1].split()}
    return found


def test_every_column_that_holds_words_or_bytes_is_on_the_list() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = current_schema()"
        )
        columns = {(table, name) for table, name, kind in cursor.fetchall() if kind not in PLAIN}
    listed = rows_of_the_list().keys()
    assert not columns - listed, (
        "these columns stand in no row of docs/clear.md. Is it something that a person wrote, or that "
        f"points at a person or a place? Then seal it. Otherwise say there why not: {sorted(columns - listed)}"
    )
    assert not listed - columns, (
        f"docs/clear.md tells of columns that are gone: {sorted(listed - columns)}"
    )


class Talkative:
    """A mail server that names in its answers whom a message is for; it refuses the first."""

    def __init__(self) -> None:
        self.seen = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Refuse once, then accept."""
        self.seen += 1
        said = f"for <{envelope.rcpt_tos[0]}>"
        return f"451 4.3.0 not now {said}" if self.seen == 1 else f"250 2.0.0 queued {said}"


@pytest.fixture
def mail_server() -> Iterator[None]:
    """A host outside that takes notices."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(Talkative(), hostname="127.0.0.1", port=port)
    controller.start()
    told = replace(django_settings.HAECHI, smtp_host="127.0.0.1", smtp_port=port)
    with override_settings(HAECHI=told):
        yield
    controller.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("default::ResourceWarning")
def test_no_mark_of_the_whole_story_is_found_in_a_stolen_copy(
    public: Client,
    desk: Client,
    board: Platform,
    reviewer: User,
    mail_server: None,
    astronaut: bytes,
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
) -> None:
    """Report, examination, decision, notice with its refusal, removal, return, appeal (B13, B05)."""
    caplog.set_level(logging.DEBUG)
    kept, code = _play(public, desk, board, reviewer, astronaut, settings)
    marks = MARKS | dict(_forms(code))
    assert len(marks) > len(MARKS) + 6

    copy = {
        "database": _database(),
        "blobs": _blobs(),
        "logs": "\n".join(
            caplog.handler.format(record) for record in caplog.records if _ours(record)
        ).encode(),
    }
    assert len(copy["database"]) > 10_000
    assert b"examine_report" in copy["database"], "a copy that holds nothing proves nothing"
    # What is there must be found in every spelling, or the search finds nothing at all.
    assert _found(str(kept.report_id), copy["database"])
    for name, mark in marks.items():
        for where, data in copy.items():
            assert not _found(mark, data), f"{name} stands in the {where} as {_found(mark, data)}"


def _ours(record: logging.LogRecord) -> bool:
    """Not what the mail server outside writes into a log of its own."""
    return not record.name.startswith("mail")


def _at(settings: Settings, surface: str) -> None:
    """Clients of two sites in one process: the addresses are those of the one that answers."""
    settings.ROOT_URLCONF = f"haechi.server.config.urls_{surface}"
    settings.MIDDLEWARE = getattr(settings, f"MIDDLEWARE_{surface.upper()}")


def _play(
    public: Client,
    desk: Client,
    board: Platform,
    reviewer: User,
    picture: bytes,
    settings: Settings,
) -> tuple[Case, ReturnCode]:
    post = host(board, picture, url=f"https://board.example/{MARKS['hosted']}")
    assert Hosted.objects.filter(pk=post.pk).exists()
    _at(settings, "public")
    sent = public.post(
        "/report",
        {
            "submission": page_token.issue(),
            "age": "adult",
            "harms": ["made", "shared"],
            "told": MARKS["story"],
            "location": [PLACE, MARKS["room"], f"https://board.example/{MARKS['hosted']}"],
            "declared": "on",
            "signature": MARKS["signature"],
            "contact": MARKS["contact"],
            "files": SimpleUploadedFile(MARKS["file"], picture, "image/jpeg"),
        },
    )
    assert sent.status_code == 200
    report = Report.objects.get()
    flow.examine(report, last_try=True)
    case = Case.objects.get()
    _at(settings, "desk")
    desk.force_login(reviewer)
    hosted = list(Hosted.objects.values_list("pk", flat=True))
    desk.post(f"/case/{case.pk}/open", {"purpose": "review"})
    desk.post(f"/case/{case.pk}/claim")
    desk.post(f"/case/{case.pk}/note", {"text": MARKS["note"]})
    wanted = {"reason": "asked", "note": MARKS["erasure"]}
    assert desk.post(f"/case/{case.pk}/keep/erase", wanted).status_code == 302
    hold = {"why": MARKS["hold"], "authority": MARKS["hold"], "until": ""}
    assert desk.post(f"/case/{case.pk}/keep/hold", hold).status_code == 302
    assert MARKS["hold"] in desk.get(f"/case/{case.pk}/keep").content.decode()
    desk.post(
        f"/case/{case.pk}/decide",
        {
            "verdict": "remove",
            "ground": "deepfake",
            "reason": MARKS["reason"],
            "remove": hosted,
        },
    )
    decision = Decision.objects.get()
    assert deciding.reason_of(decision) == MARKS["reason"]
    notice = Notice.objects.select_related("decision__case__report").get()
    with pytest.raises(DeliveryFailed) as failure:
        notices.deliver(notice, now=NOON)
    logging.getLogger("haechi.server.flow").warning(
        "tried again: %s", failure.value, exc_info=failure.value
    )
    notice.refresh_from_db()
    assert notice.last_error == "451"
    notices.deliver(notice, now=NOON)
    notice.refresh_from_db()
    assert notice.answer == "250 2.0.0"
    assert MARKS["location"] in notices.answer_of(notice)
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert MARKS["reason"] in page
    assert MARKS["note"] in page
    action = Action.objects.get()
    _at(settings, "public")
    public.post(f"/appeal/{action.appeal_token}", {"text": MARKS["appeal"]})
    assert public.get(f"/{MARKS['path']}").status_code == 404
    assert Check.objects.count() == 0
    code = code_on(sent)
    enter(public, code)
    assert public.post("/status/messages", {"text": code.digits()}).status_code == 422
    assert public.get("/status").status_code == 200
    return case, code


def _forms(code: ReturnCode) -> Iterator[tuple[str, str]]:
    """The return code as it is shown, copied or computed with (B05), in every language."""
    yield "code in digits", code.digits()
    yield "code as one number", code.digits().replace(" ", "")
    yield "code in hexadecimal digits", f"{code.number:022x}"
    for language in ("ko", "zh-hans", "en"):
        words = code.words(language)
        for name, gap in (("words", " "), ("words run together", ""), ("words with dashes", "-")):
            yield f"code in {name} ({language})", gap.join(words)


def _database() -> bytes:
    """Every table as PostgreSQL would write it to a file: text as it is, and bytes as bytes."""
    raw, copied = connection.connection, bytearray()
    for table in roles.tables(raw):
        for form in ("TEXT", "BINARY"):
            with raw.cursor().copy(f'COPY "{table}" TO STDOUT (FORMAT {form})') as rows:
                for piece in rows:
                    copied += piece
    return bytes(copied)


def _blobs() -> bytes:
    folder: Path = django_settings.BLOBS
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return b"".join(str(path).encode() + path.read_bytes() for path in files)


def _found(mark: str, data: bytes) -> str:
    """How `mark` is spelled in `data`, or "" where it is not."""
    data = data.lower()
    return next((how for how, spelled in _spellings(mark) if spelled.lower() in data), "")


def _spellings(mark: str) -> Iterator[tuple[str, bytes]]:
    plain = mark.encode()
    yield "UTF-8", plain
    yield "UTF-16", mark.encode("utf-16-le")
    yield "UTF-16, big-endian", mark.encode("utf-16-be")
    yield "hex", plain.hex().encode()
    yield "JSON", json.dumps(mark)[1:-1].encode()
    for shift in range(3):
        # Where it begins within three bytes; the ends depend on what stands around.
        whole = base64.b64encode(b"\0" * shift + plain)
        yield "base64", whole[4 if shift else 0 : -4]


def test_the_search_finds_every_spelling() -> None:
    for mark in MARKS.values():
        for _, spelled in _spellings(mark):
            assert _found(mark, b"before " + spelled + b" after")
    assert not _found("mark-nowhere", b"nothing of it")
    assert timezone.now().tzinfo is not None
