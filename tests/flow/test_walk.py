"""The walk, stage by stage, on real pictures."""

import json
from dataclasses import replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, submit

from haechi.errors import (
    CannotOpen,
    CaseClosed,
    DecoderCrashed,
    DeliveryFailed,
    KeyMissing,
    NothingReported,
    ReasonRequired,
)
from haechi.formats import statement, webhook, xarf
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import clocks, delivery
from haechi.server.cases import services as cases
from haechi.server.cases.models import Action, Case, Clock, Decision, Ground, Verdict
from haechi.server.evidence import custody
from haechi.server.evidence import services as evidence
from haechi.server.evidence.models import Exhibit, Fingerprint, State
from haechi.server.matching.models import Hosted, Member, Platform
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice
from haechi.server.reports import services as reports
from haechi.server.reports import visits
from haechi.server.reports.models import Report
from haechi.server.staff.models import User
from haechi.server.transparency import services as transparency
from haechi.server.transparency.models import Statement

pytestmark = pytest.mark.django_db


def examined(*pictures: bytes, places: tuple[str, ...] = (BOARD_URL, OUTSIDE_URL)) -> Case:
    """A report the worker has gone through."""
    report, _ = submit(*pictures, places=places)
    flow.examine(report, last_try=True)
    return Case.objects.get(report=report)


def removed(case: Case, reviewer: User, *, now: datetime = NOON) -> Decision:
    """The case, looked at and decided for removal of everything it met."""
    for exhibit in case.report.exhibits.all():
        with transaction.atomic():
            audit.record(custody.LIFTED, subject=exhibit, actor=reviewer.name_in_log, at=NOON)
    hosted = list(Hosted.objects.filter(hit__report=case.report).distinct())
    return flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="Same picture as on the board.",
        remove=hosted,
        actor=reviewer,
        now=now,
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

    flow.examine(case.report, last_try=True)

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
    entries = Entry.objects.exclude(tag=custody.LIFTED).count()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no statement")

    monkeypatch.setattr(transparency, "state_reasons", fail)
    with pytest.raises(RuntimeError):
        removed(case, reviewer)

    case.refresh_from_db()
    assert case.state == "open"
    for model in (Decision, Action, Member, Notice, Statement):
        assert not model.objects.exists(), model
    assert Entry.objects.exclude(tag=custody.LIFTED).count() == entries
    assert not ProcrastinateJob.objects.filter(task_name__startswith="deliver").exists()


def test_the_second_decision_is_refused_and_leaves_no_trace(
    astronaut: bytes, board: Platform, reviewer: User, second_reviewer: User
) -> None:
    """B19: of two people deciding, one wins; nothing of the other's is written."""
    host(board, astronaut)
    case = examined(astronaut)
    removed(case, reviewer)
    entries = Entry.objects.exclude(tag=custody.LIFTED).count()

    with pytest.raises(CaseClosed):
        removed(case, second_reviewer)

    assert Entry.objects.exclude(tag=custody.LIFTED).count() == entries
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

    def platform(url: str, content: bytes, headers: dict[str, str]) -> object:
        seen.append(
            webhook.verify(bytes(board.webhook_secret), headers, content, now=timezone.now())
        )
        assert json.loads(content)["content_id"] == "1"
        return {"removed": True}

    monkeypatch.setattr(delivery, "_post", platform)
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


def test_a_copy_posted_while_people_decide_is_found_afterwards(
    astronaut: bytes, cat: bytes, board: Platform, reviewer: User
) -> None:
    """The second post was published before the member was in force; nobody has to report it."""
    host(board, astronaut)
    case = examined(astronaut)
    later = host(board, astronaut, url="https://board.example/post/2", content_id="2")
    host(board, cat, url="https://board.example/post/3", content_id="3")
    decision = removed(case, reviewer, now=timezone.now())

    flow.sweep_copies(decision.pk)
    flow.sweep_copies(decision.pk)

    action = decision.actions.get(hosted=later)
    assert action.statement.document["automated_decision"] == "AUTOMATED_DECISION_FULLY"
    assert set(decision.actions.values_list("hosted__content_id", flat=True)) == {"1", "2"}


def test_a_picture_nobody_looked_at_blocks_nothing(
    astronaut: bytes, board: Platform, reviewer: User
) -> None:
    """Otherwise an unrelated file in a report would have other people's uploads refused."""
    host(board, astronaut)
    case = examined(astronaut)
    flow.decide(
        case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="The finding is enough.",
        remove=(),
        actor=reviewer,
        now=NOON,
    )
    assert Member.objects.get().status == "pending"


def test_a_place_that_no_notice_can_be_written_about_stops_nothing(
    astronaut: bytes, reviewer: User
) -> None:
    """Whatever people paste, the decision about the rest goes through, and the log says what not."""
    odd = (
        "https://some_user.blog.example/p/1",
        "http://[::ffff:1.2.3.4]/x",
        "https://photos.example/" + "가" * 1500,
        "@channel",
    )
    case = examined(astronaut, places=(*odd, OUTSIDE_URL))
    removed(case, reviewer)
    told = {notices.message_of(notice)["To"] for notice in Notice.objects.all()}
    assert "abuse@photos.outside.example" in told
    assert not any("<>" in to for to in told)


def test_a_removal_that_reached_nobody_leaves_its_clock_running(
    board: Platform, reviewer: User
) -> None:
    """A place on our own platform that is not registered there: nothing was removed."""
    case = examined(places=("https://board.example/picture/77",))
    removed(case, reviewer)
    assert case.clocks.filter(rule="us_tida_remove", stopped_at=None).exists()


def test_a_damaged_file_hides_neither_the_report_nor_the_other_file(
    astronaut: bytes, cat: bytes
) -> None:
    """One bit flipped in an envelope: the case is there, the second exhibit is fingerprinted."""
    report, _ = submit(astronaut, cat, places=(OUTSIDE_URL,))
    first, second = report.exhibits.all()
    blob = next(Path(settings.BLOBS).rglob(first.blob))
    data = bytearray(blob.read_bytes())
    data[-20] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(data)

    flow.examine(report, last_try=True)

    first.refresh_from_db()
    second.refresh_from_db()
    assert Case.objects.filter(report=report).exists()
    assert (first.state, first.refusal) == (State.REFUSED, "seal.cannot_open")
    assert second.state == State.FINGERPRINTED


@pytest.mark.parametrize("broken", ["wrap", "key"])
def test_a_report_that_cannot_be_opened_still_stands_before_a_person(
    astronaut: bytes, settings: Settings, broken: str
) -> None:
    """B24: the case first; its clocks once the envelope opens, from the moment it came."""
    report, _ = submit(astronaut)
    wrap, told = bytes(report.wrap_vault), settings.HAECHI
    if broken == "wrap":
        Report.objects.update(wrap_vault=b"damaged")
    else:
        settings.HAECHI = replace(told, vault_identity_file=None, vault_identity_command=None)

    for _again in range(2):
        with pytest.raises((CannotOpen, KeyMissing)):
            flow.examine(Report.objects.get(), last_try=True)

    case = Case.objects.queue().get()
    assert (case.report.state, case.clocks.count()) == ("looked_at", 0)
    Report.objects.update(wrap_vault=wrap)
    settings.HAECHI = told
    flow.examine(Report.objects.get(), last_try=True)
    assert {clock.started_at for clock in case.clocks.all()} == {report.received_at}
    assert Fingerprint.objects.exists()


def test_a_decoder_that_dies_is_tried_again_before_the_file_is_blamed(
    astronaut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine ran out of memory: not the evidence's fault."""
    report, _ = submit(astronaut)

    class Dying:
        def run(self, *_: object) -> None:
            raise DecoderCrashed

    with monkeypatch.context() as patched:
        patched.setattr(evidence, "sandbox", Dying)
        with pytest.raises(DecoderCrashed):
            flow.examine(report, last_try=False)
        assert report.exhibits.get().state == State.SEALED
    flow.examine(report, last_try=False)
    assert report.exhibits.get().state == State.FINGERPRINTED


@pytest.mark.parametrize(
    "typed", ["board.example/post/1", "http://board.example/post/1", f"{BOARD_URL}?from=chat#x"]
)
def test_a_place_is_found_however_it_is_pasted(
    astronaut: bytes, board: Platform, typed: str
) -> None:
    """Without a scheme, with another, with what a share button adds."""
    hosted = host(board, astronaut)
    case = examined(places=(typed,))
    assert case.report.hits.get().hosted == hosted


def test_a_clock_that_runs_out_is_found_once(astronaut: bytes) -> None:
    """B24: an event and an entry, however often one looks."""
    case = examined(astronaut)
    late = case.clocks.get(rule="us_tida_remove").due_at.replace(year=2027)

    first = clocks.find_missed(now=late)
    second = clocks.find_missed(now=late)

    assert {clock.case for clock in first} == {case}
    assert second == []
    assert Entry.objects.filter(tag="clock:missed").count() == len(first)


def test_the_reporter_comes_back_and_reads_her_own_words(astronaut: bytes) -> None:
    """The code opens what the public process could not."""
    report, code = submit(astronaut, places=(BOARD_URL, OUTSIDE_URL))

    token = visits.enter(" ".join(code.words("ko")), now=NOON)
    resumed = visits.resume(token, now=NOON)

    assert resumed is not None
    assert resumed.report == report
    assert reports.addresses_of(report, resumed.identity) == {1: BOARD_URL, 2: OUTSIDE_URL}


def _text(message: EmailMessage) -> str:
    return "".join(
        part.get_content() for part in message.walk() if part.get_content_type() == "text/plain"
    )
