"""What we say to who sent a notice: a receipt at once, then what became of each item, in their form.

To a Haechi a signed document, to everybody else a mail with a table and a file of it. Nobody is
written to whose address was not proven, and no machine (RFC 3834): what was sent in somebody
else's name must not come back to them.
"""

import csv
import io
import json
import smtplib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID, uuid4

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from haechi import seal
from haechi.errors import DeliveryFailed
from haechi.formats import notice as documents
from haechi.server.audit import services as audit
from haechi.server.notices import services as notices
from haechi.server.notices.incoming.services import digest
from haechi.server.notices.incoming_models import (
    AnswerKind,
    Incoming,
    IncomingAnswer,
    IncomingItem,
    ReceiptCount,
)
from haechi.server.notices.sending import reply_code
from haechi.server.reports import services as reports
from haechi.server.reports import vault

RECEIPTS_A_DAY = 3
TIMEOUT_S = 20.0
SHOWN = 50
_FORGET_COUNTS = timedelta(days=2)


@dataclass(frozen=True)
class Address:
    """Where an answer goes, as it is sealed.

    base, receiver    base URL and name of a Haechi; or
    mail              an address whose owner was proven, with what is needed for a reply
    """

    base: str = ""
    receiver: str = ""
    mail: str = ""
    subject: str = ""
    message_id: str = ""
    language: str = "en"


def may_receipt(author: str, *, now: datetime) -> bool:
    """Count one receipt to an unknown address; False where it had its share of today."""
    day = now.date()
    ReceiptCount.objects.filter(day__lt=(now - _FORGET_COUNTS).date()).delete()
    key = digest(b"receipt", author.lower().encode(), day.isoformat().encode())
    count, _new = ReceiptCount.objects.get_or_create(address=key, defaults={"day": day})
    ReceiptCount.objects.filter(pk=count.pk).update(sent=F("sent") + 1)
    return count.sent < RECEIPTS_A_DAY


def receipt(incoming: Incoming, to: Address, number: UUID, *, now: datetime) -> IncomingAnswer:
    """Write the receipt with the number under which we keep it, inside the caller's transaction."""
    own = uuid4()
    if to.base:
        body = _document("receipt", own, incoming, to, items=[], reference=number, now=now)
    else:
        body = _mail("receipt", own, to, [], number=number, now=now)
    return _keep(incoming, AnswerKind.RECEIPT, own, to, body, items=0, now=now)


def answer(
    incoming: Incoming, to: Address, items: Sequence[IncomingItem], *, now: datetime
) -> IncomingAnswer:
    """Write what became of these items, inside the caller's transaction."""
    own = uuid4()
    if to.base:
        told = [{"number": item.number, "outcome": item.outcome} for item in items]
        body = _document("answer", own, incoming, to, items=told, reference=incoming.pk, now=now)
    else:
        body = _mail("answer", own, to, _rows(incoming, items, to), number=incoming.pk, now=now)
    return _keep(incoming, AnswerKind.ANSWER, own, to, body, items=len(items), now=now)


def deliver(made: IncomingAnswer, *, now: datetime) -> None:
    """Send it and keep that it was accepted; one that was sent is left alone (B21).

    Every attempt is the same document, or bears the same Message-ID. Raises DeliveryFailed.
    """
    if made.sent_at is not None or not bytes(made.sealed):
        return
    to, body = _opened(made)
    IncomingAnswer.objects.filter(pk=made.pk).update(attempts=F("attempts") + 1)
    try:
        said = _post(to, body, made.pk, now) if to.base else _send(body)
    except (OSError, smtplib.SMTPException, httpx.HTTPError) as error:
        code = reply_code(f"{getattr(error, 'smtp_code', '')} ")
        said = code or (str(error) if isinstance(error, Refused) else type(error).__name__)
        IncomingAnswer.objects.filter(pk=made.pk).update(last_error=said[:60])
        raise DeliveryFailed(f"{made}: {said}") from None
    with transaction.atomic():
        won = IncomingAnswer.objects.filter(pk=made.pk, sent_at=None)
        if won.update(sent_at=now, last_error=""):
            audit.record(
                "incoming:answered",
                subject=made.incoming.report or made.incoming,
                actor="worker",
                at=now,
                detail={"kind": str(made.kind), "items": made.items, "said": said},
            )


class Refused(OSError):
    """The other house did not take it; the text is its status."""


def us() -> documents.Sender:
    """Who we are to another Haechi. Raises KeyMissing where this process has no signing key."""
    return {
        "name": settings.HAECHI.organisation,
        "address": settings.HAECHI.public_url,
        "key": documents.key_text(audit.signing_key().public_key()),
    }


def _document(
    kind: str,
    own: UUID,
    incoming: Incoming,
    to: Address,
    *,
    items: Sequence[dict[str, object]],
    reference: UUID,
    now: datetime,
) -> bytes:
    made = documents.document(
        kind,
        document_id=own,
        sender=us(),
        receiver=to.receiver,
        receiver_address=to.base,
        issued_at=now,
        facts={},
        items=items,
        in_reply_to=incoming.document,
        reference=str(reference),
    )
    return documents.to_bytes(made)


def _mail(
    kind: str,
    own: UUID,
    to: Address,
    rows: Sequence[tuple[int, str, str, str]],
    *,
    number: UUID,
    now: datetime,
) -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    sender = settings.HAECHI.mail_from
    with translation.override(to.language):
        title = _("Your notice {number}").format(number=number.hex[:8])
        words = render_to_string(
            f"notices/incoming_{kind}.txt",
            {
                "number": number.hex[:8],
                "reference": number,
                "organisation": settings.HAECHI.organisation,
                "rows": rows[:SHOWN],
                "count": len(rows),
                "more": max(0, len(rows) - SHOWN),
            },
        )
        table = _csv(rows)
    message["From"], message["To"] = sender, to.mail
    message["Subject"] = title
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{own}@{sender.rpartition('@')[2]}>"
    if to.message_id:
        message["In-Reply-To"] = message["References"] = to.message_id
    message["Auto-Submitted"] = "auto-replied"
    message.set_content(words, charset="utf-8", cte="base64")
    if rows:
        message.add_attachment(table, "text", "csv", filename=f"notice-{number.hex[:8]}.csv")
    return bytes(message)


def _rows(
    incoming: Incoming, items: Sequence[IncomingItem], to: Address
) -> list[tuple[int, str, str, str]]:
    """Number, address, outcome as a word for machines, outcome in the reader's words."""
    addresses = reports.addresses_of(incoming.report) if incoming.report else {}
    with translation.override(to.language):
        return [
            (
                item.number,
                addresses.get(item.location.number, ""),
                item.outcome,
                str(item.get_outcome_display()),
            )
            for item in items
        ]


def _csv(rows: Sequence[tuple[int, str, str, str]]) -> bytes:
    """A table that a spreadsheet opens; a cell that it would compute is kept a text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["number", "address", "outcome", "in_words"])
    for number, address, outcome, words in rows:
        safe = f"'{address}" if address[:1] in "=+-@\t\r" else address
        writer.writerow([number, safe, outcome, words])
    return ("\ufeff" + out.getvalue()).encode()


def _keep(
    incoming: Incoming,
    kind: AnswerKind,
    own: UUID,
    to: Address,
    body: bytes,
    *,
    items: int,
    now: datetime,
) -> IncomingAnswer:
    held = json.dumps(asdict(to)).encode() + b"\n" + body
    report = incoming.report
    recipients = [report.recipient] if report else settings.HAECHI.vault_recipients
    return IncomingAnswer.objects.create(
        id=own,
        incoming=incoming,
        kind=kind,
        sealed=seal.seal(held, *recipients),
        items=items,
        created_at=now,
    )


def _opened(made: IncomingAnswer) -> tuple[Address, bytes]:
    report = made.incoming.report
    sealed = bytes(made.sealed)
    held = (
        seal.open_sealed(sealed, vault.identity_of(report))
        if report
        else vault.open_for_staff(sealed)
    )
    head, _line, body = held.partition(b"\n")
    return Address(**json.loads(head)), body


def _send(body: bytes) -> str:
    message = message_from_bytes(body, policy=policy.SMTP)
    # The empty sender: nothing may answer an answer.
    return reply_code(notices.hand_to_server(message, sender=""))


def _post(to: Address, body: bytes, own: UUID, now: datetime) -> str:
    signed = documents.sign(audit.signing_key(), body, document_id=str(own), at=now)
    headers = {**signed, "content-type": "application/json"}
    address = to.base.rstrip("/") + documents.PATH
    said = httpx.post(address, content=body, headers=headers, timeout=TIMEOUT_S, trust_env=False)
    if not said.is_success:
        raise Refused(f"HTTP {said.status_code}")
    return f"HTTP {said.status_code}"
