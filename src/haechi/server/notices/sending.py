"""Hand a notice over, and keep the proof: each attempt is a row."""

import hashlib
import re
import smtplib
from collections.abc import Callable
from datetime import datetime

import dkim  # type: ignore[import-untyped]  # no annotations
import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from haechi import seal
from haechi.errors import DeliveryFailed, KeyMissing
from haechi.formats import notice as wire
from haechi.server.audit import services as audit
from haechi.server.notices import schedule, written
from haechi.server.notices.letter import Letter, letter_of
from haechi.server.notices.models import Attempt, Channel, Heard, Notice, State
from haechi.server.notices.own_address import own_address
from haechi.server.reports import vault
from haechi.server.reports.models import State as ReportState

TIMEOUT_S = 20.0
ANSWER_CHARACTERS = 4_096
# What an HTTP receiver means by these is "later"; every other refusal below 500 is for good.
LATER = {408, 421, 425, 429}

type Said = tuple[str, str]
"""Reply code that names nothing, and all that was said."""


class Refused(DeliveryFailed):
    """A receiver will not take it, however often it is sent. Never leaves this module."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(code)
        self.reply, self.said = code, said


class NotWanted(DeliveryFailed):
    """The report was taken back or erased meanwhile. Never leaves this module."""


def deliver(notice: Notice, *, now: datetime) -> None:
    """Hand the notice over and keep the answer; one that is not waiting is left alone.

    Looked at once more before the last step: what was taken back meanwhile does not go. Every
    attempt sends the same bytes under the same Message-ID or document id. Should this process die
    between the receiver's answer and the commit, an e-mail is sent once more under that Message-ID;
    another Haechi acts once on each id. Raises DeliveryFailed where it is worth trying again.
    """
    if notice.state != State.QUEUED:
        return
    letter, data = prepared(notice)
    if not _wanted(notice).update(attempts=F("attempts") + 1):
        return
    attempt = Attempt.objects.create(notice=notice, at=now, digest=hashlib.sha256(data).digest())
    hand = _to_haechi if notice.channel == Channel.HAECHI else _to_mailbox
    try:
        code, said = hand(notice, letter, data, now)
    except NotWanted:
        attempt.delete()
        return
    except Refused as error:
        _refused(notice, attempt, error, now=now)
        return
    except (OSError, smtplib.SMTPException, httpx.HTTPError) as error:
        # What the server said may name the place, and this goes into the log.
        told = reply_code(f"{getattr(error, 'smtp_code', '')} ") or type(error).__name__
        Notice.objects.filter(pk=notice.pk).update(last_error=told)
        _heard(attempt, Heard.LATER, told, str(error))
        raise DeliveryFailed(f"{notice}: {told}") from None
    _taken(notice, attempt, code, said, now=now)


def prepared(notice: Notice) -> tuple[Letter, bytes]:
    """The letter, and the bytes that are handed over: written once, the same ever after."""
    letter = letter_of(notice)
    if notice.message_sealed is not None:
        identity = vault.identity_of(notice.decision.case.report)
        return letter, seal.open_sealed(bytes(notice.message_sealed), identity)
    if notice.channel == Channel.HAECHI:
        key = wire.key_text(audit.signing_key().public_key())
        data = wire.to_bytes(written.document(letter, notice, key=key))
    else:
        data = _signed(bytes(written.email(letter, notice)))
    sealed = seal.seal(data, notice.decision.case.report.recipient)
    Notice.objects.filter(pk=notice.pk, message_sealed=None).update(message_sealed=sealed)
    return letter, data


def reply_code(answer: str) -> str:
    """What of a mail server's answer names nothing: "250 2.0.0" of "250 2.0.0 Ok: queued for ..."."""
    found = re.match(r"\d{3}(?: \d\.\d{1,3}\.\d{1,3}(?![\d.]))?", answer)
    return found.group() if found else ""


def hand_over(
    data: bytes, *, sender: str, to: str, wanted: Callable[[], bool] = lambda: True, name: str = ""
) -> str:
    """Give one message to the mail server; return its answer (SMTP.sendmail keeps that to itself).

    wanted  asked last, when all that is left is to send the message itself; NotWanted if it says no
    name    by which reports about its delivery call it, where the server can promise them
    Raises OSError or smtplib.SMTPException.
    """
    host, port = settings.HAECHI.smtp_host, settings.HAECHI.smtp_port
    with smtplib.SMTP(host, port, timeout=TIMEOUT_S) as server:
        server.ehlo_or_helo_if_needed()
        reports = name and server.has_extn("dsn")
        _expect(server.mail(sender, ["RET=HDRS", f"ENVID={name}"] if reports else []))
        _expect(server.rcpt(to, ["NOTIFY=FAILURE,DELAY"] if reports else []))
        if not wanted():
            raise NotWanted
        return _expect(server.data(data))


def _to_mailbox(notice: Notice, letter: Letter, data: bytes, _now: datetime) -> Said:
    try:
        answer = hand_over(
            data,
            sender=own_address(notice.pk),
            to=letter.email,
            wanted=_wanted(notice).exists,
            name=notice.pk.hex,
        )
    except smtplib.SMTPResponseException as error:
        if 500 <= error.smtp_code < 600:
            raise Refused(reply_code(f"{error.smtp_code} {_text(error)}"), _text(error)) from None
        raise
    return reply_code(answer), answer


def _to_haechi(notice: Notice, letter: Letter, data: bytes, now: datetime) -> Said:
    document_id = letter.first or str(notice.pk)
    headers = wire.sign(audit.signing_key(), data, document_id=document_id, at=now)
    if not _wanted(notice).exists():
        raise NotWanted
    with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
        response = client.post(
            letter.haechi_url.rstrip("/") + wire.PATH,
            content=data,
            headers=headers | {"content-type": "application/json"},
        )
    code, said = str(response.status_code), response.text[:ANSWER_CHARACTERS]
    if response.is_success:
        return code, f"{code} {said}"
    if response.status_code in LATER or response.status_code >= 500:
        raise httpx.HTTPStatusError(code, request=response.request, response=response)
    raise Refused(code, f"{code} {said}")


@transaction.atomic
def _taken(notice: Notice, attempt: Attempt, code: str, said: str, *, now: datetime) -> None:
    sealed = _heard(attempt, Heard.TAKEN, code, said)
    won = Notice.objects.filter(pk=notice.pk, state=State.QUEUED).update(
        state=State.SENT, sent_at=now, answer=code, answer_sealed=sealed, last_error=""
    )
    if won:
        notice.refresh_from_db()
        schedule.start(notice, "silence", now=now)
        audit.record("notice:sent", subject=notice, actor="worker", at=now)


@transaction.atomic
def _refused(notice: Notice, attempt: Attempt, error: Refused, *, now: datetime) -> None:
    _heard(attempt, Heard.REFUSED, error.reply, error.said)
    won = Notice.objects.filter(pk=notice.pk, state=State.QUEUED).update(
        state=State.REFUSED, last_error=error.reply
    )
    if won:
        notice.refresh_from_db()
        schedule.start(notice, "undeliverable", now=now)
        audit.record(
            "notice:refused", subject=notice, actor="worker", at=now, detail={"code": error.reply}
        )


def _heard(attempt: Attempt, heard: Heard, code: str, said: str) -> bytes:
    sealed = seal.seal(said.encode(), attempt.notice.decision.case.report.recipient)
    Attempt.objects.filter(pk=attempt.pk).update(heard=heard, code=code[:60], said=sealed)
    return sealed


def _wanted(notice: Notice) -> QuerySet[Notice]:
    """The row, while it waits to be sent and its report was neither taken back nor erased."""
    ended = (ReportState.WITHDRAWN, ReportState.ERASED)
    waiting = Notice.objects.filter(pk=notice.pk, state=State.QUEUED)
    return waiting.exclude(decision__case__report__state__in=ended)


def _signed(data: bytes) -> bytes:
    """With a DKIM signature where there is a key (RFC 6376). Raises KeyMissing."""
    told = settings.HAECHI
    if told.dkim_key_file is None:
        return data
    try:
        signature: bytes = dkim.sign(
            data,
            told.dkim_selector.encode(),
            told.mail_from.rpartition("@")[2].encode(),
            told.dkim_key_file.read_bytes(),
            canonicalize=(b"relaxed", b"relaxed"),
        )
    except (OSError, ValueError, dkim.DKIMException) as error:
        raise KeyMissing(f"the DKIM key cannot be used: {error}") from error
    return signature + data


def _expect(answer: tuple[int, bytes]) -> str:
    code, said = answer
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, said)
    return f"{code} {said.decode(errors='replace')}"


def _text(error: smtplib.SMTPResponseException) -> str:
    said = error.smtp_error
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
