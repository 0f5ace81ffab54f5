"""THE WALK, top to bottom.

A report comes in                              submit_report()
  the worker opens and fingerprints exhibits   examine()  ->  take_evidence()
  compares them with what is hosted and known                        match()
  opens a case and starts the clocks of law                          open_case()
A reviewer decides: all of it, or none         decide()
  the platform removes and confirms            deliver_action()
  copies posted meanwhile are found            sweep_copies()
A picture of a bank is confirmed               confirm_member()
  and looked for in what is hosted already     search_backwards()
A picture matches far too much                 watch_floods()
  hosts outside get a notice                   deliver_notice()
Whoever posted it may object                   appeal(), answer_appeal()
Whoever reported it comes back, and
  writes, adds, corrects                       write_message(), add_to_report(), correct_report()
  objects to a refusal or to silence           appeal_inaction()
  takes it back                                withdraw_report()
  is told that something changed               tell_reporters()
No clock runs out unseen                       watch_clocks()
A report ends: asked for, or by time           erase()
  its keys first, then files, then rows        finish_erasure()
What was half sent is forgotten                forget_visits(), forget_uploads()

Each stage knows only the stages before it; what comes next is known here alone. Background tasks are
jobs in the same database, deferred inside the transaction that makes them necessary: either both
exist, or neither. A job may run twice (a process can die at any instant), so each step is safe to
repeat.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job, Status

from haechi.errors import CaseClosed, CodeInMessage, LegalHold, NothingReported, ReportErased
from haechi.server.appeals import services as appeals
from haechi.server.appeals.models import Appeal
from haechi.server.appeals.services import Appealable
from haechi.server.audit import services as audit
from haechi.server.cases import delivery
from haechi.server.cases import services as cases
from haechi.server.cases.models import Action, Case, Decision, Ground, Verdict
from haechi.server.evidence import services as evidence
from haechi.server.evidence import stamping, uploads
from haechi.server.evidence.models import Exhibit
from haechi.server.evidence.sealing import SealedFile
from haechi.server.evidence.told import Told
from haechi.server.matching import backwards, banks, floods
from haechi.server.matching import services as matching
from haechi.server.matching.models import BankPolicy, Hosted, Member, Sighting
from haechi.server.notices import news
from haechi.server.notices import services as notices
from haechi.server.notices.models import Notice
from haechi.server.reports import (
    additions,
    erasing,
    holds,
    messages,
    nudges,
    places,
    requirements,
    retention,
    visits,
)
from haechi.server.reports import services as reports
from haechi.server.reports.models import (
    ErasureReason,
    Location,
    Message,
    Report,
    Sender,
    Tombstone,
)
from haechi.server.reports.models import State as ReportState
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.services import Submission
from haechi.server.reports.story import Story
from haechi.server.reports.visits import Visiting
from haechi.server.staff.models import User
from haechi.server.transparency import services as transparency

log = logging.getLogger(__name__)

# A decoder that dies once may have been the machine's fault; three times is the file's.
EXHIBIT_RETRIES = 2
# By then every match process knows the new member (a second), and what was published before that
# can be found by looking backwards.
SWEEP_AFTER_S = 5


class KeepTrying(BaseRetryStrategy):
    """Retry for ever: after 1, 2, 4 ... seconds, at most every ten minutes. Nothing is dropped."""

    longest_s = 600

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """When to try again."""
        wait_s = min(2 ** min(job.attempts, 20), self.longest_s)
        log.warning("%s will be tried again in %s s: %s", job.task_name, wait_s, exception)
        return RetryDecision(retry_in={"seconds": wait_s})


# --- a report comes in ---------------------------------------------------------------------------


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


def take_evidence(exhibit: Exhibit, *, last_try: bool, now: dt.datetime) -> None:
    """Open the exhibit, fingerprint it, forget the picture."""
    evidence.take_fingerprint(exhibit, last_try=last_try, now=now)


def match(report: Report, *, now: dt.datetime) -> None:
    """Compare with what platforms host and with what the banks know."""
    matching.find(report, now=now)


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

    The worker does it: the public process cannot open what was written before.
    """
    case = Case.objects.select_related("report").filter(report_id=report_id).first()
    if case is not None:
        start_clocks(case, since=dt.datetime.fromisoformat(since), now=timezone.now())


# --- a reviewer decides --------------------------------------------------------------------------


@transaction.atomic
def decide(
    case: Case,
    verdict: Verdict,
    ground: Ground,
    *,
    reason: str,
    remove: Iterable[Hosted],
    actor: User,
    now: dt.datetime,
) -> Decision:
    """Record the decision with everything that follows from it: all, or none (B20).

    `remove` is the hosted content the reviewer confirmed. Raises ReasonRequired, CaseClosed or
    CaseClaimed.
    """
    remove = list(remove)
    decision = cases.decide(case, verdict, ground, reason=reason, actor=actor, now=now)
    report = Report.objects.filter(pk=case.report_id).exclude(
        state__in=(ReportState.WITHDRAWN, ReportState.ERASED)
    )
    if not report.update(state=ReportState.DECIDED, settled_at=now):
        raise CaseClosed(case.pk)
    nudges.changed(case.report, now=now)
    cases.stop_clocks(case, "decision", now=now)
    if verdict == Verdict.KEEP:
        cases.stop_clocks(case, "removal", now=now)
        return decision
    for exhibit in case.report.exhibits.all():
        seen = evidence.seen_by_person(exhibit)
        matching.add_member(
            exhibit, seen=seen, case_number=case.pk, actor=actor.name_in_log, now=now
        )
    # What a reporter only told the fingerprint of: as far as the reviewer saw what it fits.
    matching.confirm_told(
        case.report, remove, case_number=case.pk, actor=actor.name_in_log, now=now
    )
    for hosted in remove:
        remove_hosted(decision, hosted, actor=actor.name_in_log, by_machine=False, now=now)
    for location, address in places_outside(case.report):
        notice = notices.draft(decision, location, address, now=now)
        if notice is not None:
            deliver_notice.configure(lock=f"notice-{notice.pk}").defer(notice_id=str(notice.pk))
    search_backwards.defer()
    sweep_copies.configure(schedule_in={"seconds": SWEEP_AFTER_S}).defer(decision_id=decision.pk)
    # With a platform asked, its answer ends the clock; with nobody asked, nothing was removed and
    # the clock runs on.
    if decision.notices.exists() and not decision.actions.exists():
        cases.stop_clocks(case, "removal", now=now)
    return decision


def remove_hosted(
    decision: Decision, hosted: Hosted, *, actor: str, by_machine: bool, now: dt.datetime
) -> None:
    """Ask a platform to remove one piece, with its statement of reasons."""
    action = cases.ask_platform(decision, hosted, actor=actor, now=now)
    transparency.state_reasons(action, by_machine=by_machine, now=now)
    deliver_action.configure(lock=action.idempotency_key).defer(action_id=action.pk)


@app.task(name="sweep_copies", retry=KeepTrying())
@transaction.atomic
def sweep_copies(decision_id: int) -> None:
    """Look backwards once more: copies that were posted while people were deciding.

    Acts only where a person has seen every picture of the report, and only on matches a machine
    may act on (index.Policy.certain).
    """
    decision = _locked(decision_id)
    report, now = decision.case.report, timezone.now()
    if report.state == ReportState.ERASED:
        return
    match(report, now=now)
    if not all(evidence.seen_by_person(exhibit) for exhibit in report.exhibits.all()):
        return
    for hosted in matching.copies_since(report, decision.made_at):
        if not decision.actions.filter(hosted=hosted).exists():
            remove_hosted(decision, hosted, actor="worker", by_machine=True, now=now)


def _locked(decision_id: int) -> Decision:
    """A decision that nobody else asks for removals of meanwhile."""
    found = Decision.objects.select_for_update(of=("self",)).select_related("case__report")
    return found.get(pk=decision_id)


# --- banks ---------------------------------------------------------------------------------------


@transaction.atomic
def confirm_member(member: Member, *, actor: str, now: dt.datetime, note: str = "") -> bool:
    """Bring a member into force, and look for it in what is hosted already: both, or neither.

    False if it was in force before.
    """
    won = banks.confirm(member, actor=actor, now=now, note=note)
    search_backwards.defer()
    return won


@app.task(name="search_backwards", retry=KeepTrying(), lock="search_backwards")
def search_backwards() -> None:
    """Look for members that came into force in what is hosted; one job does all that is due."""
    done = 1
    while done:
        with transaction.atomic():
            now = timezone.now()
            done, members = backwards.take(matching.known(), now=now)
            for member in members:
                act_on_sightings(member, now=now)


@transaction.atomic
def act_on_sightings(member: Member, *, now: dt.datetime) -> None:
    """Ask for removal of what was found, each piece once, as far as a machine may.

    It may where a person of ours decided on this very picture after seeing it, the match is
    certain, and the reviewer did not have the same piece before them and leave it. Everything else
    waits at the desk.
    """
    if member.held or member.exhibit is None or member.bank.policy != BankPolicy.BLOCK:
        return
    if not evidence.seen_by_person(member.exhibit):
        return
    number = Decision.objects.filter(
        case__report__exhibits=member.exhibit, verdict=Verdict.REMOVE
    ).values_list("pk", flat=True)
    if not number:
        return
    decision = _locked(number[0])
    left = decision.case.report.hits.filter(found_at__lte=decision.made_at).values("hosted_id")
    waiting = backwards.waiting(member).exclude(hosted_id__in=left.filter(hosted__isnull=False))
    for sighting in filter(matching.certain, waiting):
        mine = backwards.settle(sighting, now=now)
        if mine and not decision.actions.filter(hosted=sighting.hosted).exists():
            remove_hosted(decision, sighting.hosted, actor="worker", by_machine=True, now=now)


@transaction.atomic
def settle_sighting(sighting: Sighting, *, actor: str, now: dt.datetime) -> bool:
    """A person has dealt with one find. False if somebody had before."""
    won = backwards.settle(sighting, now=now)
    if won:
        audit.record("sighting:settled", subject=sighting, actor=actor, at=now)
    return won


@app.periodic(cron="* * * * * */3")
@app.task(name="keep_banks", queueing_lock="keep_banks")
def keep_banks(timestamp: int) -> None:
    """Every three seconds: stay ready to look backwards, and do what others than the desk asked.

    HMA's API and the commands confirm members too; the database has put those down.
    """
    matching.known().catch_up()
    search_backwards()


@app.periodic(cron="* * * * * */10")
@app.task(name="watch_floods", queueing_lock="watch_floods")
def watch_floods(timestamp: int) -> None:
    """Every ten seconds: a member that matches far too much is held and put before a person."""
    for surge in floods.watch(now=timezone.now()):
        log.warning("member %s matches unusually often (held: %s)", surge.member_id, surge.held)


def places_outside(report: Report) -> list[tuple[Location, str]]:
    """Reported locations that a notice can be sent about: hosts that are none of our platforms."""
    ours = {notices.host_of(url) for url in matching.platform_addresses()}
    typed = reports.addresses_of(report)
    addresses = {number: places.link_in(text) for number, text in typed.items()}
    return [
        (location, addresses[location.number])
        for location in report.locations.all()
        if (host := notices.host_of(addresses[location.number])) is not None and host not in ours
    ]


@app.task(name="deliver_action", retry=KeepTrying())
def deliver_action(action_id: int) -> None:
    """Tell the platform; it removes, and says so."""
    action = Action.objects.select_related(
        "platform", "hosted", "statement", "decision__case__report"
    ).get(pk=action_id)
    report = action.decision.case.report
    if action.done_at is not None or report.state == ReportState.WITHDRAWN:
        return
    body: dict[str, object] = {
        "type": "content.remove",
        "idempotency_key": action.idempotency_key,
        "content_id": action.hosted.content_id,
        "reason": action.decision.get_ground_display(),
        "statement": action.statement.document,
        "appeal_url": f"{settings.HAECHI.public_url}/appeal/{action.appeal_token}",
    }
    delivery.send(action, body, now=timezone.now())
    cases.confirm_action(action, now=timezone.now())
    nudges.changed(report, now=timezone.now())


@app.task(name="deliver_notice", retry=KeepTrying())
def deliver_notice(notice_id: str) -> None:
    """Send the notice, keep the receiving server's answer."""
    notice = Notice.objects.select_related("decision__case__report").get(pk=notice_id)
    report = notice.decision.case.report
    if report.state != ReportState.WITHDRAWN:
        notices.deliver(notice, now=timezone.now())
        nudges.changed(report, now=timezone.now())


# --- whoever posted it may object ----------------------------------------------------------------


def appeal(subject: Appealable, text: str, *, now: dt.datetime) -> Appeal:
    """Take an appeal in, for another person than who decided."""
    return appeals.receive(subject, text, now=now)


def answer_appeal(
    appealed: Appeal, *, grant: bool, reason: str, actor: User, now: dt.datetime
) -> None:
    """Answer it.

    A poster's appeal, granted, withdraws the bank members behind it; a reporter's opens her case
    again, for another person.
    """
    with transaction.atomic():
        appeals.answer(appealed, grant=grant, reason=reason, actor=actor, now=now)
        if appealed.case is not None:
            report = appealed.case.report
            if grant and appealed.kept is not None:
                Report.objects.filter(pk=report.pk, state=ReportState.DECIDED).update(
                    state=ReportState.LOOKED_AT
                )
            nudges.changed(report, now=now)


# --- whoever reported it comes back --------------------------------------------------------------


@transaction.atomic
def write_message(visit: Visiting, text: str, *, now: dt.datetime) -> Message:
    """Take a message to the people who work on the report. Raises CodeInMessage (B06)."""
    _no_code(visit, text)
    message = messages.send(visit.report, Sender.REPORTER, text, actor="reporter", now=now)
    additions.news(visit.report, now=now)
    return message


@transaction.atomic
def write_to_reporter(report: Report, text: str, *, actor: User, now: dt.datetime) -> Message:
    """Write to her; she reads it with her code."""
    message = messages.send(report, Sender.STAFF, text, actor=actor.name_in_log, now=now)
    nudges.changed(report, now=now)
    return message


@transaction.atomic
def add_to_report(
    visit: Visiting, named: Sequence[str], files: Sequence[SealedFile], *, now: dt.datetime
) -> None:
    """Add places and files, sealed to the report already; the worker looks at all of it again.

    Raises NothingReported without either, CodeInMessage, ReportClosed after a withdrawal.
    """
    if not named and not files:
        raise NothingReported
    _no_code(visit, *named)
    held = additions.open_for_more(visit.report)
    additions.add_places(held, named, visit.identity, now=now)
    before = held.exhibits.count()
    evidence.attach(held, files, now=now)
    if files:
        story = reports.story_of(held, visit.identity)
        names = {str(number): file.name for number, file in enumerate(files, start=before + 1)}
        reports.reseal(held, replace(story, files=story.files | names))
    _look_again(held, now=now)


@transaction.atomic
def correct_report(visit: Visiting, story: Story, *, now: dt.datetime) -> None:
    """Put other words in place of what she wrote; the old ones are kept, sealed.

    Where they make the request complete, clocks that need that start with this moment. Raises
    CodeInMessage, ReportClosed.
    """
    _no_code(visit, f"{story.told}\n{story.signature}\n{story.contact}")
    additions.correct(visit.report, story, now=now)
    _look_again(visit.report, now=now)


def appeal_inaction(visit: Visiting, text: str, *, now: dt.datetime) -> Appeal:
    """Take in what she says against a refusal, or against a deadline that passed in silence.

    Another person than who refused answers it. Raises NothingToAppeal, CodeInMessage.
    """
    _no_code(visit, text)
    return appeal(appeals.of_report(visit.report, now=now), text, now=now)


@transaction.atomic
def withdraw_report(report: Report, *, now: dt.datetime) -> bool:
    """Take the report back: what has not happened yet does not happen. False if it was before.

    What was sent cannot be unsent, and what was taken down stays down.
    """
    won = additions.withdraw(report, now=now)
    if won:
        # After an examination that is under way, which may open the case.
        wind_down.configure(lock=f"report-{report.pk}").defer(report_id=str(report.pk))
    return won


@app.task(name="wind_down", retry=KeepTrying())
@transaction.atomic
def wind_down(report_id: str) -> None:
    """The worker's part of a withdrawal: case, clocks, objections, what waits to be sent.

    Nothing where the report was not taken back.
    """
    case = Case.objects.filter(report__pk=report_id, report__state=ReportState.WITHDRAWN).first()
    if case is not None:
        now = timezone.now()
        notices.withdraw(case, now=now)
        cases.withdraw(case, now=now)
        appeals.withdraw(case.report, now=now)


@transaction.atomic
def pursue_added(decision: Decision, *, actor: User, now: dt.datetime) -> int:
    """Ask for removal at places that were added after the decision; a person says so, once each.

    Returns for how many somebody is asked now.
    """
    decision = _locked(decision.pk)
    report = decision.case.report
    late = {location.pk for location in added_since(decision.case)}
    asked = 0
    for location, address in places_outside(report):
        if location.pk in late:
            notice = notices.draft(decision, location, address, now=now)
            if notice is not None:
                deliver_notice.configure(lock=f"notice-{notice.pk}").defer(notice_id=str(notice.pk))
                asked += 1
    for hosted in matching.hosted_at(report, late):
        if not decision.actions.filter(hosted=hosted).exists():
            remove_hosted(decision, hosted, actor=actor.name_in_log, by_machine=False, now=now)
            asked += 1
    return asked


def added_since(case: Case) -> list[Location]:
    """Places added after the decision to remove that nobody was asked about yet."""
    decision = case.decision
    if decision is None or decision.verdict != Verdict.REMOVE:
        return []
    asked = decision.actions.values("hosted__url_digest")
    late = case.report.locations.filter(added_at__gt=decision.made_at)
    return list(late.exclude(notices__decision=decision).exclude(digest__in=asked))


def want_news(visit: Visiting, address: str, *, now: dt.datetime) -> None:
    """Tell her at `address` that something changed. Raises CodeInMessage, ReportErased."""
    _no_code(visit, address)
    nudges.want(visit.report, address, now=now)


def _no_code(visit: Visiting, *texts: str) -> None:
    if visit.says_code(*texts):
        raise CodeInMessage


def _look_again(report: Report, *, now: dt.datetime) -> None:
    additions.news(report, now=now)
    lock = f"report-{report.pk}"
    # In this order: clocks that this completes start now, the others had started with the report.
    complete_request.configure(lock=lock).defer(report_id=str(report.pk), since=now.isoformat())
    examine_report.configure(lock=lock).defer(report_id=str(report.pk))


@app.periodic(cron="*/5 * * * *")
@app.task(name="tell_reporters", queueing_lock="tell_reporters")
def tell_reporters(timestamp: int) -> None:
    """Every five minutes: tell those who asked for it that something changed, never what."""
    now = timezone.now()
    for nudge in nudges.due(now=now):
        if nudges.take(nudge, now=now) and news.tell(nudge, now=now):
            nudges.told(nudge)


# --- a report ends -------------------------------------------------------------------------------


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
    now = timezone.now()
    with transaction.atomic():
        if report is not None:
            _forget_rows(report, now=now)
        case = Case.objects.filter(report=stone.report).exists()
        erasing.forget(stone.report, keep_row=case, actor="worker", now=now)


def _forget_rows(report: Report, *, now: dt.datetime) -> None:
    appeals.forget(report)
    notices.forget(report)
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


# --- time passes ---------------------------------------------------------------------------------


@app.periodic(cron="* * * * *")
@app.task(name="watch_clocks", queueing_lock="watch_clocks", pass_context=False)
def watch_clocks(timestamp: int) -> None:
    """Every minute, and after every stop: a clock that ran out is an event, never a silence."""
    for clock in cases.find_missed_clocks(now=timezone.now()):
        log.error("clock missed: %s (due %s)", clock, clock.due_at.isoformat())


@app.periodic(cron="*/10 * * * *")
@app.task(name="forget_visits", queueing_lock="forget_visits")
def forget_visits(timestamp: int) -> None:
    """Forget what reporters' visits held once they are over."""
    visits.forget_visits(now=timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="forget_uploads", queueing_lock="forget_uploads")
def forget_uploads(timestamp: int) -> None:
    """Forget what browsers began to send and nobody went on with."""
    uploads.forget_old(now=timezone.now())


@app.periodic(cron="0 * * * *")
@app.task(name="sign_checkpoint", queueing_lock="sign_checkpoint")
def sign_checkpoint(timestamp: int) -> None:
    """Every hour, sign how long the log is and what it adds up to."""
    audit.checkpoint(audit.signing_key(), now=timezone.now())


@app.periodic(cron="* * * * * */5")
@app.task(name="rescue_jobs", queueing_lock="rescue_jobs")
async def rescue_jobs(timestamp: int) -> None:
    """Every five seconds: jobs whose worker died in the middle go back into the queue."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=10):
        if job.queueing_lock:  # A periodic one: the next comes by itself, and two would collide.
            await app.job_manager.finish_job(job, Status.ABORTED, delete_job=True)
        else:
            await app.job_manager.retry_job(job)
