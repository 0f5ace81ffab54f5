"""A report ends: keys first, then files, then rows; what stays says nothing about anybody (B32)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import models
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, host, submit

from haechi.errors import (
    CaseClosed,
    CodeUnknown,
    LegalHold,
    ReportErased,
    SettingRefused,
    StorageUnavailable,
)
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Case, Decision, Ground, Verdict
from haechi.server.cases.models import State as CaseState
from haechi.server.cases.ruling import Ruling
from haechi.server.evidence.models import Exhibit, Fingerprint
from haechi.server.evidence.storage import storage
from haechi.server.matching.models import Hit, Member, Platform
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice
from haechi.server.notices.models import State as NoticeState
from haechi.server.reports import holds, retention, vault, visits
from haechi.server.reports.holds import Grounds
from haechi.server.reports.models import (
    ErasureReason,
    Hold,
    Location,
    Report,
    State,
    Tombstone,
    Visit,
)
from haechi.server.staff.models import User
from haechi.server.tracing import asking
from haechi.server.tracing.asking import Question
from haechi.server.tracing.models import Inquiry, Purpose

pytestmark = pytest.mark.django_db
ASKED = ErasureReason.ASKED
WHY = Grounds("An investigation is open.", "Police of Seoul, 2026-77")


def erase(report: Report, reason: ErasureReason = ASKED) -> flow.Erasure:
    return flow.erase(report, actor="reporter", reason=reason, now=NOON)


def decided(cat: bytes, board: Platform, reviewer: User) -> tuple[Report, Decision]:
    """A report that went all the way: hits, an action, a notice, a bank member."""
    hosted = host(board, cat)
    report, _code = submit(cat, places=(BOARD_URL, OUTSIDE_URL))
    flow.examine(report, last_try=True)
    decision = flow.decide(
        Case.objects.get(report=report),
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="She says it is she.",
        remove=[hosted],
        actor=reviewer,
        now=NOON,
    )
    return report, decision


def test_nothing_opens_once_the_keys_are_gone_although_files_and_rows_are_there(
    cat: bytes,
) -> None:
    """B32: the first step alone makes the report unreadable, to reporter, visit and vault."""
    report, code = submit(cat, places=(OUTSIDE_URL,))
    token = visits.enter(" ".join(code.words("ko")), now=NOON)

    done = erase(report)

    assert done == flow.Erasure(ASKED, NOON, None)
    assert list(storage().names()), "files go later"
    report.refresh_from_db()
    assert (bytes(report.wrap_vault), bytes(report.wrap_code)) == (b"", b"")
    assert not Visit.objects.exists()
    assert visits.resume(token, now=NOON) is None
    with pytest.raises(CodeUnknown):
        visits.enter(" ".join(code.words("ko")), now=NOON)
    with pytest.raises(ReportErased):
        vault.identity_of(report)


def test_a_report_goes_and_the_account_of_it_stays(
    cat: bytes, board: Platform, reviewer: User
) -> None:
    """What is kept, is kept on purpose: docs/vault.md has the table."""
    report, decision = decided(cat, board, reviewer)
    member = Member.objects.get(exhibit__report=report)
    notice = Notice.objects.get(decision=decision)

    erase(report)
    flow.finish_erasure(str(report.pk))

    assert list(storage().names()) == []
    for gone in (Exhibit, Fingerprint, Hit, Location):
        assert not gone.objects.exists(), gone
    report.refresh_from_db()
    emptied = (report.language, report.age, report.harms, report.recipient, bytes(report.sealed))
    assert emptied == ("", "", [], "", b"")
    decision.refresh_from_db()
    assert (decision.verdict, bytes(decision.reason_sealed)) == (Verdict.REMOVE, b"")
    assert decision.actions.get().statement.document
    member.refresh_from_db()
    assert (member.exhibit_id, member.case_number) == (None, None)
    notice.refresh_from_db()
    assert (notice.items.get().location, bytes(notice.sealed), notice.state) == (
        None,
        b"",
        NoticeState.DROPPED,
    )
    stone = Tombstone.objects.get()
    assert (stone.report, stone.exhibits, stone.locations) == (report.pk, 1, 2)
    assert stone.finished_at is not None
    assert audit.verify() > 0


def test_what_was_asked_about_its_case_goes_with_it(cat: bytes, reviewer: User) -> None:
    """Reasons speak of the report, and are sealed to the vault, which outlives it."""
    report, _code = submit(cat)
    case = flow.open_case(report, now=NOON)
    for number in (case.pk, None):
        asking.ask(cat, Question(Purpose.CASE, "She asked.", number), actor=reviewer, now=NOON)

    erase(report)
    flow.finish_erasure(str(report.pk))

    assert Inquiry.objects.get().case_number is None
    assert Entry.objects.filter(tag="trace:asked").count() == 2


def test_a_report_nobody_looked_at_leaves_its_tombstone_alone(cat: bytes) -> None:
    report, _code = submit(cat)

    erase(report)
    flow.finish_erasure(str(report.pk))

    assert not Report.objects.exists()
    assert Tombstone.objects.get().short == report.short
    # The job that waits for it ends quietly.
    context = type("Context", (), {"job": type("Job", (), {"attempts": 0})})
    flow.examine_report.func(context, str(report.pk))
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    "step",
    [
        "haechi.server.evidence.services.forget_blobs",
        "haechi.server.notices.services.forget",
        "haechi.server.cases.services.forget",
        "haechi.server.matching.services.forget",
        "haechi.server.evidence.services.forget",
        "haechi.server.reports.erasing.forget",
    ],
)
def test_killed_at_any_step_it_is_finished_later(
    step: str, cat: bytes, board: Platform, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B32: each step dies once after its work, before its commit; nothing is lost or done twice."""
    report, _decision = decided(cat, board, reviewer)
    erase(report)
    owner, _, name = step.rpartition(".")
    with monkeypatch.context() as patched:
        patched.setattr(f"{owner}.{name}", _dying(owner, name))
        with pytest.raises(SystemExit):
            flow.finish_erasure(str(report.pk))
    assert Tombstone.objects.get().finished_at is None

    assert erase(report).begun_at == NOON, "asked again, it begins no second time"
    flow.finish_erasure(str(report.pk))
    flow.finish_erasure(str(report.pk))

    assert list(storage().names()) == []
    assert not Exhibit.objects.exists()
    tags = list(Entry.objects.values_list("tag", flat=True))
    assert (tags.count("report:keys_destroyed"), tags.count("report:erased")) == (1, 1)


def _dying(owner: str, name: str) -> Callable[..., None]:
    import importlib  # noqa: PLC0415

    real = getattr(importlib.import_module(owner), name)

    def dying(*args: object, **named: object) -> None:
        real(*args, **named)
        raise SystemExit("killed")

    return dying


def test_storage_that_is_away_delays_the_files_and_not_the_keys(
    cat: bytes, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, _code = submit(cat)
    erase(report)
    moved = settings.BLOBS.with_name("away")
    settings.BLOBS.rename(moved)
    settings.BLOBS.write_text("not a folder")

    with pytest.raises(StorageUnavailable):
        flow.finish_erasure(str(report.pk))
    settings.BLOBS.unlink()
    moved.rename(settings.BLOBS)
    flow.finish_erasure(str(report.pk))

    assert list(storage().names()) == []


def test_a_legal_hold_keeps_everything_until_it_ends(cat: bytes) -> None:
    """B32: a hold blocks erasure whoever asks; released or over, it blocks no more."""
    report, _code = submit(cat)
    until = NOON + timedelta(days=90)
    hold = holds.place(report, WHY, until=until, actor="staff:1", now=NOON)

    with pytest.raises(LegalHold) as refused:
        erase(report)
    report.refresh_from_db()

    assert refused.value.until == until
    assert vault.identity_of(report)
    assert holds.grounds_of(hold) == WHY
    assert b"Seoul" not in bytes(hold.sealed)
    assert holds.release(hold, why="Closed.", actor="staff:2", now=NOON)
    assert not holds.release(hold, why="Again.", actor="staff:2", now=NOON)
    assert erase(report).finished_at is None
    tags = [entry.tag for entry in audit.history(report)]
    assert tags[-3:] == ["hold:placed", "hold:released", "report:keys_destroyed"]


def test_a_hold_ends_by_itself_and_none_is_placed_on_what_is_gone(cat: bytes) -> None:
    report, _code = submit(cat)
    holds.place(report, WHY, until=NOON + timedelta(days=1), actor="staff:1", now=NOON)

    later = NOON + timedelta(days=1)
    flow.erase(report, actor="reporter", reason=ASKED, now=later)
    flow.finish_erasure(str(report.pk))

    assert not Hold.objects.exists()
    with pytest.raises(ReportErased):
        holds.place(report, WHY, until=None, actor="staff:1", now=later)


def test_nobody_decides_on_an_erased_report(cat: bytes, reviewer: User) -> None:
    report, _code = submit(cat, places=(OUTSIDE_URL,))
    flow.examine(report, last_try=True)
    case = Case.objects.get(report=report)
    erase(report)
    flow.finish_erasure(str(report.pk))

    case.refresh_from_db()
    assert case.state == CaseState.CLOSED
    assert not case.clocks.filter(stopped_at=None).exists()
    with pytest.raises(CaseClosed):
        flow.judge(
            case,
            Ruling(Verdict.KEEP, reason="No."),
            remove=(),
            place=1,
            actor=reviewer,
            now=NOON,
        )


def test_a_notice_that_was_not_sent_never_is(cat: bytes, board: Platform, reviewer: User) -> None:
    report, decision = decided(cat, board, reviewer)
    erase(report)
    flow.finish_erasure(str(report.pk))
    notice = Notice.objects.get(decision=decision)

    notices.deliver(notice, now=NOON)
    flow.sweep_copies(decision.pk)

    assert notice.sent_at is None


def test_time_erases_what_was_settled_and_nothing_else(
    cat: bytes, board: Platform, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Periods are data; an undecided report never expires."""
    old, _decision = decided(cat, board, reviewer)
    waiting, _code = submit(cat)
    retention.change("decided", 10, reason="Ours.", actor="operator", now=NOON)

    assert list(retention.due(NOON + timedelta(days=9))) == []
    monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(days=10))
    flow.expire_reports(0)
    flow.expire_reports(0)

    assert Tombstone.objects.get().report == old.pk
    assert Tombstone.objects.get().reason == ErasureReason.EXPIRED
    waiting.refresh_from_db()
    assert waiting.state == State.RECEIVED


def test_a_hold_outlasts_the_period(
    cat: bytes, board: Platform, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, _decision = decided(cat, board, reviewer)
    holds.place(report, WHY, until=None, actor="staff:1", now=NOON)
    monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(days=4000))

    flow.expire_reports(0)

    assert not Tombstone.objects.exists()


@pytest.mark.parametrize(
    ("state", "days", "reason"),
    [("received", 5, "x"), ("decided", 0, "x"), ("decided", 36_501, "x"), ("decided", 5, " ")],
)
def test_a_period_without_sense_or_reason_is_refused(state: str, days: int, reason: str) -> None:
    with pytest.raises(SettingRefused):
        retention.change(state, days, reason=reason, actor="operator", now=NOON)

    assert retention.periods() == list(retention.DEFAULTS)


def test_every_relation_to_a_report_or_an_exhibit_is_accounted_for() -> None:
    """Whoever adds one says here what an erasure does with it.

    CASCADE to a report is content and goes by itself (reports.erasing.forget).
    """
    protected = {
        ("Report", "exhibit"),
        ("Report", "case"),
        ("Report", "hit"),
        ("Report", "hold"),
        ("Exhibit", "fingerprint"),
        ("Exhibit", "member"),
        ("Exhibit", "look"),
        ("Location", "noticeitem"),
    }
    found = {
        (model.__name__, str(relation.related_model._meta.model_name))
        for model in (Report, Exhibit, Location)
        for relation in model._meta.related_objects
        if relation.on_delete is not models.CASCADE
    }

    assert found == protected


def test_the_identity_of_the_report_is_in_no_row_that_is_left(
    cat: bytes, board: Platform, reviewer: User
) -> None:
    report, _decision = decided(cat, board, reviewer)
    erase(report)
    flow.finish_erasure(str(report.pk))

    report.refresh_from_db()
    left = [bytes(report.wrap_vault), bytes(report.wrap_code), bytes(report.sealed)]
    assert not any(data.startswith(b"age-encryption.org") for data in left)
    assert not Visit.objects.filter(report=report).exists()
