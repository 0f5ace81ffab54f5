"""Signed messages between Haechi and a platform."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.errors import KeyMissing, WebhookError, WebhookForged, WebhookStale
from haechi.formats import webhook

SECRET, BODY = b"s" * 24, b'{"act":"remove"}'
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SIGNED = webhook.sign(SECRET, BODY, delivery_id="msg_1", at=AT)


def test_the_vector_of_the_specification() -> None:
    """From the reference libraries of Standard Webhooks: a fixed secret, id, time and body."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    body = b'{"test": 2432232314}'
    headers = webhook.sign(secret, body, delivery_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=at)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_signature_covers_id_time_and_body() -> None:
    mac = hmac.new(SECRET, b"msg_1." + str(int(AT.timestamp())).encode() + b"." + BODY, "sha256")
    assert SIGNED["webhook-signature"] == "v1," + base64.b64encode(mac.digest()).decode()


@given(body=st.binary(max_size=200), late=st.integers(-300, 300))
@settings(deadline=None)
def test_a_good_delivery_gives_its_id(body: bytes, late: int) -> None:
    headers = webhook.sign(SECRET, body, delivery_id="d-1", at=AT)
    assert webhook.verify(SECRET, headers, body, now=AT + timedelta(seconds=late)) == "d-1"


def test_header_names_come_in_any_case() -> None:
    headers = {name.title(): value for name, value in SIGNED.items()}
    assert webhook.verify(SECRET, headers, BODY, now=AT) == "msg_1"


@given(at=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
@settings(deadline=None)
def test_a_changed_body_is_forged(at: int, bit: int) -> None:
    changed = bytearray(BODY)
    changed[at] ^= 1 << bit
    with pytest.raises(WebhookForged):
        webhook.verify(SECRET, SIGNED, bytes(changed), now=AT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "msg_2"),
        ("webhook-id", ""),
        ("webhook-id", "msg.1"),
        ("webhook-id", "m" * 129),
        ("webhook-timestamp", "1795348801"),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", "\u0661\u0662"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "\u00e9\udc00"),
        ("webhook-signature", SIGNED["webhook-signature"].replace("v1,", "v1a,")),
        ("webhook-signature", SIGNED["webhook-signature"][3:]),
        ("webhook-signature", SIGNED["webhook-signature"].lower()),
    ],
)
def test_a_changed_header_is_forged(name: str, value: str) -> None:
    with pytest.raises(WebhookForged):
        webhook.verify(SECRET, SIGNED | {name: value}, BODY, now=AT)


@pytest.mark.parametrize("name", list(SIGNED))
def test_a_missing_header_is_forged(name: str) -> None:
    headers = {key: value for key, value in SIGNED.items() if key != name}
    with pytest.raises(WebhookForged):
        webhook.verify(SECRET, headers, BODY, now=AT)


def test_another_secret_is_forged() -> None:
    with pytest.raises(WebhookForged):
        webhook.verify(SECRET + b"s", SIGNED, BODY, now=AT)


@pytest.mark.parametrize("late_s", [301, -301, 10**6, -(10**6)])
def test_a_time_stamp_outside_the_window_is_stale_in_both_directions(late_s: int) -> None:
    with pytest.raises(WebhookStale):
        webhook.verify(SECRET, SIGNED, BODY, now=AT + timedelta(seconds=late_s))
    wide = 10**6
    now = AT + timedelta(seconds=late_s)
    assert webhook.verify(SECRET, SIGNED, BODY, now=now, window_s=wide) == "msg_1"


def test_what_is_forged_and_old_is_called_forged() -> None:
    """The time of an unsigned message says nothing about it."""
    with pytest.raises(WebhookForged):
        webhook.verify(SECRET, SIGNED, BODY + b" ", now=AT + timedelta(days=9))


def test_while_a_secret_is_changed_both_are_good() -> None:
    new = b"n" * 24
    headers = webhook.sign(new, BODY, delivery_id="d1", at=AT, also=[SECRET])
    assert webhook.verify(SECRET, headers, BODY, now=AT) == "d1"
    assert webhook.verify(new, headers, BODY, now=AT) == "d1"
    with pytest.raises(WebhookForged):
        webhook.verify(b"x" * 24, headers, BODY, now=AT)


def test_signatures_of_other_versions_are_passed_over() -> None:
    marks = f"v1a,AAAA {SIGNED['webhook-signature']} v2,BBBB"
    assert webhook.verify(SECRET, SIGNED | {"webhook-signature": marks}, BODY, now=AT) == "msg_1"


def test_an_empty_secret_never_signs_nor_verifies() -> None:
    with pytest.raises(KeyMissing):
        webhook.sign(b"", BODY, delivery_id="d1", at=AT)
    timestamp = str(int(AT.timestamp()))
    mac = hmac.new(b"", f"d1.{timestamp}.".encode() + BODY, hashlib.sha256).digest()
    headers = {
        "webhook-id": "d1",
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }
    with pytest.raises(KeyMissing):
        webhook.verify(b"", headers, BODY, now=AT)


@pytest.mark.parametrize("delivery_id", ["", "a.b", "a b", "a\nb", "m" * 129, "\u00e9"])
def test_a_delivery_with_an_odd_id_is_not_signed(delivery_id: str) -> None:
    with pytest.raises(WebhookError):
        webhook.sign(SECRET, BODY, delivery_id=delivery_id, at=AT)


def test_a_delivery_without_a_zone_is_not_signed() -> None:
    with pytest.raises(WebhookError):
        webhook.sign(SECRET, BODY, delivery_id="d1", at=AT.replace(tzinfo=None))
