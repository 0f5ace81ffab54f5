"""The walk, stage by stage, on real pictures."""

import json
from email.message import EmailMessage

import httpx
import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, submit

from haechi.errors import CaseClosed, DeliveryFailed, NothingReported, ReasonRequired
from haechi.formats import statement, webhook, xarf
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import delivery
from haechi.server.cases import services as cases
from haechi.server.cases.models import Action, Case, Clock, Decision, Ground, Verdict
from haechi.server.evidence.models import Exhibit, Fingerprint, State
from haechi.server.matching.models import Hosted, Member, Platform
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice
from haechi.server.reports import services as reports
from haechi.server.reports.models import Report
from haechi.server.staff.models import User
from haechi.server.transparency import services as transparency
from haechi.server.transparency.models import Statement

pytestmark = pytest.mark.django_db


def examined(*pictures: bytes, places: tuple[str, ...] = (BOARD_URL, OUTSIDE_URL)) -> Case:
    """A report the worker has gone through."""
    report, _ = submit(*pictures, places=places)
    flow.examine_report(str(report.pk))
    return Case.objects.get(report=report)


def removed(case: Case, reviewer: User) -> Decision:
    """The case, decided for removal of everything it met."""
    hosted = list(Hosted.objects.filter(hit__report=case.report).distinct())
    return flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="Same picture as on the board.",
        remove=hosted,
        actor=reviewer,
        now=NOON,
    )


def test_a_report_is_sealed_and_its_examination_is_a_job_of_the_same_transaction(
    astronaut: bytes,
) -> None:
    """B14: what is acknowledged is stored, unreadable, and will be looked at."""
    report, code = submit(astronaut, places=(BOARD_URL,))

    job = ProcrastinateJob.objects.get(task_name="examine_report")
    assert job.args == {"report_id": str(report.pk)}
    assert report.exhibits.get().state == State.SEALED
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(r)::text FROM reports_report r")
        row = cursor.fetchone()[0]
        cursor.execute("SELECT row_to_json(l)::text FROM reports_location l")
        row += cursor.fetchone()[0]
    for secret in ("Somebody posted", "board.example", *code.words("en")[:1], code.digits()):
        assert secret not in row


def test_nothing_reported_writes_nothing() -> None:
    """Neither a place nor a picture: no row, no job, no entry."""
    with pytest.raises(NothingReported):
        submit()

    assert not Report.objects.exists()
    assert not Entry.objects.exists()
    assert not ProcrastinateJob.objects.exists()


def test_the_worker_finds_the_copy_on_the_board_and_starts_the_clocks(
    astronaut: bytes, board: Platform
) -> None:
    """Fingerprint, hit, case and the verified clocks of law."""
    hosted = host(board, astronaut, url="https://board.example/post/9")

    case = examined(astronaut, places=(OUTSIDE_URL,))

    hit = case.report.hits.get()
    assert (hit.hosted, hit.verdict) == (hosted, "identical_file")
    rules = set(case.clocks.values_list("rule", flat=True))
    assert rules == {"us_tida_remove", "kr_tba_report_result"}
    clock = case.clocks.get(rule="us_tida_remove")
    assert (clock.due_at - clock.started_at).total_seconds() == 48 * 3600


def test_examining_twice_changes_nothing(astronaut: bytes, board: Platform) -> None:
    """A job may run twice: the second run leaves rows and log as they are."""
    host(board, astronaut)
    case = examined(astronaut)
    before = (Entry.objects.count(), Clock.objects.count(), case.report.hits.count())

    flow.examine_report(str(case.report_id))

    assert (Entry.objects.count(), Clock.objects.count(), case.report.hits.count()) == before


def test_an_exhibit_that_is_no_picture_inside_still_leads_to_a_case() -> None:
    """A file that starts as JPEG and cannot be decoded is refused by code; the report goes on."""
    case = examined(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(600), places=(OUTSIDE_URL,))

    exhibit = Exhibit.objects.get()
    assert exhibit.state == State.REFUSED
    assert exhibit.refusal.startswith("media.")
    assert case.clocks.exists()


def test_a_removal_is_one_transaction(astronaut: bytes, board: Platform, reviewer: User) -> None:
    """B20: decision, action, member, statement, notice and their jobs exist together."""
    host(board, astronaut)
    case = examined(astronaut)

    removed(case, reviewer)

    assert Action.objects.get().platform == board
    assert Member.objects.get().status == "confirmed"
    statement.validate(Statement.objects.get().document)
    jobs = set(ProcrastinateJob.objects.values_list("task_name", flat=True))
    assert {"deliver_action", "deliver_notice"} <= jobs
    tags = set(Entry.objects.values_list("tag", flat=True))
    assert {"case:decided", "action:asked", "member:confirmed", "statement:made"} <= tags
    assert audit.verify() == Entry.objects.count()


def test_a_step_that_fails_takes_the_whole_decision_back(
    astronaut: bytes, board: Platform, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B20: when the statement cannot be written, nothing of the decision is."""
    host(board, astronaut)
    case = examined(astronaut)
    entries = Entry.objects.count()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no statement")

    monkeypatch.setattr(transparency, "state_reasons", fail)
    with pytest.raises(RuntimeError):
        removed(case, reviewer)

    case.refresh_from_db()
    assert case.state == "open"
    for model in (Decision, Action, Member, Notice, Statement):
        assert not model.objects.exists(), model
    assert Entry.objects.count() == entries
    assert not ProcrastinateJob.objects.filter(task_name__startswith="deliver").exists()


def test_the_second_decision_is_refused_and_leaves_no_trace(
    astronaut: bytes, board: Platform, reviewer: User, second_reviewer: User
) -> None:
    """B19: of two people deciding, one wins; nothing of the other's is written."""
    host(board, astronaut)
    case = examined(astronaut)
    removed(case, reviewer)
    entries = Entry.objects.count()

    with pytest.raises(CaseClosed):
        removed(case, second_reviewer)

    assert Entry.objects.count() == entries
    assert Decision.objects.get().actor == reviewer


def test_a_decision_needs_a_reason(astronaut: bytes, reviewer: User) -> None:
    """Nobody's report is refused, and nothing is removed, without words."""
    case = examined(astronaut)
    with pytest.raises(ReasonRequired):
        flow.decide(
            case, Verdict.KEEP, Ground.NONE, reason="  ", remove=(), actor=reviewer, now=NOON
        )
    assert not Decision.objects.exists()


def test_the_notice_parses_and_carries_no_picture(astronaut: bytes, reviewer: User) -> None:
    """The host outside gets words, XARF v4 and digests; never an image."""
    case = examined(astronaut, places=(OUTSIDE_URL,))
    removed(case, reviewer)

    message = notices.message_of(Notice.objects.get())
    document = xarf.read_email(bytes(message))

    assert document["url"] == OUTSIDE_URL
    assert message["To"] == "abuse@photos.outside.example"
    kinds = {part.get_content_maintype() for part in message.walk()}
    assert "image" not in kinds
    assert bytes(Fingerprint.objects.get().sha256).hex() in _text(message)


def test_the_board_is_told_once_and_signed(
    astronaut: bytes, board: Platform, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B21: a failed delivery stays due with its reason; a confirmed one acts once."""
    host(board, astronaut)
    case = examined(astronaut)
    removed(case, reviewer)
    action = Action.objects.get()
    with pytest.raises(DeliveryFailed):  # nobody listens on port 9
        flow.deliver_action(action.pk)
    action.refresh_from_db()
    assert (action.attempts, action.done_at) == (1, None)
    assert action.last_error

    seen: list[str] = []

    def platform(url: str, *, content: bytes, headers: dict[str, str], timeout: float) -> object:
        seen.append(
            webhook.verify(bytes(board.webhook_secret), headers, content, now=timezone.now())
        )
        assert json.loads(content)["content_id"] == "1"
        return httpx.Response(200, json={"removed": True}, request=httpx.Request("POST", url))

    monkeypatch.setattr(delivery.httpx, "post", platform)
    flow.deliver_action(action.pk)
    flow.deliver_action(action.pk)

    assert seen == [action.idempotency_key]
    action.refresh_from_db()
    assert action.done_at is not None
    assert Hosted.objects.get().removed_at is not None
    assert not case.clocks.filter(stopped_at=None).exists()


def test_the_public_numbers_move(astronaut: bytes, board: Platform, reviewer: User) -> None:
    """One report, one removal, one piece; nothing that is not in the rows."""
    host(board, astronaut)
    removed(examined(astronaut), reviewer)
    cases.confirm_action(Action.objects.get(), now=NOON)

    counts = transparency.count(now=NOON)

    assert (counts.reports, counts.removals_decided, counts.pieces_removed) == (1, 1, 1)
    assert counts.median_time_to_removal_s == 0
    assert counts.notices_sent == 0  # queued is not sent


def test_a_clock_that_runs_out_is_found_once(astronaut: bytes) -> None:
    """B24: an event and an entry, however often one looks."""
    case = examined(astronaut)
    late = case.clocks.get(rule="us_tida_remove").due_at.replace(year=2027)

    first = cases.find_missed_clocks(now=late)
    second = cases.find_missed_clocks(now=late)

    assert {clock.case for clock in first} == {case}
    assert second == []
    assert Entry.objects.filter(tag="clock:missed").count() == len(first)


def test_the_reporter_comes_back_and_reads_her_own_words(astronaut: bytes) -> None:
    """The code opens what the public process could not."""
    report, code = submit(astronaut, places=(BOARD_URL, OUTSIDE_URL))

    _, token = reports.enter(" ".join(code.words("ko")), now=NOON)
    resumed = reports.resume(token, now=NOON)

    assert resumed is not None
    found, identity = resumed
    assert found == report
    assert reports.addresses_of(found, identity) == {1: BOARD_URL, 2: OUTSIDE_URL}


def _text(message: EmailMessage) -> str:
    return "".join(
        part.get_content() for part in message.walk() if part.get_content_type() == "text/plain"
    )
