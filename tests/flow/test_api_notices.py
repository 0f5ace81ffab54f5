"""POST /api/notices: signed documents and XARF with a key; nobody learns of another's notice."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.conftest import playing

from haechi.formats import notice, xarf
from haechi.server.cases.models import Case
from haechi.server.flow import receiving
from haechi.server.notices.incoming import answers
from haechi.server.notices.incoming import services as incoming
from haechi.server.notices.incoming_models import Incoming, NoticeSender, Stage
from haechi.server.reports.models import Age

pytestmark = pytest.mark.django_db

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
API_KEY = "haechi_notices_of_the_hotline"


@pytest.fixture
def hotline(db: None) -> NoticeSender:
    """Another Haechi, which also has an API key."""
    return NoticeSender.objects.create(
        name="Hotline",
        kind="haechi",
        public_key=notice.key_text(KEY.public_key()),
        key_digest=incoming.hash_of(API_KEY),
        base_url="http://127.0.0.1:9",
        created_at=NOON,
    )


def made(kind: str = "takedown", *, items: int = 3, **more: Any) -> bytes:
    """A document of the hotline."""
    listed = [
        {"number": 10 * number, "url": f"https://board.example/post/{number}"}
        for number in range(1, items + 1)
    ]
    return notice.to_bytes(
        notice.document(
            kind,
            document_id=uuid4(),
            sender={
                "name": "Hotline",
                "address": "https://hotline.example",
                "key": notice.key_text(KEY.public_key()),
            },
            receiver="Us",
            receiver_address=None,
            issued_at=NOON,
            items=listed,
            **{"facts": {"minor": True, "harms": ["shared"]}} | more,
        )
    )


def signed(body: bytes, *, at: datetime | None = None, name: str = "") -> dict[str, str]:
    """The headers it is sent with."""
    named = name or json.loads(body)["id"]
    return notice.sign(KEY, body, document_id=named, at=at or timezone.now())


def post(client: Client, body: bytes, headers: Mapping[str, str]) -> Any:
    """Send it."""
    return client.post("/api/notices", body, content_type="application/json", headers=headers)


def taken(answer: Any) -> Incoming:
    """What the worker makes of it."""
    assert answer.status_code == 202, answer.content
    number = UUID(answer.json()["number"])
    with playing("worker"):
        receiving.take(number, last_try=True, now=NOON)
    return Incoming.objects.get(pk=number)


def test_a_signed_document_is_a_case_and_its_sender_sees_each_item(
    public: Client, hotline: NoticeSender
) -> None:
    body = made()
    row = taken(post(public, body, signed(body)))
    assert (row.stage, row.sender) == (Stage.TAKEN, hotline)
    assert Case.objects.get().minor
    assert row.report.age == Age.UNDER_18
    assert taken(post(public, body, signed(body))).pk == row.pk, "sent twice, it is one"
    receipt = row.answers.get()
    _to, told = answers._opened(receipt)
    said = notice.parse(told)
    assert (said["kind"], said["reference"]) == ("receipt", str(row.pk))
    assert said["in_reply_to"] == json.loads(body)["id"]
    asked = signed(b"", name=str(row.pk))
    state = public.get(f"/api/notices/{row.pk}", headers=asked).json()
    assert [item["number"] for item in state["items"]] == [10, 20, 30]
    assert {item["outcome"] for item in state["items"]} == {None}
    assert "board.example" not in json.dumps(state)


def test_what_is_not_proven_is_not_taken(public: Client, hotline: NoticeSender) -> None:
    body = made()
    other = Ed25519PrivateKey.generate()
    forged = notice.sign(other, body, document_id=json.loads(body)["id"], at=timezone.now())
    late = signed(body, at=datetime(2020, 1, 1, tzinfo=UTC))
    assert post(public, body, forged).status_code == 401
    assert post(public, body, late).status_code == 400
    assert post(public, body + b" ", signed(body)).status_code == 401
    assert post(public, body, {}).status_code == 401
    NoticeSender.objects.update(enabled=False)
    assert post(public, body, signed(body)).status_code == 401
    assert Incoming.objects.count() == 0


def test_xarf_comes_with_a_key(public: Client, hotline: NoticeSender) -> None:
    """One document or a list; each is an item, and a bad one is named."""
    contact: xarf.Contact = {
        "org": "H",
        "contact": "a@hotline.example",
        "domain": "hotline.example",
    }
    documents = [
        xarf.notice(
            f"https://board.example/{number}",
            host_domain="board.example",
            report_id=uuid4(),
            at=NOON,
            reporter=contact,
            sender=contact,
            minor=False,
            description="Please remove.",
        )
        for number in range(3)
    ]
    key = {"authorization": f"Bearer {API_KEY}"}
    row = taken(post(public, json.dumps(documents).encode(), key))
    assert row.items.count() == 3
    assert row.report.age == Age.ADULT
    assert row.answers.count() == 0, "who sends XARF asks"
    assert public.get(f"/api/notices/{row.pk}", headers=key).json()["state"] == "taken"
    documents[1]["url"] = "no address"
    bad = post(public, json.dumps(documents).encode(), key)
    assert bad.status_code == 400
    assert "number 2" in bad.json()["error"]["detail"]
    wrong = {"authorization": "Bearer wrong"}
    assert post(public, json.dumps(documents[0]).encode(), wrong).status_code == 401


def test_another_senders_notice_is_as_one_that_is_not_there(
    public: Client, hotline: NoticeSender
) -> None:
    """B27: neither its state, nor that it exists."""
    body = made()
    row = taken(post(public, body, signed(body)))
    NoticeSender.objects.create(
        name="Other", kind="hotline", key_digest=incoming.hash_of("other"), created_at=NOON
    )
    other = {"authorization": "Bearer other"}
    stranger = notice.sign(
        Ed25519PrivateKey.generate(), b"", document_id=str(row.pk), at=timezone.now()
    )
    for headers in (other, stranger, signed(b"", name=str(uuid4()))):
        theirs = public.get(f"/api/notices/{row.pk}", headers=headers)
        none = public.get(f"/api/notices/{uuid4()}", headers=headers)
        assert theirs.status_code == none.status_code == 404
        assert theirs.content == none.content
    assert public.get(f"/api/notices/{row.pk}").status_code == 401


def test_a_withdrawal_ends_what_is_not_decided(public: Client, hotline: NoticeSender) -> None:
    body = made()
    row = taken(post(public, body, signed(body)))
    back = made("withdrawal", items=0, in_reply_to=UUID(json.loads(body)["id"]))
    assert taken(post(public, back, signed(back))).stage == Stage.FOLDED
    assert Case.objects.get(report=row.report).state == "withdrawn"
    counter = made("counter", items=0, in_reply_to=UUID(json.loads(body)["id"]))
    assert taken(post(public, counter, signed(counter))).stage == Stage.WAITING
