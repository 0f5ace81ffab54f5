"""A XARF document as e-mail: multipart/report after RFC 6522 and RFC 5965.

Three parts: words for people, the fields of a feedback report, and the document as xarf.json.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP
from typing import Any, NoReturn

from haechi.errors import InvalidDocument
from haechi.formats.xarf.document import ascii_host, validate

USER_AGENT = "Haechi/0.1"
FILE_NAME = "xarf.json"
# The format's own limits: 15 MiB of evidence, a third more in Base64, twice.
MAIL_BYTES = 32 * 1024 * 1024
_PICTURES = ("evidence", "screenshot_url")
_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]\x00-\x1f\x7f-\U0010ffff]{1,64}@[A-Za-z0-9.-]{1,253}")
PARTS = ("text/plain", "message/feedback-report", "application/json")


def email(
    document: Mapping[str, Any],
    *,
    sender: str,
    recipient: str,
    subject: str,
    words: str,
    at: datetime,
) -> EmailMessage:
    """Give the e-mail that carries a notice; message.as_bytes() is what goes over SMTP.

    document   From notice(); one with evidence or a screenshot is refused.
    sender     Address in From; recipient in To: one address each, nothing else. The domain may
               be in any script, the part before it in ASCII.
    subject    One line in any language. words: the text for people, in any language.
    at         For the Date header, aware.

    The Message-ID is <report_id@sender domain>, so a second attempt is the same message.
    Raises InvalidDocument, also for a line break where a header would take it.
    """
    validate(document)
    if any(field in document for field in _PICTURES):
        raise InvalidDocument("a notice carries no picture")
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(sender, "sender")
    message["To"] = _address(recipient, "recipient")
    message["Subject"] = _one_line(subject.strip(" "), "subject")
    message["Date"] = _aware(at)
    message["Message-ID"] = f"<{document['report_id']}@{document['sender']['domain']}>"
    message["Auto-Submitted"] = "auto-generated"
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = "multipart/report; report-type=feedback-report"
    try:
        parts = (_words(words), _feedback(document), _attachment(document))
    except UnicodeEncodeError as error:
        raise InvalidDocument("text holds half of a surrogate pair") from error
    for part in parts:
        message.attach(part)
    return message


def read_email(data: bytes) -> dict[str, Any]:
    """Give the XARF document in an e-mail, checked by validate().

    Raises InvalidDocument if it is no such e-mail, or the document fails its schema.
    """
    if len(data) > MAIL_BYTES:
        raise InvalidDocument("the message is too long")
    message = message_from_bytes(data)
    kind = message.get_content_type(), message.get_param("report-type")
    if kind != ("multipart/report", "feedback-report"):
        raise InvalidDocument("the message is no feedback report")
    parts = _inner(message)
    # What is attached after them (a list of addresses) is not ours to read.
    if tuple(part.get_content_type() for part in parts[: len(PARTS)]) != PARTS:
        raise InvalidDocument("the message does not have the three parts of a XARF report")
    _check_feedback(parts[1])
    document = _json(parts[2])
    validate(document)
    return document


def _words(words: str) -> EmailMessage:
    part = EmailMessage(policy=SMTP)
    part.set_content(words, charset="utf-8", cte="base64")
    return part


def _feedback(document: Mapping[str, Any]) -> EmailMessage:
    fields = EmailMessage(policy=SMTP)
    fields["Feedback-Type"] = "xarf"
    fields["User-Agent"] = USER_AGENT
    fields["Version"] = "1"
    if "domain" in document:
        fields["Reported-Domain"] = document["domain"]
    part = EmailMessage(policy=SMTP)
    part["Content-Type"] = "message/feedback-report"
    part.set_payload([fields])
    return part


def _attachment(document: Mapping[str, Any]) -> EmailMessage:
    text = json.dumps(document, ensure_ascii=False, indent=1).encode()
    part = EmailMessage(policy=SMTP)
    part.set_content(text, "application", "json", filename=FILE_NAME, params={"name": FILE_NAME})
    return part


def _address(text: str, field: str) -> str:
    name, _, domain = text.rpartition("@")
    address = f"{name}@{ascii_host(domain, field)}"
    if not _ADDRESS.fullmatch(address):
        msg = f"{field} is not one e-mail address"
        raise InvalidDocument(msg)
    return address


def _one_line(text: str, field: str) -> str:
    if not text.isprintable():
        msg = f"{field} has a line break or a control character"
        raise InvalidDocument(msg)
    return text


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise InvalidDocument("date needs a time zone")
    return at


def _inner(message: Message) -> list[Message]:
    payload = message.get_payload()
    return [each for each in payload if isinstance(each, Message)] if message.is_multipart() else []


def _check_feedback(part: Message) -> None:
    kinds = [str(fields["Feedback-Type"]).strip().lower() for fields in _inner(part)]
    if kinds != ["xarf"]:
        raise InvalidDocument("the feedback report is not of the type xarf")


def _json(part: Message) -> dict[str, Any]:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        raise InvalidDocument("the attachment is empty")
    try:
        document = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument("the attachment is not JSON") from error
    if not isinstance(document, dict):
        raise InvalidDocument("the attachment is not a JSON object")
    return document


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise ValueError(msg)
