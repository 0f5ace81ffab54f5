"""A report ends: asked for, or by time. Its keys first, then files, then rows."""

import datetime as dt
import logging
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.errors import LegalHold, ReportErased
from haechi.server.appeals import services as appeals
from haechi.server.cases import erasures, packages
from haechi.server.cases import services as cases
from haechi.server.cases.models import Case, ErasureRequest
from haechi.server.evidence import origin
from haechi.server.evidence import services as evidence
from haechi.server.flow import packaging
from haechi.server.flow.jobs import KeepTrying
from haechi.server.matching import services as matching
from haechi.server.notices import services as notices
from haechi.server.reports import erasing, retention
from haechi.server.reports.models import ErasureReason, Report, Tombstone
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User
from haechi.server.tracing import asking

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Erasure:
    """How far the erasure of a report is. From begun_at on, nobody can open it."""

    reason: ErasureReason
    begun_at: dt.datetime
    finished_at: dt.datetime | None


def erase(report: Report, *, actor: str, reason: ErasureReason, now: dt.datetime) -> Erasure:
    """Destroy the report's keys now; its files and rows follow as a job (B32).

    When this returns, the keys are gone, durably. Asked again, it says how far the first is. Raises
    LegalHold, and nothing was changed. docs/vault.md says what goes and what stays.
    """
    with transaction.atomic(durable=True):
        return _begin(report, actor=actor, reason=reason, now=now)


def agree_to_erasure(request: ErasureRequest, *, actor: User, now: dt.datetime) -> bool:
    """A second person agrees (B23): the report is erased, in the same transaction.

    False where the request was settled before. Raises OwnRequest, and LegalHold where somebody asked
    meanwhile that it be kept; nothing was changed then.
    """
    with transaction.atomic(durable=True):
        if not erasures.settle(request, agreed=True, actor=actor, now=now):
            return False
        reason = ErasureReason(request.reason)
        _begin(request.case.report, actor=actor.name_in_log, reason=reason, now=now)
    return True


def _begin(report: Report, *, actor: str, reason: ErasureReason, now: dt.datetime) -> Erasure:
    stone = erasing.destroy_keys(
        report, exhibits=report.exhibits.count(), actor=actor, reason=reason, now=now
    )
    if stone.finished_at is None:
        finish_erasure.configure(lock=f"report-{report.pk}").defer(report_id=str(report.pk))
    return Erasure(ErasureReason(stone.reason), stone.begun_at, stone.finished_at)


@app.task(name="finish_erasure", retry=KeepTrying())
def finish_erasure(report_id: str) -> None:
    """Files first, then rows: a row that is left still names its file. Safe to repeat.

    Only of a report whose keys are gone: who can write a tombstone cannot have a living report
    deleted.
    """
    stone = Tombstone.objects.filter(report=UUID(report_id), finished_at=None).first()
    if stone is None:
        return
    report = Report.objects.filter(pk=report_id).first()
    if report is not None:
        if report.state != ReportState.ERASED or bytes(report.wrap_vault):
            log.error("report %s has a tombstone and is alive; nothing is erased", report.short)
            return
        evidence.forget_blobs(report)
        origin.delete_files(report.donors.all())
        packaging.remove_files(packages.files_of(report))
    now = timezone.now()
    with transaction.atomic():
        if report is not None:
            _forget_rows(report, now=now)
        case = Case.objects.filter(report=stone.report).exists()
        erasing.forget(stone.report, keep_row=case, actor="worker", now=now)


def _forget_rows(report: Report, *, now: dt.datetime) -> None:
    appeals.forget(report)
    notices.forget(report)
    packages.forget(report, now=now)
    asking.forget(list(Case.objects.filter(report=report).values_list("pk", flat=True)))
    cases.forget(report, now=now)
    matching.forget(report, actor="worker", now=now)
    evidence.forget(report)


@app.periodic(cron="*/30 * * * *")
@app.task(name="expire_reports", queueing_lock="expire_reports")
def expire_reports(timestamp: int) -> None:
    """Every half hour: erase what was kept long enough (reports.retention)."""
    for report in retention.due(timezone.now()).iterator(chunk_size=200):
        if appeals.waiting_about(report):
            continue
        with suppress(LegalHold, ReportErased):
            erase(report, actor="worker", reason=ErasureReason.EXPIRED, now=timezone.now())
