"""What comes back: answers, automatic replies, bounces; and what other Haechis answer."""

import email
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.message import Message
from uuid import UUID

from django.conf import settings
from django.db import transaction

from haechi import seal
from haechi.errors import InvalidDocument, WebhookForged
from haechi.formats import notice as wire
from haechi.server.audit import services as audit
from haechi.server.notices import schedule
from haechi.server.notices.letter import letter_of
from haechi.server.notices.models import Kind, Notice, Outcome, Reply, ReplyKind, State
from haechi.server.notices.own_address import notices_in
from haechi.server.notices.services import mark
from haechi.server.reports import vault
from haechi.server.reports.models import State as ReportState

# Of a longer mail the end is cut off: what a person wrote stands before what was attached.
LONGEST_BYTES = 2 * 1024 * 1024
MOST_PARTS = 200
_ADDRESSED = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_ID = re.compile(
    r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([^<>@\s]{1,253})>", re.IGNORECASE
)
_ACTION = re.compile(r"^Action:\s*([a-z]+)", re.IGNORECASE | re.MULTILINE)


def take_reply(raw: bytes, *, now: datetime, to: Sequence[str] = ()) -> Reply | None:
    """Thread one mail to the notice it answers; None where it answers none of ours.

    to  whom the envelope named, where the mail server tells it
    By the notice's own address, else by In-Reply-To or References. The same mail twice is one reply.
    It is sealed as it came. An answer stops the chase until a person has read it; a bounce sends
    the chase on; a machine's "we got it" changes nothing. Never raises for what a mail holds.
    """
    raw = raw[:LONGEST_BYTES]
    message = email.message_from_bytes(raw)
    found = _by_address(message, to) or _by_thread(message)
    if found is None:
        return None
    notice, matched = found
    return _keep(notice, _kind(message), raw, matched=matched, now=now)[0]


@transaction.atomic
def take_document(headers: Mapping[str, str], body: bytes, *, now: datetime) -> Reply | None:
    """A receipt or an answer of another Haechi, with the headers it was signed with.

    None where it is about none of our notices; a document that came before changes nothing. Raises
    WebhookForged where it is not signed by whom the notice went to, WebhookStale, InvalidDocument.
    """
    read = wire.parse(body)
    if read["kind"] not in ("receipt", "answer"):
        raise InvalidDocument("kind: neither a receipt nor an answer")
    notice = _ours(UUID(read["in_reply_to"]))
    if notice is None:
        return None
    letter = letter_of(notice)
    if not letter.haechi_key:
        raise WebhookForged("this notice went to no other Haechi")
    wire.accept(wire.read_key(letter.haechi_key), headers, body, now=now)
    kind = ReplyKind.RECEIPT if read["kind"] == "receipt" else ReplyKind.ANSWER
    reply, new = _keep(notice, kind, body, matched="haechi", now=now)
    if not new:
        return reply
    if read.get("reference"):
        sealed = seal.seal(read["reference"].encode(), notice.decision.case.report.recipient)
        Notice.objects.filter(pk=notice.pk).update(reference_sealed=sealed)
    said = {item["number"]: Outcome(item["outcome"]) for item in read["items"]}
    _mark_everywhere(notice, said, now=now)
    return reply


def text_of(reply: Reply, identity: str | None = None) -> str:
    """What a person reads of it: the words, without markup and attachments, at most 20,000."""
    opened = identity or vault.identity_of(reply.notice.decision.case.report)
    raw = seal.open_sealed(bytes(reply.sealed), opened)
    if reply.matched == "haechi":
        return raw.decode(errors="replace")[:20_000]
    parts = [(part.get_content_type(), part) for part in _parts(email.message_from_bytes(raw))]
    plain = [_words(part) for kind, part in parts if kind == "text/plain"]
    marked = [_without_tags(_words(part)) for kind, part in parts if kind == "text/html"]
    return "\n".join(plain or marked)[:20_000]


def kind_of(raw: bytes) -> ReplyKind:
    """What a mail is, by its form alone."""
    return _kind(email.message_from_bytes(raw[:LONGEST_BYTES]))


@transaction.atomic
def _keep(
    notice: Notice, kind: ReplyKind, raw: bytes, *, matched: str, now: datetime
) -> tuple[Reply | None, bool]:
    report = notice.decision.case.report
    if report.state == ReportState.ERASED:
        return None, False
    reply, new = Reply.objects.get_or_create(
        notice=notice,
        digest=hashlib.sha256(raw).digest(),
        defaults={
            "kind": kind,
            "received_at": now,
            "sealed": seal.seal(raw, report.recipient),
            "matched": matched,
        },
    )
    if new:
        audit.record(
            "notice:reply", subject=notice, actor="worker", at=now, detail={"kind": str(kind)}
        )
        _consequence(notice, kind, now=now)
    return reply, new


def _consequence(notice: Notice, kind: ReplyKind, *, now: datetime) -> None:
    if kind == ReplyKind.ANSWER:
        first = Notice.objects.filter(pk=notice.pk)
        first.filter(answered_at=None).update(answered_at=now)
        first.update(next_at=None, next_act="")
        # Who answers a reminder has answered what it reminds of, and the other way round.
        related = Notice.objects.filter(parent=notice.pk, kind=Kind.REMINDER)
        related.filter(answered_at=None).update(answered_at=now, next_at=None, next_act="")
    elif kind == ReplyKind.BOUNCE:
        sent = Notice.objects.filter(pk=notice.pk, state=State.SENT)
        if sent.update(state=State.BOUNCED):
            notice.refresh_from_db()
            schedule.start(notice, "undeliverable", now=now)


def _mark_everywhere(notice: Notice, said: dict[int, Outcome], *, now: datetime) -> None:
    """An answer counts for the notice and for the reminders of it."""
    for each in [notice, *Notice.objects.filter(parent=notice, kind=Kind.REMINDER)]:
        if said:
            mark(each, said, actor="worker", by="receiver", now=now)


def _by_address(message: Message, to: Sequence[str]) -> tuple[Notice, str] | None:
    told = [*to, *(str(value) for name in _ADDRESSED for value in message.get_all(name, []))]
    found = (_ours(number) for text in told for number in notices_in(text))
    notice = next((each for each in found if each is not None), None)
    return None if notice is None else (notice, "address")


def _by_thread(message: Message) -> tuple[Notice, str] | None:
    told = [str(message.get(name, "")) for name in ("In-Reply-To", "References")]
    if message.get_content_type() == "multipart/report":
        # A bounce that lost the address still quotes what came back.
        told += [str(part.get("Message-ID", "")) for part in _parts(message)]
        told += [
            _words(part)
            for part in _parts(message)
            if part.get_content_type() == "text/rfc822-headers"
        ]
    domain = settings.HAECHI.mail_from.rpartition("@")[2].lower()
    for text in told:
        for number, where in reversed(_ID.findall(text)):
            if where.lower() == domain and (notice := _ours(UUID(number))):
                return notice, "thread"
    return None


def _ours(number: UUID) -> Notice | None:
    found = Notice.objects.select_related("decision__case__report").filter(pk=number)
    return found.exclude(state=State.DROPPED).first()


def _kind(message: Message) -> ReplyKind:
    actions = {action.lower() for action in _actions(message)}
    if actions:
        if "failed" in actions:
            return ReplyKind.BOUNCE
        return ReplyKind.DELAYED if "delayed" in actions else ReplyKind.RECEIPT
    if message.get_param("report-type") == "disposition-notification":
        return ReplyKind.RECEIPT
    return ReplyKind.AUTOMATIC if _by_machine(message) else ReplyKind.ANSWER


def _actions(message: Message) -> Iterator[str]:
    """What a delivery status notification says of each recipient (RFC 3464)."""
    for part in _parts(message):
        if part.get_content_type() == "message/delivery-status":
            yield from _ACTION.findall(part.as_string()[:100_000])
            return


def _by_machine(message: Message) -> bool:
    """An automatic reply, as RFC 3834 marks it, and as older programs do."""
    said = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    bulk = str(message.get("Precedence", "")).strip().lower() in ("auto_reply", "bulk", "junk")
    marks = any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Autorespond-From"))
    nobody = str(message.get("Return-Path", "")).strip() == "<>"
    return said not in ("no", "") or bulk or marks or nobody


def _parts(message: Message) -> list[Message]:
    return [part for _number, part in zip(range(MOST_PARTS), message.walk(), strict=False)]


def _words(part: Message) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def _without_tags(text: str) -> str:
    text = re.sub(r"(?is)<(script|style)\b[^>]{0,500}>.{0,100000}?</\1>", " ", text[:200_000])
    return re.sub(r"<[^>]{0,2000}>", " ", text)
