"""A notice comes in: sealed by who faces strangers, understood by the worker."""

import datetime as dt
import logging
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

import dkim  # type: ignore[import-untyped]  # it has no annotations
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from haechi import seal
from haechi.errors import IncomingUnknown, InvalidDocument, SenderUnclear, WebhookError
from haechi.fingerprint import frames
from haechi.formats.letter import open_letter
from haechi.server.audit import services as audit
from haechi.server.cases import promises
from haechi.server.cases import services as cases
from haechi.server.cases.models import Case
from haechi.server.cases.models import State as CaseState
from haechi.server.evidence import services as evidence
from haechi.server.evidence.told import Told, ToldKind
from haechi.server.flow import noticing
from haechi.server.flow.intake import examine_report
from haechi.server.flow.jobs import KeepTrying
from haechi.server.flow.replying import house_of, read_document, receipt, reply_to
from haechi.server.notices.incoming import identity, reading
from haechi.server.notices.incoming import services as incoming_notices
from haechi.server.notices.incoming.answers import Address
from haechi.server.notices.incoming.identity import Identity
from haechi.server.notices.incoming.reading import Item, Reading
from haechi.server.notices.incoming_models import (
    Incoming,
    NoticeSender,
    Proof,
    SenderEvent,
    SenderKind,
    Stage,
    Way,
)
from haechi.server.reports import additions, holds
from haechi.server.reports import services as reports
from haechi.server.reports.models import Age, Filer, Harm, Report
from haechi.server.reports.models import State as ReportState
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.services import Submission
from haechi.server.reports.story import Story
from haechi.server.staff.models import User

log = logging.getLogger(__name__)

DNS_TRIES = 4
MOST_TOLD = 300


def accept(
    raw: bytes,
    way: Way,
    delivery: str | bytes,
    *,
    now: dt.datetime,
    sender: NoticeSender | None = None,
    proof: Proof = Proof.NONE,
) -> UUID:
    """Seal what arrived and have the worker read it; returns its number.

    When this returns, it is durably stored with its job, or an error was raised and it is not. The
    same `delivery` twice is one notice. Needs no key, and hardly a right.
    """
    number = incoming_notices.number_of(way, delivery)
    with transaction.atomic(durable=True):
        incoming_notices.keep(raw, way, number, now=now, sender=sender, proof=proof)
        take_notice.configure(lock=f"report-{number}").defer(report_id=str(number))
    return number


@app.task(name="take_notice", retry=KeepTrying(), pass_context=True)
def take_notice(context: JobContext, report_id: str) -> None:
    """Read one notice. The report that it becomes has the notice's own number."""
    take(UUID(report_id), last_try=context.job.attempts >= DNS_TRIES, now=timezone.now())


def take(
    number: UUID, *, last_try: bool, now: dt.datetime, resolve: identity.Resolve = dkim.get_txt
) -> None:
    """Understand a notice once: a case, the same as an earlier one, or something for a person.

    last_try   a signature that the DNS does not let us check counts as none now
    Raises SenderUnclear before that.
    """
    row = Incoming.objects.select_related("sender").filter(pk=number, stage=Stage.RECEIVED).first()
    if row is None:
        return
    raw = incoming_notices.raw_of(row)
    if row.way == Way.MAIL:
        letter = open_letter(raw)
        who = identity.of_mail(raw, letter, resolve=resolve, relay=settings.HAECHI.mail_relay)
        if who.proof == Proof.UNCLEAR and not last_try:
            raise SenderUnclear(f"notice in {number}")
        read, to = reading.of_letter(letter), reply_to(letter, who, now=now)
    else:
        read = read_document(row, raw)
        who = Identity(Proof(row.proof), row.sender, None, "")
        to = house_of(row.sender, read)
    with transaction.atomic():
        won = Incoming.objects.select_for_update().filter(pk=number, stage=Stage.RECEIVED).first()
        if won is not None:
            Incoming.objects.filter(pk=number).update(
                form=read.form, proof=who.proof, sender=who.sender, claimed=who.claimed,
                document=read.document, unread_parts=read.unread,
            )  # fmt: skip
            won.refresh_from_db()
            _settle(won, raw, read, who, to, now=now)


def _settle(
    row: Incoming, raw: bytes, read: Reading, who: Identity, to: Address | None, *, now: dt.datetime
) -> None:
    """One of the ways a notice can go, inside the caller's transaction."""
    if row.way == Way.MAIL and _is_reply(raw, now=now):
        _over(row, Stage.REPLY, now=now)
        return
    if read.kind in ("receipt", "answer"):
        _take_document(row, raw, now=now)
        return
    if read.kind == "withdrawal" and _withdraw(row, read, now=now):
        return
    owner = f"{row.sender_id}" if row.sender_id else (who.author if who.proven else "")
    named, listed = incoming_notices.marks(read, owner and f"{row.sender_id or ''} {owner}")
    first = incoming_notices.earlier(row, named, listed, now=now)
    if first is not None:
        incoming_notices.fold(row, first, now=now)
        row.refresh_from_db()
        receipt(row, to, first.pk, now=now)
        return
    Incoming.objects.filter(pk=row.pk).update(reading=named, items_digest=listed)
    if not read.items or read.kind != "takedown":
        _over(row, Stage.WAITING, now=now)
        audit.record("incoming:waiting", subject=row, actor="worker", at=now)
    else:
        open_report(row, raw, read, who, now=now)
    row.refresh_from_db()
    receipt(row, to, row.pk, now=now)


def open_report(
    row: Incoming, raw: bytes, read: Reading, who: Identity, *, now: dt.datetime
) -> Case:
    """Make the one report and the one case of a notice, inside the caller's transaction.

    Clocks run from the moment it was received, however late it is read.
    """
    submission = _submission(row, read, who)
    code = ReturnCode.from_seed(submission.token.encode())
    report = reports.receive(submission, code, now=row.received_at, number=row.pk, actor="worker")
    evidence.keep_told(report, _told(read.items), now=now)
    incoming_notices.keep_items(row, report, read)
    Incoming.objects.filter(pk=row.pk).update(
        stage=Stage.TAKEN, report=report, raw=seal.seal(raw, report.recipient), taken_at=now
    )
    case = cases.open_case(report, now=now)
    Report.objects.filter(pk=report.pk, state=ReportState.RECEIVED).update(
        state=ReportState.LOOKED_AT
    )
    audit.record(
        "incoming:taken",
        subject=report,
        actor="worker",
        at=now,
        detail={"items": len(read.items), "proof": who.proof.value, "sender": row.sender_id},
    )
    if row.sender is not None:
        _start_clocks(case, row, row.sender, now=now)
    # Clocks of a report, fingerprints, and what our platforms host at these places.
    examine_report.configure(lock=f"report-{report.pk}").defer(report_id=str(report.pk))
    return case


@transaction.atomic
def open_by_hand(row: Incoming, named: Sequence[str], *, actor: User, now: dt.datetime) -> Case:
    """A person has read what no machine understood: it is a notice, and names these places.

    Raises IncomingUnknown where somebody dealt with it before.
    """
    locked = Incoming.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if locked.stage != Stage.WAITING:
        raise IncomingUnknown("somebody dealt with it before")
    raw = incoming_notices.raw_of(locked)
    letter = open_letter(raw)
    read = reading.of_letter(letter) if locked.way == Way.MAIL else read_document(locked, raw)
    who = Identity(Proof(locked.proof), locked.sender, locked.claimed, letter.author)
    audit.record("incoming:opened", subject=locked, actor=actor.name_in_log, at=now)
    items = tuple(Item(number, each) for number, each in enumerate(named, start=1))
    return open_report(locked, raw, replace(read, items=items), who, now=now)


def _start_clocks(case: Case, row: Incoming, sender: NoticeSender, *, now: dt.datetime) -> None:
    if sender.event == SenderEvent.ORDER:
        cases.start_clocks(
            case, settings.HAECHI.jurisdictions, valid=frozenset(), since=row.received_at,
            now=now, event="order",
        )  # fmt: skip
    if sender.within_h:
        due_at = row.received_at + dt.timedelta(hours=sender.within_h)
        promises.start(case, since=row.received_at, due_at=due_at, now=now)


def _submission(row: Incoming, read: Reading, who: Identity) -> Submission:
    ages = {True: Age.UNDER_18, False: Age.ADULT, None: Age.UNSAID}
    known = row.sender is not None and row.sender.kind != SenderKind.PERSON
    harms = [Harm(each) for each in dict.fromkeys(read.harms) if each in Harm.values]
    law = "\n".join(read.law)
    return Submission(
        token=secrets.token_urlsafe(32),
        identity=seal.new_identity(),
        language=read.language,
        age=ages[read.minor],
        harms=tuple(harms),
        story=Story(
            told=f"{read.statement}\n\n{law}".strip(),
            contact=who.author,
            authority=row.sender.name if row.sender else "",
        ),
        locations=tuple(item.address for item in read.items),
        filer=Filer.HOTLINE if known else Filer.FRIEND,
    )


def _told(items: Iterable[Item]) -> list[Told]:
    """Fingerprints of items as fingerprints that were told: nobody here has seen the pictures."""
    made: dict[bytes, Told] = {}
    for item in items:
        for place, text in enumerate(item.sha256):
            digest = bytes.fromhex(text)
            pdq = bytes.fromhex(item.pdq[place]) if place < len(item.pdq) else b""
            known = Told(ToldKind.PICTURE, digest, 1, 1, 100, frames.turned(pdq)) if pdq else None
            made.setdefault(digest, known or Told(ToldKind.FILE, digest))
            if len(made) == MOST_TOLD:
                return list(made.values())
    return list(made.values())


def _over(row: Incoming, stage: Stage, *, now: dt.datetime) -> None:
    rows = Incoming.objects.filter(pk=row.pk)
    rows.update(stage=stage, taken_at=now)
    if stage == Stage.REPLY:
        rows.update(raw=b"")


def _withdraw(row: Incoming, read: Reading, *, now: dt.datetime) -> bool:
    """The sender takes a notice of theirs back; what was decided before that stays decided."""
    first = Incoming.objects.filter(
        sender=row.sender, document=read.about, stage=Stage.TAKEN, report__isnull=False
    ).first()
    if first is None or first.report is None or row.sender is None:
        return False
    incoming_notices.fold(row, first, now=now)
    case = Case.objects.filter(report=first.report).exclude(state=CaseState.DECIDED).first()
    if case is not None and additions.withdraw(holds.lock(first.report), now=now):
        cases.withdraw(case, now=now)
    return True


def _is_reply(raw: bytes, *, now: dt.datetime) -> bool:
    """True where a mail answers a notice of ours, and was handed over to it."""
    return noticing.take_reply(raw, now=now) is not None


def _take_document(row: Incoming, raw: bytes, *, now: dt.datetime) -> None:
    """Another house answers a notice of ours; one that it did not go to is put before a person."""
    try:
        headers, body = incoming_notices.signed_parts(raw)
        # Its time stamp was looked at when it came.
        reply = noticing.take_document(headers, body, now=row.received_at)
    except (WebhookError, InvalidDocument, ValueError):
        reply = None
    _over(row, Stage.WAITING if reply is None else Stage.REPLY, now=now)
