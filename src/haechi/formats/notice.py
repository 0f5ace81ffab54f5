"""What one Haechi says to another: the document haechi-notice/1, and how it is signed.

    takedown    please take these items down
    withdrawal  never mind: the report was taken back
    counter     please put them back: an appeal was won
    receipt     we have it, under this number
    answer      what became of each item

The form is data/haechi_notice_1.json, a JSON Schema that is read here and repeated nowhere. The
signature is that of Standard Webhooks, asymmetric (v1a, Ed25519), over the bytes as they are sent.
A document names places and gives digests; it never carries a picture.
"""

import base64
import binascii
import functools
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any, TypedDict
from uuid import UUID

import jsonschema_rs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from haechi.errors import InvalidDocument, LedgerError, WebhookForged, WebhookStale
from haechi.formats import strict_json, webhook
from haechi.formats.xarf import validate as validate_xarf
from haechi.formats.xarf import web_address
from haechi.ledger import canonical

FORMAT = "haechi-notice/1"
PATH = "/api/notices"
KINDS = ("takedown", "withdrawal", "counter", "receipt", "answer")
OUTCOMES = ("removed", "restricted", "kept", "not_found", "need_more", "referred")
LONGEST_BYTES = 32 * 1024 * 1024
_TEXTS = ("statement", "reason", "description")
_NOT_IN_LINES = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_TEXTS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

type Document = dict[str, Any]


class Sender(TypedDict):
    """Who says it: name, base URL of its Haechi, Ed25519 public key (see key_text).

    key  None only where the document is not signed, as a list in an e-mail
    """

    name: str
    address: str
    key: str | None


def document(
    kind: str,
    *,
    document_id: UUID,
    sender: Sender,
    receiver: str,
    receiver_address: str | None,
    issued_at: datetime,
    facts: Mapping[str, object],
    items: Sequence[Mapping[str, object]],
    statement: str = "",
    law: Sequence[str] = (),
    in_reply_to: UUID | None = None,
    reference: str | None = None,
) -> Document:
    """Give a document, checked as parse() checks one.

    issued_at    Aware; kept to the second, in UTC.
    items        number, url, content_id, fingerprints, xarf; in an answer outcome and reason.
    in_reply_to  The takedown it is about; None in a takedown alone.
    Raises InvalidDocument that names the field.
    """
    if issued_at.tzinfo is None:
        raise InvalidDocument("issued_at needs a time zone")
    made: Document = {
        "format": FORMAT,
        "id": str(document_id),
        "kind": kind,
        "from": dict(sender),
        "to": {"name": receiver, "address": receiver_address},
        "issued_at": issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "in_reply_to": None if in_reply_to is None else str(in_reply_to),
        "reference": reference,
        "law": list(law),
        "facts": dict(facts),
        "statement": statement,
        "items": [dict(item) for item in items],
    }
    validate(made)
    return made


def to_bytes(made: Document) -> bytes:
    """Give the bytes that are sent: canonical JSON, the same for the same document.

    Raises InvalidDocument.
    """
    try:
        return canonical(made)
    except LedgerError as error:
        raise InvalidDocument(f"document: {error}") from error


def parse(data: bytes) -> Document:
    """Read a document from anybody; whoever wrote it is not known by this.

    Strict: UTF-8, no name twice in an object, no number but whole ones, no field that the format
    does not know, no control character outside words for people, at most 32 MiB and 10,000 items.
    Raises InvalidDocument.
    """
    if len(data) > LONGEST_BYTES:
        raise InvalidDocument("document: too long")
    try:
        read = strict_json.loads(data.decode("utf-8"), parse_float=strict_json.refuse)
    except ValueError as error:
        raise InvalidDocument("document: not JSON, or not as this format allows it") from error
    validate(read)
    to_bytes(read)  # Depth, half surrogates and numbers that others would round.
    return dict(read)


def validate(read: object) -> None:
    """Check a document by its schema, and what the schema leaves open.

    Raises InvalidDocument that names the field.
    """
    _check_characters(read)
    try:
        problem = next(_schema().iter_errors(read), None)
    except ValueError as error:
        raise InvalidDocument("document: holds what JSON does not") from error
    if problem is not None or not isinstance(read, dict):
        where = ".".join(str(step) for step in problem.instance_path) if problem else ""
        raise InvalidDocument(f"{where or 'document'}: does not fit {FORMAT}")
    if read["from"]["key"] is not None:
        key_of(read)
    _check_time(read["issued_at"])
    numbers = [item["number"] for item in read["items"]]
    if len(set(numbers)) < len(numbers):
        raise InvalidDocument("items: a number stands twice")
    for item in read["items"]:
        _check_item(item)


def sign(key: Ed25519PrivateKey, body: bytes, *, document_id: str, at: datetime) -> dict[str, str]:
    """Give the three headers for one attempt to deliver `body`; webhook-id is the document's id.

    Raises WebhookError for an id or a time that cannot be signed.
    """
    signed, timestamp = webhook.signed_text(document_id, at, body)
    mark = "v1a," + base64.b64encode(key.sign(signed)).decode()
    return {webhook.ID: document_id, webhook.TIMESTAMP: timestamp, webhook.SIGNATURE: mark}


def verify(
    key: Ed25519PublicKey,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    window_s: int = webhook.WINDOW_S,
) -> str:
    """Check one delivery and give its id; the receiver remembers ids and acts once on each.

    headers   Names in any case.
    body      The bytes as they came, before any parsing.
    window_s  How far the time stamp may lie from `now`, in seconds, before or after.
    Raises WebhookForged (also if a header is missing or malformed), WebhookStale only if the
    signature is good.
    """
    delivery_id, timestamp, marks = webhook.read_headers(headers)
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    if not any(_fits(key, mark, signed) for mark in marks):
        raise WebhookForged("no signature by this key fits the body")
    if abs(now.timestamp() - int(timestamp)) > window_s:
        raise WebhookStale("the time stamp lies outside the window")
    return delivery_id


def accept(
    key: Ed25519PublicKey, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> Document:
    """Read a document that came over HTTP from the holder of `key`: verify, then parse.

    Raises WebhookForged (also where the document names another key or another id than the
    signature does), WebhookStale, InvalidDocument.
    """
    delivery_id = verify(key, headers, body, now=now)
    read = parse(body)
    if read["id"] != delivery_id or read["from"]["key"] != key_text(key):
        raise WebhookForged("the signature is for another document, or by another than its sender")
    return read


def key_of(read: Mapping[str, Any]) -> Ed25519PublicKey:
    """The key a document says it is signed with. Whether to trust it is another question.

    Raises InvalidDocument.
    """
    return read_key(read["from"]["key"])


def read_key(text: str) -> Ed25519PublicKey:
    """A public key from Base64, with or without whpk_ before it. Raises InvalidDocument."""
    try:
        return Ed25519PublicKey.from_public_bytes(
            base64.b64decode(text.removeprefix("whpk_"), validate=True)
        )
    except (ValueError, binascii.Error) as error:
        raise InvalidDocument("key: not an Ed25519 public key") from error


def key_text(key: Ed25519PublicKey) -> str:
    """A public key as documents and directories write it."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def schema_text() -> str:
    """The JSON Schema, as it is published."""
    return (resources.files("haechi.formats") / "data" / "haechi_notice_1.json").read_text("utf-8")


@functools.cache
def _schema() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema_text()))


def _check_item(item: Mapping[str, Any]) -> None:
    try:
        if item.get("url") is not None:
            web_address(item["url"])
        if item.get("xarf") is not None:
            validate_xarf(item["xarf"])
    except InvalidDocument as error:
        raise InvalidDocument(f"items, number {item['number']}: {error}") from error


def _check_time(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidDocument("issued_at: not a time") from error


def _check_characters(read: object) -> None:
    """No control characters: not in an address or a name, and in words only line feed and tab.

    The `$` of a pattern would let a line feed pass at the end.
    """
    waiting = [("", read)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.items(), *(("", key) for key in value)]
        elif isinstance(value, list):
            waiting += [(name, each) for each in value]
        elif isinstance(value, str) and _forbidden(name).search(value):
            raise InvalidDocument(f"{name or 'document'}: a control character")


def _forbidden(name: str) -> re.Pattern[str]:
    return _NOT_IN_TEXTS if name in _TEXTS else _NOT_IN_LINES


def _fits(key: Ed25519PublicKey, mark: str, signed: bytes) -> bool:
    if not mark.startswith("v1a,"):
        return False
    try:
        key.verify(base64.b64decode(mark.removeprefix("v1a,"), validate=True), signed)
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True
