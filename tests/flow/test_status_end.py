"""Taking everything home, taking the report back, being told, and being forgotten."""

import asyncio
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from unittest.mock import patch

import pytest
from aiosmtpd.controller import UnthreadedController
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, submit
from tests.flow.status import enter, text_of, visit_of

from haechi.blobs import LocalStore
from haechi.demo import sink
from haechi.errors import CodeUnknown
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Case, Ground, Verdict
from haechi.server.cases.models import State as CaseState
from haechi.server.matching.models import Platform
from haechi.server.notices.models import Notice
from haechi.server.notices.models import State as NoticeState
from haechi.server.reports import nudges, visits
from haechi.server.reports.models import Nudge, Report, State
from haechi.server.reports.return_code import ReturnCode
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


def body_of(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_everything_comes_home_in_open_formats(public: Client, astronaut: bytes) -> None:
    """Records, words, messages; each file as it was sent, opened while it is on its way."""
    report, code = submit(astronaut, astronaut, places=(BOARD_URL,))
    flow.examine(report, last_try=True)
    enter(public, code)
    public.post("/status/messages", {"text": "Here I am."})
    public.post("/status/words", {"told": "It was on Monday.", "signature": "K."})

    answer = public.post("/status/take")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="notes.zip"'
    assert answer.headers["Cache-Control"] == "no-store"
    packed = zipfile.ZipFile(io.BytesIO(body_of(answer)))
    assert packed.testzip() is None
    names = packed.namelist()
    assert names[:3] == ["report.json", "report.txt", "messages.txt"]
    assert [packed.read(name) for name in names[3:]] == [astronaut, astronaut]
    records = json.loads(packed.read("report.json"))
    assert records["told"]["told"] == "It was on Monday."
    assert records["told_before"][0]["told"] == "Somebody posted this."
    assert records["places"][0]["address"] == BOARD_URL
    assert records["messages"][0]["text"] == "Here I am."
    assert records["deadlines"]
    assert b"Here I am." in packed.read("messages.txt")
    assert code.digits().replace(" ", "").encode() not in packed.read("report.json")
    assert Entry.objects.filter(tag="report:taken_home", actor="reporter").count() == 1


def test_a_file_that_is_gone_does_not_keep_the_others(public: Client, astronaut: bytes) -> None:
    """B31: the ZIP is whole, and says which file could not be opened."""
    report, code = submit(astronaut, astronaut)
    first = report.exhibits.get(number=1)
    LocalStore(django_settings.BLOBS).delete(first.blob)
    enter(public, code)

    packed = zipfile.ZipFile(io.BytesIO(body_of(public.post("/status/take"))))

    assert packed.testzip() is None
    names = packed.namelist()
    assert any(name.startswith("files/1") and name.endswith(".txt") for name in names)
    assert packed.read(next(name for name in names if name.startswith("files/2"))) == astronaut


def test_no_plaintext_waits_on_a_disk(public: Client, astronaut: bytes, tmp_path: Path) -> None:
    """B12: no temporary file is made while everything is packed."""
    _, code = submit(astronaut)
    enter(public, code)
    with patch("tempfile._get_default_tempdir", side_effect=AssertionError), patch(
        "tempfile.mkstemp", side_effect=AssertionError
    ):  # fmt: skip
        assert astronaut[:2000] in body_of(public.post("/status/take"))


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\x.jpg", "a\x00b.jpg", "/abs", "", ".hid"]
)
def test_names_in_the_zip_lead_nowhere(public: Client, astronaut: bytes, name: str) -> None:
    """B16: a name is told, and is no path."""
    _, code = submit(places=(BOARD_URL,))
    enter(public, code)
    public.post("/status/add", {"files": [SimpleUploadedFile(name or "x", astronaut)]})
    packed = zipfile.ZipFile(io.BytesIO(body_of(public.post("/status/take"))))
    inside = packed.namelist()[3]
    assert inside.startswith("files/1")
    assert inside.count("/") == 1
    assert ".." not in inside


# --- taking it back -------------------------------------------------------------------------------


@pytest.fixture
def decided(board: Platform, reviewer: User, astronaut: bytes) -> tuple[Report, ReturnCode]:
    """Decided: one removal and one notice are asked for, nothing has gone out."""
    report, code = submit(astronaut, places=(BOARD_URL, OUTSIDE_URL))
    named = host(board, astronaut)
    flow.examine(report, last_try=True)
    flow.decide(
        report.case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="x",
        remove=[named],
        actor=reviewer,
        now=NOON,
    )
    report.refresh_from_db()
    return report, code


def test_taking_back_stops_what_has_not_happened(
    public: Client, decided: tuple[Report, ReturnCode]
) -> None:
    """Asked first; then no notice, no removal, no clock; it can be read, and not added to."""
    report, code = decided
    enter(public, code)
    unsure = public.post("/status/back", {})
    assert unsure.status_code == 422
    assert "Nothing has happened yet" in text_of(unsure)
    assert Report.objects.get().state == State.DECIDED

    assert public.post("/status/back", {"sure": "1"}).headers["Location"] == "/status"
    # Before the worker comes, too, nothing goes out.
    notice, action = Notice.objects.get(), report.case.decision.actions.get()
    flow.deliver_notice(notice_id=str(notice.pk))
    flow.deliver_action(action_id=action.pk)
    flow.wind_down(report_id=str(report.pk))

    notice.refresh_from_db()
    action.refresh_from_db()
    assert (notice.state, notice.attempts) == (NoticeState.WITHDRAWN, 0)
    assert (action.attempts, action.withdrawn_at is None) == (0, False)
    assert not report.case.clocks.filter(stopped_at=None).exists()
    page = text_of(public.get("/status"))
    assert "You took this report back" in page
    assert "Notice on its way" not in page
    assert "report.closed" in text_of(
        public.post("/status/add", {"locations": "https://x.example"})
    )
    assert public.post("/status/words", {"told": "More."}).status_code == 422
    assert public.get("/status/back").headers["Location"] == "/status"
    assert Entry.objects.filter(tag="report:withdrawn").count() == 1


def test_an_open_case_leaves_the_queue(public: Client, astronaut: bytes) -> None:
    """Taken back before a decision: nobody is asked to look any more, and no later job opens one."""
    report, _ = submit(astronaut, places=(BOARD_URL,))
    flow.examine(report, last_try=True)
    assert Case.objects.queue().exists()

    flow.withdraw_report(report, now=NOON)
    flow.wind_down(report_id=str(report.pk))

    assert not Case.objects.queue().exists()
    assert Case.objects.get().state == CaseState.WITHDRAWN
    other, _ = submit(astronaut)
    flow.withdraw_report(other, now=NOON)
    other.refresh_from_db()
    flow.examine(other, last_try=True)
    assert not Case.objects.filter(report=other).exists()


# --- erasing --------------------------------------------------------------------------------------


def test_erasing_asks_twice_and_then_the_code_opens_nothing(
    public: Client, decided: tuple[Report, ReturnCode]
) -> None:
    """B32: what stays and why stands before; the keys are gone with the answer."""
    _, code = decided
    enter(public, code)
    page = text_of(public.get("/status/erase"))
    assert "What stays, and why" in page
    asked = public.post("/status/erase", {"step": "ask"})
    assert asked.status_code == 200
    assert "We ask once more" in text_of(asked)
    assert public.post("/status/erase", {"step": "erase"}).status_code == 422
    assert visit_of(code)

    done = public.post("/status/erase", {"step": "erase", "sure": "1"})

    assert "It is erased" in text_of(done)
    assert done.cookies["visit"].value == ""
    with pytest.raises(CodeUnknown):
        visits.enter(code.digits(), now=NOON)


# --- being told -----------------------------------------------------------------------------------


@pytest.fixture
def mailbox(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The demo's own mail server, on loopback; each message is a file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    loop = asyncio.new_event_loop()
    controller = UnthreadedController(
        sink.Keeper(tmp_path), hostname="127.0.0.1", port=port, loop=loop
    )
    thread = threading.Thread(target=_serve, args=(controller, loop))
    thread.start()
    settings.HAECHI = _with(django_settings.HAECHI, smtp_host="127.0.0.1", smtp_port=port)
    _wait_for(port)
    yield tmp_path
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


def _with(environment: object, **changed: object) -> object:
    return replace(environment, **changed)  # type: ignore[type-var]


def _serve(controller: UnthreadedController, loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    controller.begin()  # type: ignore[no-untyped-call]  # untyped there
    loop.run_forever()
    controller.end()  # type: ignore[no-untyped-call]  # untyped there


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError


def mails(folder: Path) -> list[EmailMessage]:
    return [
        message_from_bytes(path.read_bytes(), policy=policy.default)  # type: ignore[misc]
        for path in sorted(folder.glob("*.eml"))
    ]


def tell(at: object) -> None:
    with patch("haechi.server.flow.returning.timezone.now", return_value=at):
        flow.tell_reporters(timestamp=0)


def test_something_changed_says_nothing_else(
    public: Client, mailbox: Path, reviewer: User, astronaut: bytes
) -> None:
    """B05: off until asked for; no name, no link, no code, no number; at most once a day."""
    report, code = submit(astronaut, places=(BOARD_URL,))
    enter(public, code)
    flow.write_to_reporter(report, "Secret words.", actor=reviewer, now=NOON)
    tell(NOON)
    assert mails(mailbox) == []
    assert "This is off" in text_of(public.get("/status/mail"))
    assert public.post("/status/mail", {"address": "her@example.org"}).status_code == 302
    assert b"her@example" not in bytes(Nudge.objects.get().sealed)
    assert "her@example.org" in text_of(public.get("/status/mail"))

    flow.write_to_reporter(report, "Secret words.", actor=reviewer, now=NOON)
    tell(NOON)
    flow.write_to_reporter(report, "More.", actor=reviewer, now=NOON + timedelta(hours=1))
    tell(NOON + timedelta(hours=23))

    (mail,) = mails(mailbox)
    raw = bytes(mail)
    assert mail["Subject"] == "안내"
    assert (mail["To"], mail["From"]) == ("her@example.org", django_settings.HAECHI.news_from)
    assert set(mail.keys()) <= {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
        "Content-Type", "Content-Transfer-Encoding", "X-Peer", "X-MailFrom", "X-RcptTo",
    }  # fmt: skip
    said = mail.get_content()
    for word in ("http", report.short, str(report.pk), "Secret", "haechi", code.digits()):
        assert word not in said
        assert word not in str(mail["Subject"]) + str(mail["From"]).partition("@")[0]
    assert b"http" not in raw

    tell(NOON + timedelta(hours=25))
    assert len(mails(mailbox)) == 2
    tell(NOON + timedelta(hours=60))
    assert len(mails(mailbox)) == 2


def test_who_reads_by_herself_is_not_told(
    public: Client, mailbox: Path, reviewer: User, astronaut: bytes
) -> None:
    """She has seen it already; and after a stop the address is gone."""
    report, code = submit(places=(BOARD_URL,))
    nudges.want(report, "her@example.org", now=NOON)
    flow.write_to_reporter(report, "Hello.", actor=reviewer, now=NOON)
    enter(public, code)
    public.get("/status")
    tell(NOON)
    assert mails(mailbox) == []

    assert public.post("/status/mail", {"stop": "1"}).status_code == 302
    assert not Nudge.objects.exists()


def test_a_mail_server_that_is_away_is_no_error_and_never_two_mails_a_day(
    settings: Settings, reviewer: User, caplog: pytest.LogCaptureFixture
) -> None:
    """The address stands in no log line; it stays due, a day later."""
    report, _ = submit(places=(BOARD_URL,))
    settings.HAECHI = _with(django_settings.HAECHI, smtp_host="127.0.0.1", smtp_port=9)
    nudges.want(report, "her@example.org", now=NOON)
    nudges.changed(report, now=NOON)

    tell(NOON)

    assert "her@example.org" not in caplog.text
    assert not nudges.due(now=NOON + timedelta(hours=23)).exists()
    assert nudges.due(now=NOON + timedelta(hours=24)).exists()


@pytest.mark.parametrize("address", ["", "her", "her@example.org\nBcc: all@example.org", "a@b"])
def test_an_odd_address_comes_back_as_it_was(public: Client, address: str) -> None:
    """No header of a mail is written by a form."""
    _, code = submit(places=(BOARD_URL,))
    enter(public, code)
    assert public.post("/status/mail", {"address": address}).status_code == 422
    assert not Nudge.objects.exists()
