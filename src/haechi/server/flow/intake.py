"""A report comes in: sealed, put before a person, fingerprinted, compared."""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from haechi.errors import NothingReported
from haechi.server.cases import clocks, queue
from haechi.server.cases import services as cases
from haechi.server.cases.models import Case
from haechi.server.evidence import services as evidence
from haechi.server.evidence import stamping, uploads
from haechi.server.evidence.models import Exhibit
from haechi.server.evidence.sealing import SealedFile
from haechi.server.evidence.told import Told
from haechi.server.flow.jobs import KeepTrying
from haechi.server.flow.origins import ask_origins
from haechi.server.matching import services as matching
from haechi.server.reports import holds, requirements
from haechi.server.reports import services as reports
from haechi.server.reports.models import Report
from haechi.server.reports.models import State as ReportState
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.services import Submission

EXHIBIT_RETRIES = 2


@transaction.atomic
def submit_report(
    submission: Submission,
    files: Sequence[SealedFile],
    *,
    now: dt.datetime,
    told: Sequence[Told] = (),
) -> tuple[Report, ReturnCode]:
    """Take a report in. When this returns, it is sealed and durably stored (B14).

    `files` are already sealed and stored; `told` are fingerprints of files that stayed with the
    reporter. The return code exists only in the answer; it follows from the submission's token.
    Raises NothingReported where there is neither a place, nor a picture, nor a fingerprint,
    IntegrityError where the same submission was taken in before, and UploadUnknown where an upload
    that a browser sealed was forgotten meanwhile.
    """
    if not submission.locations and not files and not told:
        raise NothingReported
    code = ReturnCode.from_seed(submission.token.encode())
    report = reports.receive(submission, code, now=now)
    uploads.claim(files)
    for exhibit in evidence.attach(report, files, now=now):
        if settings.HAECHI.tsa_url:
            stamp_receipt.defer(exhibit_id=str(exhibit.pk))
    evidence.keep_told(report, told, now=now)
    examine_report.configure(lock=f"report-{report.pk}").defer(report_id=str(report.pk))
    return report, code


@app.task(name="stamp_receipt", retry=KeepTrying())
def stamp_receipt(exhibit_id: str) -> None:
    """Have a time stamp authority confirm when it came."""
    for exhibit in Exhibit.objects.filter(pk=exhibit_id):
        stamping.stamp(exhibit, now=timezone.now())


@app.task(name="examine_report", retry=KeepTrying(), pass_context=True)
def examine_report(context: JobContext, report_id: str) -> None:
    """The worker's part."""
    report = Report.objects.exclude(state=ReportState.ERASED).filter(pk=report_id).first()
    if report is not None:
        examine(report, last_try=context.job.attempts >= EXHIBIT_RETRIES)


def examine(report: Report, *, last_try: bool) -> None:
    """Case, evidence, match. `last_try`: a decoder that dies now is held against the file."""
    now = timezone.now()
    if report.state == ReportState.WITHDRAWN:
        return
    # First of all: nothing that is wrong with a file keeps a report from a person.
    open_case(report, now=now)
    for exhibit in report.exhibits.all():
        take_evidence(exhibit, last_try=last_try, now=now)
    with transaction.atomic():
        match(report, now=now)
    # Last of all, and in other jobs: nothing waits for it.
    ask_origins(report, now=now)


def take_evidence(exhibit: Exhibit, *, last_try: bool, now: dt.datetime) -> None:
    """Open the exhibit, fingerprint it, forget the picture."""
    evidence.take_fingerprint(exhibit, last_try=last_try, now=now)


def match(report: Report, *, now: dt.datetime) -> None:
    """Compare with what platforms host and with what the banks know; the case moves accordingly."""
    # Locked before entries are written, like everywhere.
    case = Case.objects.select_for_update(no_key=True).filter(report=report).first()
    matching.find(report, now=now)
    if case is not None:
        queue.refresh(case)


def open_case(report: Report, *, now: dt.datetime) -> Case:
    """Put the report before a person, then start the clocks of law: two transactions.

    A report whose envelope does not open has a case all the same; its clocks are tried again.
    Raises KeyMissing or CannotOpen, and the case stays.
    """
    with transaction.atomic():
        case = cases.open_case(holds.lock(report), now=now)
        Report.objects.filter(pk=report.pk, state=ReportState.RECEIVED).update(
            state=ReportState.LOOKED_AT
        )
    with transaction.atomic():
        case.report = holds.lock(report)
        start_clocks(case, since=report.received_at, now=now)
    return case


def start_clocks(case: Case, *, since: dt.datetime, now: dt.datetime) -> None:
    """Start the clocks of every law whose request this report completes.

    `since` is when it was received or, where the reporter supplied what was missing, when she did;
    clocks that run already are left as they are.
    """
    valid = requirements.rules_completed(
        case.report,
        reports.story_of(case.report),
        places=reports.addresses_of(case.report).values(),
        pictures=case.report.exhibits.count() + case.report.told.count(),
    )
    cases.start_clocks(case, settings.HAECHI.jurisdictions, valid=valid, since=since, now=now)


@app.task(name="complete_request", retry=KeepTrying())
@transaction.atomic
def complete_request(report_id: str, since: str) -> None:
    """The reporter supplied something: clocks that this starts run from that moment (ISO 8601).

    The worker does it: the public process cannot open what was written before. Clocks that stood
    while she was asked run on from that moment.
    """
    case = Case.objects.select_related("report").filter(report_id=report_id).first()
    if case is not None:
        queue.lock(case)
        clocks.resume(case, since=dt.datetime.fromisoformat(since), now=timezone.now())
        start_clocks(case, since=dt.datetime.fromisoformat(since), now=timezone.now())
