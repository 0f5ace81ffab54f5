"""Write takedown notices, one for each receiver; take them back; forget them. Sending is sending.py."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import uuid4

from django.db import transaction

from haechi import seal
from haechi.errors import InvalidDocument
from haechi.server.audit import services as audit
from haechi.server.cases.models import Case, Decision
from haechi.server.notices import schedule, sending, written
from haechi.server.notices.directory import Answering, answering_for, host_of, web_address
from haechi.server.notices.letter import Item, Letter, letter_of, receiver_digest, write
from haechi.server.notices.models import (
    Attempt,
    Channel,
    Kind,
    Notice,
    NoticeItem,
    Outcome,
    Reply,
    State,
    Step,
)
from haechi.server.notices.sending import deliver, reply_code
from haechi.server.reports import vault
from haechi.server.reports.models import Location, Report

__all__ = ["deliver", "host_of", "reply_code"]

type Places = Sequence[tuple[Location, str]]
"""Locations with their addresses as people typed them."""


def ask(decision: Decision, places: Places, *, now: datetime) -> list[Notice]:
    """Write and seal one notice to each who answers for some of `places`; inside a transaction.

    Where the directory does not know a host, the notice goes to abuse@host. About a place that no
    notice can be written about there is an entry in the log and nothing else: one odd place must not
    stop a decision about the others. Delivery is a job of its own.
    """
    groups: dict[Answering, list[tuple[Location, str]]] = {}
    for location, address in places:
        try:
            groups.setdefault(answering_for(_host(address)), []).append((location, address))
        except InvalidDocument as error:
            _impossible(decision, location, error, now=now)
    drafted = [draft(decision, to, found, now=now) for to, found in groups.items()]
    return [notice for notice in drafted if notice is not None]


def draft(
    decision: Decision,
    to: Answering,
    places: Places,
    *,
    now: datetime,
    kind: Kind = Kind.TAKEDOWN,
    parent: Notice | None = None,
    before: tuple[tuple[str, str], ...] = (),
) -> Notice | None:
    """Write and seal one notice, inside the caller's transaction; None where none can be written.

    A form waits for a person, and so does whatever goes to a step that chase.json says so of.
    """
    items, kept = _items(decision, places, now=now)
    if not items:
        return None
    first = _first(parent) if kind == Kind.REMINDER and parent else ""
    letter = write(decision, to, items, before=before, first=first)
    held = to.channel == Channel.FORM or schedule.waits_for_person(to.step)
    notice = Notice(
        id=uuid4(),
        decision=decision,
        kind=kind,
        step=to.step,
        channel=to.channel,
        parent=parent,
        state=State.HELD if held else State.QUEUED,
        receiver=receiver_digest(to),
        sealed=letter.sealed(decision.case.report.recipient),
        from_directory=to.known,
        created_at=now,
    )
    try:
        _check(letter, notice)
    except InvalidDocument as error:
        for location in kept:
            _impossible(decision, location, error, now=now)
        return None
    notice.save(force_insert=True)
    NoticeItem.objects.bulk_create(
        [NoticeItem(notice=notice, location=each, number=each.number) for each in kept],
        batch_size=1_000,
    )
    audit.record(
        "notice:queued",
        subject=notice,
        actor=decision.actor.name_in_log if parent is None else "worker",
        at=now,
        detail={"items": len(kept), "step": str(to.step), "kind": str(kind)},
    )
    return notice


def counter(notice: Notice, *, now: datetime) -> Notice | None:
    """Draft what undoes a notice after a won appeal: held until a person sends it.

    The places are those it was about; the format knows the kind, the full use is still to come.
    """
    letter = letter_of(notice)
    items = {item.number: item.url for item in letter.items}
    places = [
        (item.location, items[item.number])
        for item in notice.items.select_related("location")
        if item.location is not None
    ]
    to = answering_of(letter, notice)
    made = draft(notice.decision, to, places, now=now, kind=Kind.COUNTER, parent=notice)
    if made is not None:
        Notice.objects.filter(pk=made.pk).update(state=State.HELD)
        made.refresh_from_db()
    return made


def answering_of(letter: Letter, notice: Notice) -> Answering:
    """To whom a notice went, as its letter kept it."""
    return Answering(
        host=letter.host,
        step=Step(notice.step),
        name=letter.name,
        email=letter.email,
        form_url=letter.form_url,
        haechi_url=letter.haechi_url,
        haechi_key=letter.haechi_key,
        language=letter.language,
        laws=letter.laws,
        known=notice.from_directory,
    )


def message_of(notice: Notice, identity: str | None = None) -> EmailMessage:
    """The e-mail, opened with the reporter's identity or, at the desk, with the vault's.

    What went another way than by e-mail is given as one, with the words and where it went.
    """
    if notice.channel != Channel.EMAIL:
        letter = letter_of(notice, identity)
        message = EmailMessage(policy=policy.SMTP)
        message["To"], message["Subject"] = letter.to, written.subject(letter, notice)
        message.set_content(written.words(letter, notice))
        return message
    if notice.message_sealed is None:
        data = bytes(written.email(letter_of(notice, identity), notice))
    else:
        opened = identity or vault.identity_of(notice.decision.case.report)
        data = seal.open_sealed(bytes(notice.message_sealed), opened)
    return message_from_bytes(data, policy=policy.SMTP)


def answer_of(notice: Notice, identity: str | None = None) -> str:
    """All that the receiving server said, opened as `message_of` opens; "" before."""
    return opened_text(notice, notice.answer_sealed, identity)


def reference_of(notice: Notice, identity: str | None = None) -> str:
    """The number the receiver gave the notice, or ""."""
    return opened_text(notice, notice.reference_sealed, identity)


def opened_text(
    notice: Notice, sealed: bytes | memoryview | None, identity: str | None = None
) -> str:
    """A text sealed to the notice's report; "" where there is none."""
    if not sealed:
        return ""
    opened = identity or vault.identity_of(notice.decision.case.report)
    return seal.open_sealed(bytes(sealed), opened).decode()


@transaction.atomic
def record_sent(notice: Notice, reference: str, *, actor: str, now: datetime) -> bool:
    """A person filled the form in, or wrote by other means; False where it was not waiting."""
    won = Notice.objects.filter(pk=notice.pk, state=State.HELD).update(
        state=State.SENT,
        sent_at=now,
        reference_sealed=seal.seal(reference.encode(), notice.decision.case.report.recipient),
    )
    if won:
        notice.refresh_from_db()
        schedule.start(notice, "silence", now=now)
        audit.record("notice:sent_by_hand", subject=notice, actor=actor, at=now)
    return bool(won)


@transaction.atomic
def release(notice: Notice, *, actor: str, now: datetime) -> bool:
    """Let a notice go: one that waits for a person, or once more one that was refused or came back.

    False where there is nothing to let go, or only a form. A counter-notice stays a draft.
    """
    found = Notice.objects.filter(pk=notice.pk).exclude(channel=Channel.FORM)
    found = found.exclude(kind=Kind.COUNTER)
    won = found.filter(state__in=(State.HELD, State.REFUSED, State.BOUNCED)).update(
        state=State.QUEUED, next_at=None, next_act="", last_error=""
    )
    if won:
        audit.record("notice:released", subject=notice, actor=actor, at=now)
    return bool(won)


@transaction.atomic
def mark(
    notice: Notice, outcomes: dict[int, Outcome], *, actor: str, by: str, now: datetime
) -> int:
    """Write down what became of places, by their numbers; returns how many of them were changed.

    by  "receiver", or who read it. Where every place is down, nothing is chased any more.
    """
    changed = 0
    for outcome in set(outcomes.values()):
        numbers = [number for number, each in outcomes.items() if each == outcome]
        found = notice.items.filter(number__in=numbers).exclude(outcome=outcome)
        changed += found.update(outcome=outcome, answered_at=now, answered_by=by)
    if changed:
        audit.record(
            "notice:answered", subject=notice, actor=actor, at=now, detail={"items": changed}
        )
    if not schedule.outstanding(notice).exists():
        schedule.stop(notice, actor=actor, now=now, settled=True)
    return changed


@transaction.atomic
def read_answer(notice: Notice, outcomes: dict[int, Outcome], *, actor: str, now: datetime) -> None:
    """A person read what came back and says what it means for each place.

    Whether a deadline was kept is theirs to say too; nothing here decides it.
    """
    Notice.objects.filter(pk=notice.pk, answered_at=None).update(
        answered_at=now, next_at=None, next_act=""
    )
    notice.replies.filter(read_at=None).update(read_at=now)
    mark(notice, outcomes, actor=actor, by=actor, now=now)


@transaction.atomic
def stop(notice: Notice, *, actor: str, now: datetime) -> bool:
    """A person says that silence has no consequence here; False where it had none."""
    return schedule.stop(notice, actor=actor, now=now)


@transaction.atomic
def opened(notice: Notice, *, actor: str, now: datetime) -> None:
    """Somebody reads a notice with its replies: an entry in the log, before it is opened."""
    audit.record("notice:opened", subject=notice, actor=actor, at=now)


def forget(report: Report) -> None:
    """The report is erased: forget where its notices went and what was said.

    That they were sent, and when, stays. Runs inside the caller's transaction.
    """
    found = Notice.objects.filter(decision__case__report=report)
    Reply.objects.filter(notice__in=found).delete()
    Attempt.objects.filter(notice__in=found).update(said=None, code="")
    NoticeItem.objects.filter(notice__in=found).update(location=None)
    found.filter(state__in=(State.QUEUED, State.HELD)).update(state=State.DROPPED)
    found.update(
        sealed=b"",
        message_sealed=None,
        receiver=b"",
        answer="",
        answer_sealed=None,
        reference_sealed=None,
        last_error="",
        next_at=None,
        next_act="",
    )


def withdraw(case: Case, *, now: datetime) -> int:
    """Take back what was not sent yet, and chase nothing more; returns how many were taken back.

    A sent notice cannot be unsent.
    """
    every = Notice.objects.filter(decision__case=case)
    waiting = every.filter(state__in=(State.QUEUED, State.HELD, State.REFUSED))
    taken = 0
    for notice in waiting:
        if waiting.filter(pk=notice.pk).update(state=State.WITHDRAWN):
            audit.record("notice:withdrawn", subject=notice, actor="worker", at=now)
            taken += 1
    every.update(next_at=None, next_act="")
    return taken


def hand_to_server(message: EmailMessage, *, sender: str) -> str:
    """Send one message that is no notice. Raises OSError or smtplib.SMTPException."""
    return sending.hand_over(bytes(message), sender=sender, to=str(message["To"]))


def _host(address: str) -> str:
    web_address(address)
    return host_of(address) or ""


def _items(
    decision: Decision, places: Places, *, now: datetime
) -> tuple[tuple[Item, ...], list[Location]]:
    items, kept = [], []
    for location, address in places:
        try:
            items.append(Item(location.number, web_address(address)))
            kept.append(location)
        except InvalidDocument as error:
            _impossible(decision, location, error, now=now)
    return tuple(items), kept


def _check(letter: Letter, notice: Notice) -> None:
    """Can it be written? Asked with the first place alone, since a batch may have 10,000."""
    one = replace(letter, items=letter.items[:1])
    if letter.email:
        written.email(one, notice)
    else:
        written.document(one, notice, key=None)


def _first(parent: Notice) -> str:
    return letter_of(parent).first or str(parent.pk)


def _impossible(
    decision: Decision, location: Location, error: InvalidDocument, *, now: datetime
) -> None:
    audit.record(
        "notice:impossible",
        subject=location,
        actor=decision.actor.name_in_log,
        at=now,
        detail={"code": error.code},
    )


def sent_about(locations: Iterable[Location]) -> dict[int, Notice]:
    """The newest notice about each location, by its row number."""
    items = NoticeItem.objects.filter(location__in=list(locations)).select_related("notice")
    return {item.location_id or 0: item.notice for item in items.order_by("notice__created_at")}
