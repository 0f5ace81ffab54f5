"""Notices to others: written, sent over real SMTP and HTTP, proven, answered, chased (B20, B21)."""

import base64
import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import dkim  # type: ignore[import-untyped]  # no annotations
import pytest
from aiosmtpd.smtp import Envelope
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as django_settings
from django.test import override_settings
from tests.conftest import NOON
from tests.flow.conftest import submit
from tests.flow.outside import Post, Web, post_office, web_server

from haechi.errors import DeliveryFailed, WebhookForged
from haechi.formats import notice as wire
from haechi.formats import xarf
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases.models import Decision, Ground, Verdict
from haechi.server.notices import chase, directory, rdap, replies, sending
from haechi.server.notices import services as notices
from haechi.server.notices.models import (
    Attempt,
    Channel,
    Heard,
    Kind,
    Notice,
    Outcome,
    Receiver,
    Reply,
    ReplyKind,
    State,
    Step,
)
from haechi.server.notices.own_address import notices_in, own_address
from haechi.server.reports.models import State as ReportState
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db

PLACE = "https://photos.example/a/{}"
SOON = NOON + timedelta(minutes=1)
THEIR_KEY = Ed25519PrivateKey.from_private_bytes(b"t" * 32)


@pytest.fixture(scope="module")
def office() -> Iterator[Post]:
    """A mail server for all tests here."""
    with post_office() as post:
        yield post


@pytest.fixture
def post(office: Post) -> Iterator[Post]:
    """The mail server, empty and willing, and the settings that lead to it."""
    fresh = Post()
    office.mails.clear()
    office.say, office.at_rcpt = fresh.say, fresh.at_rcpt
    told = replace(
        django_settings.HAECHI,
        smtp_host="127.0.0.1",
        smtp_port=office.port,
        mail_from="notices@haechi.example",
    )
    with override_settings(HAECHI=told):
        yield office


@pytest.fixture(scope="module")
def house() -> Iterator[Web]:
    """A web server for all tests here."""
    with web_server() as web:
        yield web


@pytest.fixture
def web(house: Web) -> Web:
    """The web server, empty and willing."""
    house.asked.clear()
    house.answers.clear()
    house.status = 202
    return house


def decided(reviewer: User, *places: str, pictures: tuple[bytes, ...] = ()) -> Decision:
    """A report of these places, decided: remove."""
    report, _code = submit(*pictures, places=places)
    flow.examine(report, last_try=True)
    return flow.decide(
        report.case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="It is she.",
        remove=[],
        actor=reviewer,
        now=NOON,
    )


def sent(notice: Notice, *, now: datetime = NOON) -> Notice:
    """The notice, once it was handed over."""
    notices.deliver(notice, now=now)
    notice.refresh_from_db()
    return notice


def parsed(post: Post, number: int = -1) -> EmailMessage:
    """A mail the server took."""
    content = post.mails[number].content
    assert isinstance(content, bytes)
    return message_from_bytes(content, policy=policy.SMTP)


def parts(message: EmailMessage) -> dict[str, bytes]:
    """Its attachments by name."""
    found = {part.get_filename() or "": part.get_payload(decode=True) for part in message.walk()}
    return {name: data for name, data in found.items() if name and isinstance(data, bytes)}


def answer(notice: Notice, text: str, **headers: str) -> bytes:
    """A mail to the notice's own address."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "abuse@photos.example"
    message["To"] = own_address(notice.pk)
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return bytes(message)


def bounce(notice: Notice, action: str = "failed") -> bytes:
    """A delivery status notification (RFC 3464)."""
    return (
        f"Return-Path: <>\r\nFrom: mailer-daemon@photos.example\r\nTo: {own_address(notice.pk)}\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt did not work.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.photos.example\r\n\r\n"
        f"Final-Recipient: rfc822; abuse@photos.example\r\nAction: {action}\r\nStatus: 5.1.1\r\n\r\n"
        "--b--\r\n"
    ).encode()


def haechi_receiver(web: Web) -> Receiver:
    """Another Haechi in the directory."""
    return directory.add(
        directory.Answering(
            "photos.example",
            Step.PLATFORM,
            "Photos",
            haechi_url=web.url,
            haechi_key=wire.key_text(THEIR_KEY.public_key()),
            source="they told us",
        ),
        actor="test",
        now=NOON,
    )


# --- written ------------------------------------------------------------------------------------


def test_places_of_one_receiver_are_one_notice_with_a_list(
    reviewer: User, cat: bytes, post: Post
) -> None:
    """25 places at one site and one at another: two mails, the first with CSV and JSON (B20)."""
    places = [PLACE.format(number) for number in range(1, 26)]
    decision = decided(reviewer, *places, "https://other.example/x", pictures=(cat,))
    batch, single = sorted(decision.notices.all(), key=lambda each: -each.items.count())
    assert (batch.items.count(), single.items.count()) == (25, 1)
    sent(batch)
    attached = parts(parsed(post))
    rows = list(csv.DictReader(io.StringIO(attached["manifest.csv"].decode())))
    assert [row["url"] for row in rows] == places
    listed = wire.parse(attached["manifest.json"])
    assert [item["url"] for item in listed["items"]] == places
    assert (listed["kind"], listed["from"]["key"]) == ("takedown", None)
    assert xarf.read_email(post.mails[0].content)["url"] == places[0]  # type: ignore[arg-type]
    assert not [part for part in parsed(post).walk() if part.get_content_maintype() == "image"]


def test_a_minors_picture_is_named_by_digest_and_never_attached(
    reviewer: User, cat: bytes, post: Post
) -> None:
    """Nothing in the mail is a picture, and no field of it holds one, whatever the age."""
    decision = decided(reviewer, PLACE.format(1))
    decision.case.report.age = "under_18"
    decision.case.report.save(update_fields=["age"])
    Notice.objects.all().delete()
    [notice] = notices.ask(decision, flow.places_outside(decision.case.report), now=NOON)
    sent(notice)
    content = post.mails[0].content
    assert isinstance(content, bytes)
    document = xarf.read_email(content)
    assert document["ncii"]["minor"]
    assert "ncii:minor" in document["tags"]
    assert not {"evidence", "screenshot_url"} & document.keys()
    kinds = {part.get_content_type() for part in parsed(post).walk()}
    assert kinds == {
        "multipart/report", "text/plain", "message/feedback-report", "application/json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "word"), [("ko", "삭제"), ("zh-hans", "删除"), ("en", "remove")]
)
def test_the_words_are_in_the_receivers_language(
    reviewer: User, post: Post, language: str, word: str
) -> None:
    """Built from the facts: the place, the ground, what the law there asks, the reference."""
    Receiver.objects.create(
        host="photos.example",
        name="Photos",
        email="desk@photos.example",
        language=language,
        laws=["us_tida"],
        source="test",
    )
    decision = decided(reviewer, PLACE.format(1))
    notice = sent(decision.notices.get())
    text = next(
        p for p in parsed(post).walk() if p.get_content_type() == "text/plain"
    ).get_content()
    assert word in text
    assert PLACE.format(1) in text
    assert str(notice.pk) in text
    assert "TAKE IT DOWN" in text
    assert post.mails[0].rcpt_tos == ["desk@photos.example"]


def test_a_host_without_a_row_is_written_to_at_its_abuse_mailbox(reviewer: User) -> None:
    """RFC 2142; and a row that was added here comes before one that was shipped."""
    decision = decided(reviewer, PLACE.format(1), "https://t.me/room/1")
    unknown, telegram = decision.notices.order_by("from_directory")
    assert notices.message_of(unknown)["To"] == "abuse@photos.example"
    assert (telegram.channel, telegram.state) == (Channel.FORM, State.HELD)
    Receiver.objects.create(host="t.me", name="Here", email="a@t.me", source="test")
    assert directory.answering_for("t.me").name == "Here"


def test_every_row_that_is_shipped_has_a_source_and_a_way() -> None:
    """Nothing is invented: who has no page it was read on is not there."""
    for row in directory.everybody():
        assert row.source.startswith("https://"), row
        assert row.dated is not None, row
        assert row.email or row.form_url or row.haechi_url, row


# --- sent and proven ----------------------------------------------------------------------------


def test_delivery_is_proven_attempt_by_attempt(reviewer: User, post: Post) -> None:
    """Each attempt is a row with the answer; both sent the same bytes under one Message-ID (B21)."""
    notice = decided(reviewer, PLACE.format(1)).notices.get()
    seen: list[bytes] = []
    said = iter(["451 4.3.0 later", "250 2.0.0 queued"])

    def say(mail: Envelope) -> str:
        assert isinstance(mail.content, bytes)
        seen.append(mail.content)
        return next(said)

    post.say = say
    with pytest.raises(DeliveryFailed):
        sent(notice)
    notice.refresh_from_db()
    sent(notice, now=SOON)
    assert [(each.heard, each.code) for each in notice.tries.all()] == [
        (Heard.LATER, "451"),
        (Heard.TAKEN, "250 2.0.0"),
    ]
    assert notices.opened_text(notice, notice.tries.last().said).startswith("250 2.0.0 queued")
    assert seen[0] == seen[1]
    assert parsed(post)["Message-ID"] == f"<{notice.pk}@haechi.example>"
    assert (notice.state, notice.sent_at) == (State.SENT, SOON)
    sent(notice, now=SOON)
    assert len(post.mails) == 1


def test_the_envelope_has_an_address_of_its_own(reviewer: User, post: Post) -> None:
    """VERP: where bounces go, and where answers are asked to go; only we can make one."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    address = post.mails[0].mail_from
    assert address == parsed(post)["Reply-To"] == own_address(notice.pk)
    assert notices_in(f"X <{address.upper()}>") == [notice.pk]
    forged = address[:-20].replace(address[-25:-20], "aaaaa") + address[-20:]
    assert notices_in(forged) == []
    assert len(address.partition("@")[0]) <= 64


def test_a_refusal_for_good_is_a_dead_letter_and_is_replayed_by_a_person(
    reviewer: User, post: Post
) -> None:
    """B21: nothing is dropped; the chain goes on at once, and a person may send it once more."""
    notice = decided(reviewer, PLACE.format(1)).notices.get()
    post.say = lambda _mail: "550 5.1.1 no such mailbox"
    sent(notice)
    assert (notice.state, notice.last_error) == (State.REFUSED, "550 5.1.1")
    assert (notice.next_act, notice.next_at) == ("escalate", NOON)
    post.say = lambda _mail: "250 2.0.0 ok"
    assert flow.replay_notice(notice, actor=reviewer, now=SOON)
    notice.refresh_from_db()
    assert sent(notice, now=SOON).state == State.SENT
    assert not flow.replay_notice(notice, actor=reviewer, now=SOON)


def test_a_kill_between_acceptance_and_commit_sends_the_same_mail_again(
    reviewer: User, post: Post
) -> None:
    """What is promised of e-mail: at least once, under one Message-ID, and the gap is visible."""
    notice = decided(reviewer, PLACE.format(1)).notices.get()
    with (
        patch.object(sending, "_taken", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        sent(notice)
    notice.refresh_from_db()
    assert (notice.state, notice.tries.get().heard) == (State.QUEUED, Heard.BEGUN)
    sent(notice, now=SOON)
    first, second = (mail.content for mail in post.mails)
    assert first == second
    assert [each.heard for each in notice.tries.all()] == [Heard.BEGUN, Heard.TAKEN]


def test_a_mail_is_signed_where_there_is_a_key(reviewer: User, post: Post, tmp_path: Path) -> None:
    """DKIM (RFC 6376), checked as a receiver checks it."""
    key = rsa.generate_private_key(65537, 2048)
    file = tmp_path / "dkim.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    notice = decided(reviewer, PLACE.format(1)).notices.get()
    with override_settings(HAECHI=replace(django_settings.HAECHI, dkim_key_file=file)):
        sent(notice)
    content = post.mails[0].content
    assert isinstance(content, bytes)
    names: list[bytes] = []

    def look_up(name: bytes, **_told: object) -> bytes:
        names.append(name)
        return record

    assert dkim.verify(content, dnsfunc=look_up)
    assert names[0].startswith(b"haechi._domainkey.haechi.example")


def test_another_haechi_gets_a_signed_document_and_acts_once(
    reviewer: User, cat: bytes, web: Web
) -> None:
    """B21: a second attempt is the same document under the same id; 503 is later, 403 is for good."""
    haechi_receiver(web)
    notice = decided(reviewer, PLACE.format(1)).notices.get()
    web.status = 503
    with pytest.raises(DeliveryFailed):
        sent(notice)
    web.status = 202
    notice.refresh_from_db()
    sent(notice, now=SOON)
    (path, _headers, first), (_path, headers, second) = web.asked
    assert (path, first) == (wire.PATH, second)
    read = wire.accept(audit.signing_key().public_key(), headers, second, now=SOON)
    assert (read["id"], read["items"][0]["url"]) == (str(notice.pk), PLACE.format(1))
    assert (notice.state, notice.answer) == (State.SENT, "202")
    other = notices.draft(
        notice.decision,
        directory.answering_for("photos.example"),
        [(notice.decision.case.report.locations.get(), PLACE.format(1))],
        now=SOON,
    )
    assert other is not None
    web.status = 403
    assert sent(other).state == State.REFUSED


# --- taken back ---------------------------------------------------------------------------------


def test_a_withdrawal_in_the_middle_of_a_batch_stops_what_is_left(
    reviewer: User, post: Post
) -> None:
    """The first mail is gone; the second is at the server already, one line before its text."""
    decision = decided(reviewer, PLACE.format(1), "https://other.example/x")
    report = decision.case.report
    first, second = decision.notices.order_by("created_at", "pk")
    sent(first)

    def taken_back() -> None:
        type(report).objects.filter(pk=report.pk).update(state=ReportState.WITHDRAWN)

    real = sending._wanted
    calls: list[int] = []

    def wanted(notice: Notice) -> object:
        calls.append(1)
        if len(calls) == 2:
            taken_back()
        return real(notice)

    with patch.object(sending, "_wanted", wanted):
        sent(second)
    assert len(post.mails) == 1
    assert (second.state, second.sent_at) == (State.QUEUED, None)
    sent(second, now=SOON)
    assert len(post.mails) == 1
    assert notices.withdraw(decision.case, now=SOON) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (State.SENT, State.WITHDRAWN)
    assert (first.next_at, second.next_at) == (None, None)


# --- what comes back ----------------------------------------------------------------------------


def test_an_answer_is_threaded_and_stops_the_chase(reviewer: User, post: Post) -> None:
    """By the notice's own address; the same mail twice is one reply; a person reads it."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    assert notice.runs
    raw = answer(notice, "We took it down.")
    reply = flow.take_reply(raw, now=SOON)
    assert flow.take_reply(raw, now=SOON) == reply
    assert reply is not None
    assert (reply.kind, reply.matched, replies.text_of(reply).strip()) == (
        ReplyKind.ANSWER,
        "address",
        "We took it down.",
    )
    notice.refresh_from_db()
    assert (notice.answered_at, notice.next_at) == (SOON, None)
    assert b"took it down" not in bytes(reply.sealed)
    notices.read_answer(notice, {1: Outcome.REMOVED}, actor="staff:1", now=SOON)
    notice.refresh_from_db()
    assert notice.settled_at == SOON
    assert notice.items.get().outcome == Outcome.REMOVED


def test_an_answer_without_the_address_is_found_by_its_thread(reviewer: User, post: Post) -> None:
    """In-Reply-To names the Message-ID of the notice; what names none of ours is none of ours."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    raw = answer(notice, "Gone.", In_Reply_To=f"<{notice.pk}@haechi.example>")
    bare = raw.replace(own_address(notice.pk).encode(), b"notices@haechi.example")
    reply = flow.take_reply(bare, now=SOON)
    assert reply is not None
    assert reply.matched == "thread"
    assert flow.take_reply(bare.replace(b"haechi.example", b"else.example"), now=SOON) is None
    assert (
        flow.take_reply(bare.replace(str(notice.pk).encode(), str(UUID(int=7)).encode()), now=SOON)
        is None
    )


@pytest.mark.parametrize(
    "header",
    [{"Auto_Submitted": "auto-replied"}, {"Precedence": "auto_reply"}, {"X_Autoreply": "yes"}],
)
def test_an_automatic_reply_is_kept_and_changes_nothing(
    reviewer: User, post: Post, header: dict[str, str]
) -> None:
    """RFC 3834 and its forerunners: a ticket number is no answer, so silence still counts."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    before = notice.next_at
    reply = flow.take_reply(answer(notice, "Ticket 7", **header), now=SOON)
    assert reply is not None
    assert reply.kind == ReplyKind.AUTOMATIC
    notice.refresh_from_db()
    assert (notice.answered_at, notice.next_at) == (None, before)


def test_a_bounce_is_understood_and_the_next_is_asked(reviewer: User, post: Post) -> None:
    """RFC 3464: failed comes back, delayed is only known."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    late = flow.take_reply(bounce(notice, "delayed"), now=SOON)
    assert late is not None
    assert late.kind == ReplyKind.DELAYED
    notice.refresh_from_db()
    assert notice.state == State.SENT
    flow.take_reply(bounce(notice), now=SOON)
    notice.refresh_from_db()
    assert (notice.state, notice.next_at, notice.next_act) == (State.BOUNCED, SOON, "escalate")


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe", b"To: " + b"a" * 100_000, b"Content-Type: multipart/mixed; boundary=x\n\n--x",
     b"Content-Type: text/plain; charset=no-such\n\nx", b"In-Reply-To: <" + b"<" * 5_000],
)  # fmt: skip
def test_hostile_mail_is_nobodys_answer(raw: bytes) -> None:
    """Whatever it holds, it is read to its end and threaded to nothing."""
    assert flow.take_reply(raw, now=SOON) is None
    assert replies.kind_of(raw) == ReplyKind.ANSWER


def test_another_haechi_answers_item_by_item(reviewer: User, web: Web) -> None:
    """Receipt with a number, then outcomes; signed by whom we asked, or refused; twice is once."""
    haechi_receiver(web)
    decision = decided(reviewer, PLACE.format(1), PLACE.format(2))
    notice = sent(decision.notices.get())

    def said(
        kind: str, number: int, key: Ed25519PrivateKey, **more: object
    ) -> tuple[dict[str, str], bytes]:
        body = wire.to_bytes(
            wire.document(
                kind,
                document_id=UUID(int=number),
                sender={
                    "name": "Photos",
                    "address": web.url,
                    "key": wire.key_text(key.public_key()),
                },
                receiver="us",
                receiver_address=None,
                issued_at=SOON,
                facts={},
                in_reply_to=notice.pk,
                **({"items": []} | more),  # type: ignore[arg-type]
            )
        )
        return wire.sign(key, body, document_id=str(UUID(int=number)), at=SOON), body

    receipt = said("receipt", 1, THEIR_KEY, reference="P-77")
    flow.take_document(*receipt, now=SOON)
    notice.refresh_from_db()
    assert (notices.reference_of(notice), notice.answered_at) == ("P-77", None)
    outcomes = [{"number": 1, "outcome": "removed"}, {"number": 2, "outcome": "kept"}]
    stranger = said("answer", 2, Ed25519PrivateKey.generate(), items=outcomes)
    with pytest.raises(WebhookForged):
        flow.take_document(*stranger, now=SOON)
    told = said("answer", 3, THEIR_KEY, items=outcomes)
    assert flow.take_document(*told, now=SOON) == flow.take_document(*told, now=SOON)
    assert [item.outcome for item in notice.items.all()] == ["removed", "kept"]
    assert Reply.objects.count() == 2
    notice.refresh_from_db()
    assert (notice.settled_at, notice.answered_at) == (None, SOON)


# --- chased -------------------------------------------------------------------------------------


def passing(notice: Notice) -> datetime:
    """The moment at which the silence about a notice counts."""
    notice.refresh_from_db()
    assert notice.next_at is not None
    return notice.next_at


def test_silence_is_chased_along_the_chain_and_each_step_is_one_notice(
    reviewer: User, post: Post
) -> None:
    """Reminder, then the hosting company, then a search engine by hand; nothing twice (B21)."""
    Receiver.objects.create(
        host="photos.example",
        step=Step.HOST,
        name="Hoster",
        email="abuse@hoster.example",
        source="t",
    )
    decision = decided(reviewer, PLACE.format(1))
    first = sent(decision.notices.get())
    at = passing(first)
    assert not list(chase.due(at - timedelta(seconds=1)))
    [due] = chase.due(at)
    [reminder] = flow.noticing.follow(due, actor="worker", now=at)
    assert flow.noticing.follow(due, actor="worker", now=at) == []
    assert not list(chase.due(at))
    sent(reminder, now=at)
    assert parsed(post)["In-Reply-To"] == f"<{first.pk}@haechi.example>"
    assert (reminder.kind, reminder.step) == (Kind.REMINDER, Step.PLATFORM)
    at = passing(reminder)
    [to_host] = flow.noticing.follow(chase.due(at)[0], actor="worker", now=at)
    sent(to_host, now=at)
    assert (to_host.step, post.mails[-1].rcpt_tos) == (Step.HOST, ["abuse@hoster.example"])
    at = passing(to_host)
    [search] = flow.noticing.follow(chase.due(at)[0], actor="worker", now=at)
    assert (search.step, search.state, search.channel) == (Step.SEARCH, State.HELD, Channel.FORM)
    assert notices.record_sent(search, "G-1", actor="staff:1", now=at)
    assert not notices.record_sent(search, "G-1", actor="staff:1", now=at)
    search.refresh_from_db()
    assert (search.state, notices.reference_of(search)) == (State.SENT, "G-1")
    assert len(post.mails) == 3


def test_what_is_down_is_asked_of_nobody_else(reviewer: User, post: Post) -> None:
    """Of two places one was taken down: the reminder names the other alone."""
    decision = decided(reviewer, PLACE.format(1), PLACE.format(2))
    notice = sent(decision.notices.get())
    notices.mark(notice, {1: Outcome.REMOVED}, actor="worker", by="receiver", now=SOON)
    at = passing(notice)
    [reminder] = flow.noticing.follow(chase.due(at)[0], actor="worker", now=at)
    assert [item.number for item in reminder.items.all()] == [2]


def test_a_person_stops_or_hurries_the_chase(reviewer: User, post: Post) -> None:
    """Stopped, silence has no consequence; hurried, it has one now, also after an answer."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    assert notices.stop(notice, actor="staff:1", now=SOON)
    notice.refresh_from_db()
    assert not notice.runs
    flow.take_reply(answer(notice, "We leave it up."), now=SOON)
    [search] = flow.hurry_notice(notice, actor=reviewer, now=SOON)
    assert search.step == Step.SEARCH
    assert "notice:hurried" in Entry.objects.values_list("tag", flat=True)


def test_nobody_is_chased_for_a_report_that_was_taken_back(reviewer: User, post: Post) -> None:
    """Also before the worker has wound it down."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    at = passing(notice)
    report = notice.decision.case.report
    type(report).objects.filter(pk=report.pk).update(state=ReportState.WITHDRAWN)
    assert not list(chase.due(at))


def test_the_end_of_the_chain_is_said(reviewer: User, post: Post) -> None:
    """Where nobody is left to ask there is an entry, and nothing runs."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    Notice.objects.filter(pk=notice.pk).update(step=Step.REGULATOR, next_act="escalate")
    notice.refresh_from_db()
    assert flow.hurry_notice(notice, actor=reviewer, now=SOON) == []
    assert "notice:chain_ended" in Entry.objects.values_list("tag", flat=True)


def test_a_counter_notice_is_drafted_and_waits(reviewer: User, post: Post) -> None:
    """After a won appeal; a person sends it."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    undo = notices.counter(notice, now=SOON)
    assert undo is not None
    assert (undo.kind, undo.state, undo.parent) == (Kind.COUNTER, State.HELD, notice)


# --- who answers: RDAP --------------------------------------------------------------------------


def test_rdap_is_asked_only_where_it_is_set(web: Web) -> None:
    """The registrar's abuse mailbox, at whatever depth; a server that tells none gives none."""
    card = ["vcard", [["version", {}, "text", "4.0"], ["email", {}, "text", "Abuse@Reg.example"]]]
    web.answers["/domain/photos.example"] = {
        "entities": [
            {"roles": ["registrar"], "entities": [{"roles": ["abuse"], "vcardArray": card}]}
        ]
    }
    [found] = rdap.ask(Step.REGISTRAR, "cdn.photos.example", base_url=web.url)
    assert (found.email, found.step) == ("abuse@reg.example", Step.REGISTRAR)
    assert rdap.ask(Step.REGISTRAR, "photos.example", base_url="") == []
    assert rdap.ask(Step.REGISTRAR, "other.example", base_url=web.url) == []
    assert rdap.ask(Step.SEARCH, "photos.example", base_url=web.url) == []


@pytest.mark.parametrize(
    "told",
    [[], {"entities": 7}, {"entities": [None]}, {"entities": [{"roles": ["abuse"], "vcardArray": 3}]},
     {"entities": [{"roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", "a b@c"]]]}]}],
)  # fmt: skip
def test_hostile_rdap_gives_nobody(web: Web, told: object) -> None:
    """Whatever a server answers, no mailbox is made up."""
    web.answers["/domain/photos.example"] = told
    assert rdap.ask(Step.REGISTRAR, "photos.example", base_url=web.url) == []


def test_an_attempt_keeps_a_digest_of_what_was_sent(reviewer: User, post: Post) -> None:
    """Who has the mail can prove that it is the one."""
    notice = sent(decided(reviewer, PLACE.format(1)).notices.get())
    content = post.mails[0].content
    assert isinstance(content, bytes)
    _letter, data = sending.prepared(notice)
    assert data.rstrip(b"\r\n") == content.rstrip(b"\r\n")
    assert bytes(Attempt.objects.get().digest).hex() == hashlib.sha256(data).hexdigest()
