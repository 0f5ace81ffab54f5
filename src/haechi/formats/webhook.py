"""Signed messages after Standard Webhooks (https://www.standardwebhooks.com).

webhook-id         The delivery. The same for each attempt, so that the receiver acts once.
webhook-timestamp  When this attempt was made, Unix seconds.
webhook-signature  One or more of "v1,<Base64 HMAC-SHA256>" with spaces between, over
                   id + "." + timestamp + "." + body. Several while a secret is being changed.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from haechi.errors import KeyMissing, WebhookError, WebhookForged, WebhookStale

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
WINDOW_S = 300
SIGNATURE_CHARACTERS = 2048
# No dot: id "a" at time 1 with body "2.x" must not read as id "a.1" at time 2 with body "x".
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def sign(
    secret: bytes, body: bytes, *, delivery_id: str, at: datetime, also: Sequence[bytes] = ()
) -> dict[str, str]:
    """Give the three headers for one attempt to deliver `body`.

    delivery_id  1 to 128 letters, digits, "-" and "_".
    at           The time of this attempt, aware.
    also         Older secrets that the receiver may still hold.
    Raises KeyMissing for an empty secret, WebhookError for any other unusable argument.
    """
    signed, timestamp = signed_text(delivery_id, at, body)
    marks = [_mark(key, signed) for key in (secret, *also)]
    return {ID: delivery_id, TIMESTAMP: timestamp, SIGNATURE: " ".join(marks)}


def verify(
    secret: bytes,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    window_s: int = WINDOW_S,
) -> str:
    """Check one delivery and give its id; the receiver remembers ids to refuse a replay.

    headers   Names in any case.
    body      The bytes as they came, before any parsing.
    window_s  How far the time stamp may lie from `now`, in seconds, before or after.
    Raises WebhookForged (also if a header is missing or malformed), WebhookStale only if the
    signature is good, KeyMissing for an empty secret.
    """
    delivery_id, timestamp, marks = read_headers(headers)
    expected = _mark(secret, f"{delivery_id}.{timestamp}.".encode() + body).encode()
    fits = [hmac.compare_digest(expected, mark.encode("utf-8", "replace")) for mark in marks]
    if not any(fits):
        raise WebhookForged("no signature fits the body")
    if abs(now.timestamp() - int(timestamp)) > window_s:
        raise WebhookStale("the time stamp lies outside the window")
    return delivery_id


def signed_text(delivery_id: str, at: datetime, body: bytes) -> tuple[bytes, str]:
    """Give what a signature covers, and the time stamp. Raises WebhookError."""
    if not _ID.fullmatch(delivery_id):
        raise WebhookError("a delivery is named by letters, digits, - and _")
    if at.tzinfo is None or at.timestamp() < 0:
        raise WebhookError("a delivery needs a time with a time zone")
    timestamp = str(int(at.timestamp()))
    return f"{delivery_id}.{timestamp}.".encode() + body, timestamp


def read_headers(headers: Mapping[str, str]) -> tuple[str, str, list[str]]:
    """Give id, time stamp and signatures of a delivery, none of them checked yet.

    Raises WebhookForged where one is missing or malformed.
    """
    given = {name.lower(): value for name, value in headers.items()}
    delivery_id, timestamp = given.get(ID, ""), given.get(TIMESTAMP, "")
    if not _ID.fullmatch(delivery_id) or not _TIMESTAMP.fullmatch(timestamp):
        raise WebhookForged("the id or the time stamp is missing or malformed")
    return delivery_id, timestamp, given.get(SIGNATURE, "")[:SIGNATURE_CHARACTERS].split(" ")


def _mark(secret: bytes, signed: bytes) -> str:
    if not secret:
        raise KeyMissing("a webhook needs a secret")
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
