"""Write a takedown notice, seal it, send it, keep the proof."""

import re
import smtplib
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string

from haechi import seal
from haechi.errors import DeliveryFailed, InvalidDocument
from haechi.formats import xarf
from haechi.server.audit import services as audit
from haechi.server.cases.models import Case, Decision
from haechi.server.evidence.models import Fingerprint
from haechi.server.notices.models import Notice, Receiver, State
from haechi.server.reports import vault
from haechi.server.reports.models import Location, Report

TIMEOUT_S = 20.0


def host_of(address: str) -> str | None:
    """The host a notice about `address` goes to, or None where nobody can be written to.

    People paste "photos.example/a/1" as often as a whole web address; a room or an account name
    has no host.
    """
    try:
        host = urlsplit(_web_address(address)).hostname
    except InvalidDocument:
        return None
    return host if host and "." in host else None


def _web_address(address: str) -> str:
    typed = address.strip()
    return xarf.web_address(typed if "://" in typed else f"https://{typed}")


def draft(decision: Decision, location: Location, address: str, *, now: datetime) -> Notice | None:
    """Write and seal the notice about one location, inside the caller's transaction.

    Where the directory does not know the host, the notice goes to abuse@host, the mailbox RFC 2142
    reserves. None, with an entry in the log, where no notice can be written about `address`: one
    odd place must not stop a decision about the others. Delivery is a job of its own.
    """
    reference = uuid4()
    try:
        host = host_of(address) or ""
        receiver = _receiver(host)
        message = _message(decision, address, host, reference=reference, to=receiver)
    except InvalidDocument as error:
        audit.record(
            "notice:impossible",
            subject=location,
            actor=decision.actor.name_in_log,
            at=now,
            detail={"code": error.code},
        )
        return None
    notice = Notice.objects.create(
        id=reference,
        decision=decision,
        location=location,
        sealed=seal.seal(bytes(message), decision.case.report.recipient),
        from_directory=receiver is not None,
        created_at=now,
    )
    audit.record("notice:queued", subject=notice, actor=decision.actor.name_in_log, at=now)
    return notice


def message_of(notice: Notice, identity: str | None = None) -> EmailMessage:
    """The e-mail, opened with the reporter's identity or, at the desk, with the vault's."""
    opened = identity or vault.identity_of(notice.decision.case.report)
    data = seal.open_sealed(bytes(notice.sealed), opened)
    return message_from_bytes(data, policy=policy.SMTP)


def deliver(notice: Notice, *, now: datetime) -> None:
    """Hand the notice to the mail server and keep its answer; a sent notice is left alone.

    Every attempt has the same Message-ID. Should this process die between the server's answer and
    the commit, the notice is sent once more under that same Message-ID. Raises DeliveryFailed.
    """
    if notice.state != State.QUEUED:
        return
    message = message_of(notice)
    Notice.objects.filter(pk=notice.pk).update(attempts=F("attempts") + 1)
    try:
        answer = hand_to_server(message, sender=settings.HAECHI.mail_from)
    except (OSError, smtplib.SMTPException) as error:
        # What the server said may name the place, and this goes into the log.
        said = reply_code(f"{getattr(error, 'smtp_code', '')} ") or type(error).__name__
        Notice.objects.filter(pk=notice.pk).update(last_error=said)
        raise DeliveryFailed(f"{notice}: {said}") from None
    with transaction.atomic():
        won = Notice.objects.filter(pk=notice.pk, state=State.QUEUED).update(
            state=State.SENT,
            sent_at=now,
            answer=reply_code(answer),
            answer_sealed=seal.seal(answer.encode(), notice.decision.case.report.recipient),
            last_error="",
        )
        if won:
            audit.record("notice:sent", subject=notice, actor="worker", at=now)


def forget(report: Report) -> None:
    """The report is erased: forget where its notices went and what they said.

    That they were sent, and when, stays. Runs inside the caller's transaction.
    """
    notices = Notice.objects.filter(decision__case__report=report)
    notices.filter(state=State.QUEUED).update(state=State.DROPPED)
    notices.update(location=None, sealed=b"", answer="", answer_sealed=None, last_error="")


def withdraw(case: Case, *, now: datetime) -> int:
    """Take back what was not sent yet; returns how many. A sent notice cannot be unsent."""
    waiting = Notice.objects.filter(decision__case=case, state=State.QUEUED)
    taken = 0
    for notice in waiting:
        if waiting.filter(pk=notice.pk).update(state=State.WITHDRAWN):
            audit.record("notice:withdrawn", subject=notice, actor="worker", at=now)
            taken += 1
    return taken


def answer_of(notice: Notice, identity: str | None = None) -> str:
    """All that the receiving server said, opened as `message_of` opens; "" before."""
    if notice.answer_sealed is None:
        return ""
    opened = identity or vault.identity_of(notice.decision.case.report)
    return seal.open_sealed(bytes(notice.answer_sealed), opened).decode()


def reply_code(answer: str) -> str:
    """What of a mail server's answer names nothing: "250 2.0.0" of "250 2.0.0 Ok: queued for ..."."""
    found = re.match(r"\d{3}(?: \d\.\d{1,3}\.\d{1,3}(?![\d.]))?", answer)
    return found.group() if found else ""


def _receiver(host: str) -> Receiver | None:
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    found = {receiver.host: receiver for receiver in Receiver.objects.filter(host__in=names)}
    return next((found[name] for name in names if name in found), None)


def _message(
    decision: Decision, address: str, host: str, *, reference: UUID, to: Receiver | None
) -> EmailMessage:
    report = decision.case.report
    fingerprints = list(Fingerprint.objects.filter(exhibit__report=report))
    organisation = settings.HAECHI.organisation
    sender = settings.HAECHI.mail_from
    text = render_to_string(
        "notices/takedown.txt",
        {
            "host": host,
            "organisation": organisation,
            "address": address,
            "decided_at": decision.made_at,
            "ground": decision.get_ground_display(),
            "minor": report.minor,
            "fingerprints": [_line(fingerprint) for fingerprint in fingerprints],
            "reference": reference,
        },
    )
    contact: xarf.Contact = {
        "org": organisation,
        "contact": sender,
        "domain": sender.rpartition("@")[2],
    }
    document = xarf.notice(
        _web_address(address),
        host_domain=host,
        report_id=reference,
        at=report.received_at,
        reporter=contact,
        sender=contact,
        minor=report.minor,
        synthetic=decision.policy.synthetic,
        description=str(decision.get_ground_display()),
        sha256=[bytes(fingerprint.sha256).hex() for fingerprint in fingerprints],
    )
    return xarf.email(
        document,
        sender=sender,
        recipient=to.email if to else f"abuse@{host}",
        subject=f"Takedown notice: non-consensual intimate content [{reference}]",
        words=text,
        at=decision.made_at,
    )


def _line(fingerprint: Fingerprint) -> str:
    pdq = f", PDQ {bytes(fingerprint.pdq).hex()}" if fingerprint.pdq is not None else ""
    return f"SHA-256 {bytes(fingerprint.sha256).hex()}{pdq}"


def hand_to_server(message: EmailMessage, *, sender: str) -> str:
    """Send one message; return the server's answer to it (SMTP.sendmail keeps that to itself).

    Raises OSError or smtplib.SMTPException.
    """
    host, port = settings.HAECHI.smtp_host, settings.HAECHI.smtp_port
    with smtplib.SMTP(host, port, timeout=TIMEOUT_S) as server:
        server.ehlo_or_helo_if_needed()
        _expect(server.mail(sender))
        _expect(server.rcpt(str(message["To"])))
        return _expect(server.data(bytes(message)))


def _expect(answer: tuple[int, bytes]) -> str:
    code, words = answer
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, words)
    return f"{code} {words.decode(errors='replace')}"
