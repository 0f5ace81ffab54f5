"""Whoever sent a notice is told: its number, and what became of each item."""

import datetime as dt
import re
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from procrastinate.contrib.django import app

from haechi.formats import notice as documents
from haechi.formats.letter import Letter, open_letter
from haechi.server.cases.models import Decision
from haechi.server.cases.models import State as CaseState
from haechi.server.flow.jobs import KeepTrying
from haechi.server.notices.incoming import answers, outcomes, reading
from haechi.server.notices.incoming import services as incoming_notices
from haechi.server.notices.incoming.answers import Address
from haechi.server.notices.incoming.identity import Identity
from haechi.server.notices.incoming.reading import Reading
from haechi.server.notices.incoming_models import (
    Incoming,
    IncomingAnswer,
    IncomingItem,
    NoticeSender,
    Outcome,
    Proof,
    Stage,
    Way,
)

PARTLY_AFTER = dt.timedelta(minutes=15)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}>")


@app.periodic(cron="* * * * * */10")
@app.task(name="answer_notices", queueing_lock="answer_notices")
def answer_notices(timestamp: int) -> None:
    """Every ten seconds: tell senders what became of their items."""
    now = timezone.now()
    for number in unanswered():
        with transaction.atomic():
            answer_notice(number, now=now)


def answer_notice(number: UUID, *, now: dt.datetime) -> IncomingAnswer | None:
    """Write what has changed for the items of one notice, inside the caller's transaction.

    At once for what is known when it is decided; the rest when all platforms have answered, or by
    and by, a quarter of an hour apart.
    """
    row = Incoming.objects.select_for_update(of=("self",)).filter(pk=number).first()
    decision = _decision(row)
    if row is None or row.report is None or decision is None:
        return None
    outcomes.settle(row, decision, now=now)
    waits = decision.actions.filter(done_at=None, withdrawn_at=None, given_up_at=None)
    whole = not waits.exists()
    last = row.answers.filter(kind="answer", created_at__gte=decision.made_at).last()
    made = None
    if whole or last is None or last.created_at <= now - PARTLY_AFTER:
        since = last.created_at if last else None
        fresh = row.items.exclude(outcome=Outcome.OPEN).filter(settled_at__isnull=False)
        told = fresh.filter(settled_at__gt=since) if since else fresh
        made = _answer(row, list(told.select_related("location")), now=now)
    if whole:
        Incoming.objects.filter(pk=row.pk).update(answered=decision.pk)
    return made


def _answer(row: Incoming, items: list[IncomingItem], *, now: dt.datetime) -> IncomingAnswer | None:
    to = _address_of(row)
    if not items or to is None:
        return None
    made = answers.answer(row, to, items, now=now)
    send_answer.configure(lock=f"answer-{row.pk}").defer(answer_id=str(made.pk))
    return made


@app.task(name="send_answer", retry=KeepTrying())
def send_answer(answer_id: str) -> None:
    """Send one receipt or answer."""
    made = IncomingAnswer.objects.select_related("incoming__report").filter(pk=answer_id).first()
    if made is not None:
        answers.deliver(made, now=timezone.now())


def unanswered() -> list[UUID]:
    """Notices whose case was decided and whose sender does not know all of it yet."""
    standing = Q(report__case__decisions__overturned_at=None)
    decided = Incoming.objects.filter(
        standing, stage=Stage.TAKEN, report__case__state=CaseState.DECIDED
    ).annotate(standing=F("report__case__decisions__pk"))
    late = decided.filter(Q(answered=None) | ~Q(answered=F("standing")))
    return list(late.order_by("received_at").values_list("pk", flat=True)[:200])


def _decision(row: Incoming | None) -> Decision | None:
    if row is None or row.report is None:
        return None
    return Decision.objects.standing().filter(case__report=row.report).first()


def receipt(row: Incoming, to: Address | None, number: UUID, *, now: dt.datetime) -> None:
    """Tell its sender the number of a notice, where there is somebody to tell."""
    if to is None:
        return
    # Whoever is not known gets a few a day; everybody has the number from the mail server's answer.
    if to.mail and row.sender_id is None and not answers.may_receipt(to.mail, now=now):
        return
    made = answers.receipt(row, to, number, now=now)
    send_answer.configure(lock=f"answer-{row.pk}").defer(answer_id=str(made.pk))


def _address_of(row: Incoming) -> Address | None:
    """Where answers go, read again from what arrived."""
    raw = incoming_notices.raw_of(row)
    if row.way != Way.MAIL:
        return house_of(row.sender, read_document(row, raw))
    letter = open_letter(raw)
    who = Identity(Proof(row.proof), row.sender, row.claimed, letter.author)
    return reply_to(letter, who, now=row.received_at)


def reply_to(letter: Letter, who: Identity, *, now: dt.datetime) -> Address | None:
    """The author, where that was proven and a person may be there; else nobody."""
    if not who.proven or (letter.by_machine and who.sender is None):
        return None
    said = letter.first("message-id")
    words = f"{letter.subject} {letter.words()[:2_000]}"
    language = who.sender.language if who.sender else reading.language_of(words)
    return Address(
        mail=who.author,
        subject=letter.subject[:200],
        message_id=said if _MESSAGE_ID.fullmatch(said) else "",
        language=language,
    )


def house_of(sender: NoticeSender | None, read: Reading) -> Address | None:
    """The sender's own Haechi, for what came as its document; who sends XARF asks for the state."""
    if sender is None or not sender.base_url or read.document is None:
        return None
    return Address(base=sender.base_url, receiver=sender.name)


def read_document(row: Incoming, raw: bytes) -> Reading:
    """What came to the API. Raises InvalidDocument."""
    if row.way == Way.SIGNED:
        return reading.of_document(documents.parse(incoming_notices.signed_parts(raw)[1]))
    return reading.of_keyed(raw)
