"""Notices that come in: who sent them, what they name, one case each, answered item by item."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from tests.conftest import NOON
from tests.flow.conftest import host, playing, submit
from tests.flow.letters import dns, mail, signed, silent

from haechi.errors import IncomingUnknown, SenderUnclear
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import claims
from haechi.server.cases import services as cases
from haechi.server.cases.models import Case, Clock, Ground, Verdict
from haechi.server.flow import receiving, replying
from haechi.server.matching.models import Platform
from haechi.server.notices import replies
from haechi.server.notices.incoming import answers
from haechi.server.notices.incoming import services as incoming
from haechi.server.notices.incoming_models import (
    Incoming,
    IncomingAnswer,
    NoticeSender,
    Proof,
    SenderEvent,
    SenderKind,
    Stage,
    Way,
)
from haechi.server.notices.own_address import own_address
from haechi.server.reports import services as reports
from haechi.server.reports.models import ErasureReason, Report
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db

OURS = dns("regulator.example", "person.example")
TEXT = "Please remove:\n\nhttps://board.example/post/1\nhxxps://photos[.]example/a/2\n"


@pytest.fixture
def regulator(db: None) -> NoticeSender:
    """An authority whose domain and own mailbox we know."""
    return NoticeSender.objects.create(
        name="The Regulator",
        kind=SenderKind.REGULATOR,
        event=SenderEvent.ORDER,
        mail_domain="regulator.example",
        address="regulator@haechi.example",
        within_h=24,
        created_at=NOON,
    )


def come_in(raw: bytes, *, resolve: Any = OURS, now: Any = NOON, last_try: bool = True) -> Incoming:
    """A mail arrives at the mailbox and is read by the worker."""
    with playing("mail"):
        number = receiving.accept(raw, Way.MAIL, raw, now=now)
    with playing("worker"):
        receiving.take(number, last_try=last_try, now=now, resolve=resolve)
    return Incoming.objects.get(pk=number)


def sent(answer: IncomingAnswer) -> Any:
    """A mail we wrote, as its reader sees it."""
    _to, body = answers._opened(answer)
    return message_from_bytes(body, policy=policy.default)


def test_a_proven_order_is_one_case_with_the_clocks_of_an_order(
    regulator: NoticeSender, board: Platform, astronaut: bytes
) -> None:
    """25 items are one case; clocks run from the moment the mail arrived."""
    places = "\n".join(f"https://photos.example/a/{number}" for number in range(25))
    row = come_in(signed(mail(places)), now=NOON)
    assert (row.stage, row.proof, row.sender) == (Stage.TAKEN, Proof.DKIM, regulator)
    case = Case.objects.get()
    assert case.report_id == row.pk
    assert row.items.count() == case.report.locations.count() == 25
    clocks = {clock.rule: clock for clock in case.clocks.all()}
    assert "au_ibia_removal" not in clocks, "no jurisdiction of ours"
    assert clocks["promise"].due_at == NOON + timedelta(hours=24)
    assert {"eu_dir1385_art23"} & set(clocks) or Clock.objects.filter(started_at=NOON).exists()
    [receipt] = row.answers.all()
    assert sent(receipt)["To"] == "desk@regulator.example"
    assert row.short in sent(receipt)["Subject"]
    assert audit.verify() == Entry.objects.count()


def test_free_text_becomes_items_and_links_made_harmless_are_read(
    regulator: NoticeSender, board: Platform, astronaut: bytes
) -> None:
    """Items are matched with what our platforms host, by the keyed digest of the address."""
    hosted = host(board, astronaut)
    row = come_in(signed(mail(TEXT)))
    assert list(reports.addresses_of(row.report).values()) == [
        "https://board.example/post/1",
        "https://photos.example/a/2",
    ]
    flow.examine(row.report, last_try=True)
    assert [hit.hosted for hit in row.report.hits.all()] == [hosted]
    assert reports.story_of(row.report).told.startswith("Please remove")
    assert row.report.id == row.id


@pytest.mark.parametrize(
    ("raw", "proof"),
    [
        (bytes(mail(TEXT)), Proof.NONE),
        (signed(mail(TEXT), b"elsewhere.example"), Proof.BAD),
        (signed(mail(TEXT), b"person.example"), Proof.NONE),
        (signed(mail(TEXT)).replace(b"post/1", b"post/2"), Proof.BAD),
        (signed(mail(TEXT)) + b"and one more\r\n", Proof.BAD),
        (b"From: desk@regulator.example\r\n" + signed(mail(TEXT)), Proof.NONE),
    ],
)
def test_who_is_not_proven_is_never_an_authority(
    regulator: NoticeSender, raw: bytes, proof: Proof
) -> None:
    """Not by the name, not by the mailbox, not by another's signature; and gets no answer."""
    to = b"Delivered-To: regulator@haechi.example\r\n"
    row = come_in(to + raw)
    assert row.sender is None
    assert row.proof == proof
    assert row.claimed == regulator
    assert row.stage == Stage.TAKEN, "it is a notice all the same"
    assert not Clock.objects.filter(rule="promise").exists()
    assert row.answers.count() == 0
    assert IncomingAnswer.objects.count() == 0


def test_a_signature_that_cannot_be_checked_now_is_tried_again(regulator: NoticeSender) -> None:
    """DNS away: the notice waits a little, and is taken as a stranger's in the end."""
    raw = signed(mail(TEXT))
    with pytest.raises(SenderUnclear):
        come_in(raw, resolve=silent, last_try=False)
    row = Incoming.objects.get()
    assert row.stage == Stage.RECEIVED
    receiving.take(row.pk, last_try=True, now=NOON, resolve=silent)
    row.refresh_from_db()
    assert (row.stage, row.proof, row.sender) == (Stage.TAKEN, Proof.UNCLEAR, None)


def test_a_relay_is_believed_only_by_its_name(regulator: NoticeSender) -> None:
    """RFC 8601: results of another name were written by whoever sent the mail."""
    told = replace(django_settings.HAECHI, mail_relay="mx.haechi.example")
    good = "mx.haechi.example; dkim=pass header.d=regulator.example; spf=none"
    forged = "mx.elsewhere.example; dkim=pass header.d=regulator.example"
    with override_settings(HAECHI=told):
        rows = [
            come_in(bytes(mail(TEXT, Authentication_Results=said, message_id=f"<{number}@x>")))
            for number, said in enumerate((good, forged, good.replace("d=reg", "d=not-reg")))
        ]
    assert [row.proof for row in rows] == [Proof.RELAY, Proof.NONE, Proof.NONE]
    assert [row.sender for row in rows] == [regulator, None, None]


def test_the_same_again_is_one_case(regulator: NoticeSender) -> None:
    """Same message, or same items in another message; another sender's are their own case."""
    first = come_in(signed(mail(TEXT)))
    again = come_in(b"X-Again: 1\r\n" + signed(mail(TEXT)))
    other = come_in(signed(mail(TEXT, message_id="<two@regulator.example>")))
    for row in (again, other):
        assert (row.stage, row.same_as) == (Stage.FOLDED, first)
        assert b"post/1" in incoming.raw_of(row)
        assert first.short in sent(row.answers.get())["Subject"], "the number of the first"
    stranger = come_in(bytes(mail(TEXT)))
    assert stranger.stage == Stage.TAKEN
    assert Case.objects.count() == 2
    receiving.take(first.pk, last_try=True, now=NOON, resolve=OURS)
    assert Case.objects.count() == 2, "a job that runs twice"


def test_what_no_machine_understands_goes_before_a_person(
    regulator: NoticeSender, reviewer: User
) -> None:
    row = come_in(signed(mail("It is in the chat of class 2b. Please help.")))
    assert row.stage == Stage.WAITING
    assert list(incoming.waiting()) == [row]
    assert row.answers.count() == 1, "with a number all the same"
    case = flow.open_by_hand(row, ["chat of class 2b"], actor=reviewer, now=NOON)
    row.refresh_from_db()
    assert (row.stage, row.report) == (Stage.TAKEN, case.report)
    assert case.report.locations.count() == 1
    with pytest.raises(IncomingUnknown):
        flow.open_by_hand(row, [], actor=reviewer, now=NOON)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Id": "<list.person.example>"},
        {"sender": "no-reply@person.example"},
        {"sender": "mailer-daemon@person.example"},
        {"Return_Path": "<>"},
    ],
)
def test_no_machine_is_answered(db: None, headers: dict[str, str]) -> None:
    """RFC 3834: or two machines answer each other for ever."""
    made = mail(TEXT, **{"sender": "a@person.example"} | headers)
    row = come_in(signed(made, b"person.example"))
    assert row.proof == Proof.DKIM
    assert row.answers.count() == 0


def test_a_person_gets_a_receipt_and_not_a_hundred(db: None) -> None:
    """Proven by their own domain, in their language; three a day at most."""
    rows = [
        come_in(
            signed(
                mail(
                    f"삭제해 주세요\nhttps://photos.example/a/{number}",
                    sender="김 <a@person.example>",
                    message_id=f"<{number}@person.example>",
                ),
                b"person.example",
            )
        )
        for number in range(5)
    ]
    assert [row.answers.count() for row in rows] == [1, 1, 1, 0, 0]
    receipt = sent(rows[0].answers.get())
    assert (receipt["To"], receipt["In-Reply-To"]) == ("a@person.example", "<0@person.example>")
    assert receipt["Auto-Submitted"] == "auto-replied"
    assert "삭제 요청" in receipt["Subject"]
    later = come_in(
        signed(mail(TEXT, sender="a@person.example"), b"person.example"),
        now=NOON + timedelta(days=1),
    )
    assert later.answers.count() == 1
    assert all(row.sender is None for row in rows)


def decided(row: Incoming, reviewer: User, verdict: Verdict = Verdict.REMOVE) -> Case:
    """Somebody decides the case of a notice, with all that the report met."""
    flow.examine(row.report, last_try=True)
    case = Case.objects.get(report=row.report)
    claims.claim(case, reviewer, now=NOON)
    remove = [hit.hosted for hit in row.report.hits.all() if hit.hosted]
    ground = Ground.DEEPFAKE if verdict == Verdict.REMOVE else Ground.NONE
    flow.decide(case, verdict, ground, reason="Seen.", remove=remove, actor=reviewer, now=NOON)
    return case


def test_the_sender_is_told_item_by_item_when_decided_and_when_confirmed(
    regulator: NoticeSender, board: Platform, reviewer: User, astronaut: bytes, cat: bytes
) -> None:
    """A mail with a table, and nothing is said twice."""
    host(board, astronaut)
    host(board, cat, url="https://board.example/post/3", content_id="3")
    row = come_in(signed(mail(f"{TEXT}\nhttps://board.example/post/3\nhttps://board.example/no/4")))
    case = decided(row, reviewer)
    assert replying.unanswered() == [row.pk]
    first = flow.answer_notice(row.pk, now=NOON)
    assert first is not None
    states = dict(row.items.values_list("number", "outcome"))
    assert states == {1: "", 2: "referred", 3: "", 4: "not_found"}
    assert flow.answer_notice(row.pk, now=NOON + timedelta(minutes=1)) is None
    assert replying.unanswered() == [row.pk], "platforms have not answered"
    later = NOON + timedelta(minutes=2)
    for action in case.decision.actions.all():
        cases.confirm_action(action, now=later)
    second = flow.answer_notice(row.pk, now=later)
    assert second is not None
    states = dict(row.items.values_list("number", "outcome"))
    assert states == {1: "removed", 2: "referred", 3: "removed", 4: "not_found"}
    assert (first.items, second.items) == (2, 2)
    assert replying.unanswered() == []
    told = sent(second)
    [table] = list(told.iter_attachments())
    lines = table.get_content().splitlines()
    assert lines[1] == "1,https://board.example/post/1,removed,removed"
    assert len(lines) == 3
    assert "1. removed" in told.get_body().get_content()
    assert audit.verify() == Entry.objects.count()


def test_ten_thousand_items_are_one_case(regulator: NoticeSender) -> None:
    places = "\n".join(f"https://photos.example/a/{number}" for number in range(10_000))
    row = come_in(signed(mail(places)))
    assert row.items.count() == 10_000
    assert Report.objects.count() == Case.objects.count() == 1


def test_erasing_the_report_erases_the_notice(regulator: NoticeSender) -> None:
    """B32: what arrived, its items and what was answered go with the keys."""
    row = come_in(signed(mail(TEXT)))
    again = come_in(signed(mail(TEXT, message_id="<two@regulator.example>")))
    flow.erase(row.report, actor="reporter", reason=ErasureReason.ASKED, now=NOON)
    with playing("worker"):
        flow.finish_erasure(str(row.pk))
    assert not Incoming.objects.filter(pk__in=(row.pk, again.pk)).exists()
    assert IncomingAnswer.objects.count() == 0


def test_a_mail_that_answers_a_notice_of_ours_is_threaded_to_it(reviewer: User) -> None:
    """It makes no case and is kept once, sealed to the report whose notice it answers."""
    report, _code = submit(places=("https://photos.example/a/1",))
    flow.examine(report, last_try=True)
    decision = flow.decide(
        report.case,
        Verdict.REMOVE,
        Ground.DEEPFAKE,
        reason="She.",
        remove=[],
        actor=reviewer,
        now=NOON,
    )
    notice = decision.notices.get()
    raw = (
        f"From: abuse@photos.example\r\nTo: {own_address(notice.pk)}\r\n\r\nIt is down.\r\n"
    ).encode()
    row = come_in(raw)
    assert (row.stage, row.report, bytes(row.raw)) == (Stage.REPLY, None, b"")
    reply = notice.replies.get()
    assert replies.text_of(reply).strip() == "It is down."
    assert Case.objects.count() == 1
