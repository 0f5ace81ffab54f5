"""The document haechi-notice/1: what is built is read again, what is hostile is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from haechi.errors import HaechiError, InvalidDocument, WebhookForged, WebhookStale
from haechi.formats import notice, xarf

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
ONE, TWO = UUID(int=1), UUID(int=2)
SENDER: notice.Sender = {
    "name": "Hotline",
    "address": "https://hotline.example",
    "key": notice.key_text(KEY.public_key()),
}
ITEM = {
    "number": 1,
    "url": "https://photos.example/a/1",
    "content_id": None,
    "fingerprints": {"pdq": ["0f" * 32], "sha256": ["ab" * 32]},
}


def made(kind: str = "takedown", **changes: Any) -> notice.Document:
    given: dict[str, Any] = {
        "document_id": ONE,
        "sender": SENDER,
        "receiver": "Photos",
        "receiver_address": "https://photos.example",
        "issued_at": AT,
        "facts": {"minor": False, "synthetic": True, "harms": ["threat"]},
        "items": [ITEM],
        "law": ["KR, Act 14-2"],
        "statement": "Taken without consent.\nPlease remove it.",
    }
    return notice.document(kind, **(given | changes))


TAKEDOWN = made()
BODY = notice.to_bytes(TAKEDOWN)
HEADERS = notice.sign(KEY, BODY, document_id=str(ONE), at=AT)


def test_the_schema_is_a_schema() -> None:
    assert jsonschema_rs.meta.is_valid(json.loads(notice.schema_text()))


def test_each_kind_is_read_as_it_was_built() -> None:
    """A receipt gives a number, an answer an outcome for each item, a counter-notice exists."""
    kinds = [
        TAKEDOWN,
        made("withdrawal", items=[], in_reply_to=TWO),
        made("counter", in_reply_to=TWO),
        made("receipt", items=[], in_reply_to=TWO, reference="2026-114"),
        made("answer", items=[{"number": 1, "outcome": "removed"}], in_reply_to=TWO),
    ]
    assert [each["kind"] for each in kinds] == list(notice.KINDS)
    assert [notice.parse(notice.to_bytes(each)) for each in kinds] == kinds


def test_ten_thousand_items_are_one_document_and_one_more_is_refused() -> None:
    items = [ITEM | {"number": number} for number in range(1, 10_001)]
    many = made(items=items)
    assert len(notice.parse(notice.to_bytes(many))["items"]) == 10_000
    with pytest.raises(InvalidDocument, match="items"):
        made(items=[*items, ITEM | {"number": 10_001}])


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("takedown", {"items": []}),
        ("takedown", {"items": [{"number": 1}]}),
        ("takedown", {"items": [ITEM, ITEM]}),
        ("takedown", {"items": [ITEM | {"number": 0}]}),
        ("takedown", {"items": [ITEM | {"number": True}]}),
        ("takedown", {"items": [ITEM | {"url": "https://user@photos.example/"}]}),
        ("takedown", {"items": [ITEM | {"url": "javascript:alert(1)"}]}),
        ("takedown", {"items": [ITEM | {"url": "https://photos.example/a\n"}]}),
        ("takedown", {"items": [ITEM | {"outcome": "removed"}]}),
        ("takedown", {"items": [ITEM | {"fingerprints": {"pdq": ["AB" * 32]}}]}),
        ("takedown", {"items": [ITEM | {"fingerprints": {"sha256": ["ab" * 32 + "\n"]}}]}),
        ("takedown", {"items": [ITEM | {"picture": "data:image/png;base64,AAAA"}]}),
        ("takedown", {"items": [ITEM | {"xarf": {"category": "content"}}]}),
        ("takedown", {"facts": {"harms": []}}),
        ("takedown", {"facts": {"minor": "no"}}),
        ("takedown", {"facts": {"minor": False, "weight": 0.5}}),
        ("takedown", {"facts": {"minor": False, "deep": {"er": 1}}}),
        ("takedown", {"in_reply_to": TWO}),
        ("takedown", {"sender": SENDER | {"key": "AAAA"}}),
        ("takedown", {"sender": SENDER | {"address": "ftp://hotline.example"}}),
        ("takedown", {"statement": "x" * 20_001}),
        ("takedown", {"statement": "bell \x07"}),
        ("takedown", {"law": ["line\nbreak"]}),
        ("withdrawal", {}),
        ("receipt", {"items": [], "in_reply_to": TWO}),
        ("receipt", {"in_reply_to": TWO, "reference": "1"}),
        ("answer", {"in_reply_to": TWO}),
        ("answer", {"in_reply_to": TWO, "items": [{"number": 1, "outcome": "eaten"}]}),
        ("elsewhere", {}),
    ],
)
def test_what_the_format_does_not_know_is_refused(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        made(kind, **changes)


def test_an_xarf_part_never_carries_a_picture() -> None:
    contact: xarf.Contact = {
        "org": "Hotline",
        "contact": "desk@hotline.example",
        "domain": "hotline.example",
    }
    part = xarf.notice(
        "https://photos.example/a/1",
        host_domain="photos.example",
        report_id=ONE,
        at=AT,
        reporter=contact,
        sender=contact,
        minor=True,
        description="Deepfake",
    )
    assert made(items=[ITEM | {"xarf": part}])["items"][0]["xarf"] == part
    picture = {"content_type": "image/png", "payload": base64.b64encode(b"x" * 99).decode()}
    with pytest.raises(InvalidDocument):
        made(items=[ITEM | {"xarf": part | {"evidence": [picture]}}])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        BODY.replace(b'"kind"', b'"kind":"takedown","kind"'),
        BODY.replace(b'"number":1', b'"number":1.0'),
        BODY.replace(b'"number":1', b'"number":NaN'),
        BODY.replace(b"Photos", b"\\ud800"),
        BODY + b" " * notice.LONGEST_BYTES,
    ],
)
def test_what_is_no_such_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidDocument):
        notice.parse(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(body=st.binary(max_size=300))
def test_hostile_bytes_end_in_our_own_error(body: bytes) -> None:
    with pytest.raises(InvalidDocument):
        notice.parse(body)


@given(field=st.sampled_from(sorted(TAKEDOWN)), value=json_values)
def test_a_hostile_field_ends_in_our_own_error_or_fits(field: str, value: object) -> None:
    """Whatever stands in a field, it is read or refused as InvalidDocument; nothing else happens."""
    try:
        read = notice.parse(json.dumps(TAKEDOWN | {field: value}).encode())
    except InvalidDocument:
        return
    assert read[field] == value


@given(cut=st.integers(0, len(BODY) - 1), byte=st.integers(0, 255))
def test_one_changed_byte_is_forged(cut: int, byte: int) -> None:
    changed = BODY[:cut] + bytes([byte]) + BODY[cut + 1 :]
    if changed == BODY:
        return
    with pytest.raises(WebhookForged):
        notice.accept(KEY.public_key(), HEADERS, changed, now=AT)


@given(late=st.integers(-300, 300))
def test_a_signed_document_is_accepted_within_the_window(late: int) -> None:
    now = AT + timedelta(seconds=late)
    assert notice.accept(KEY.public_key(), HEADERS, BODY, now=now) == TAKEDOWN


@pytest.mark.parametrize("late", [-301, 301])
def test_a_replay_outside_the_window_is_stale(late: int) -> None:
    with pytest.raises(WebhookStale):
        notice.accept(KEY.public_key(), HEADERS, BODY, now=AT + timedelta(seconds=late))


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """v1a: Ed25519 over id.timestamp.body, which any library of Standard Webhooks checks."""
    mark = base64.b64decode(HEADERS["webhook-signature"].removeprefix("v1a,"))
    KEY.public_key().verify(mark, f"{ONE}.{int(AT.timestamp())}.".encode() + BODY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", str(TWO)),
        ("webhook-id", "a.b"),
        ("webhook-timestamp", "soon"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1a,AAAA"),
        ("webhook-signature", "v1a,*"),
        ("webhook-signature", HEADERS["webhook-signature"].replace("v1a,", "v1,")),
    ],
)
def test_other_headers_are_forged(name: str, value: str) -> None:
    with pytest.raises(WebhookForged):
        notice.accept(KEY.public_key(), HEADERS | {name: value}, BODY, now=AT)


def test_another_key_or_another_id_than_the_documents_is_forged() -> None:
    """A known sender cannot speak in the name of another."""
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    by_other = notice.sign(other, BODY, document_id=str(ONE), at=AT)
    renamed = notice.sign(KEY, BODY, document_id=str(TWO), at=AT)
    with pytest.raises(WebhookForged):
        notice.accept(other.public_key(), by_other, BODY, now=AT)
    with pytest.raises(WebhookForged):
        notice.accept(KEY.public_key(), renamed, BODY, now=AT)


@given(text=st.text())
def test_a_key_is_read_or_refused(text: str) -> None:
    with pytest.raises(HaechiError):
        notice.read_key(text)
    assert notice.read_key("whpk_" + SENDER["key"]) == KEY.public_key()
