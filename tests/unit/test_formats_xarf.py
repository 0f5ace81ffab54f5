"""Takedown notices: XARF documents and the e-mails that carry them."""

import email
import email.policy
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
import xarf as library
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.errors import InvalidDocument
from haechi.formats import xarf

REPORT = UUID("0190a6a1-1111-7222-8333-444455556666")
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DESK: xarf.Contact = {
    "org": "Haechi 데스크",
    "contact": "abuse@desk.example",
    "domain": "desk.example",
}
URL = "https://host.example/post/1?size=full"
DIGEST = "0f" * 32
MAIL: dict[str, Any] = {
    "sender": "notices@desk.example",
    "recipient": "abuse@host.example",
    "subject": "삭제 요청: 합성 이미지",
    "words": "이 주소의 사진은 당사자 동의 없이 만들어졌습니다.\nPlease remove it.\n",
    "at": AT,
}


def notice(url: str = URL, **changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "host_domain": "host.example",
        "report_id": REPORT,
        "at": AT,
        "reporter": DESK,
        "sender": DESK,
        "minor": False,
        "description": "합성된 사적 이미지, 당사자 동의 없음.",
        "sha256": [DIGEST],
    }
    return xarf.notice(url, **(arguments | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"synthetic": False},
        {"minor": True},
        {"minor": True, "classification": "B1"},
        {"minor": True, "classification": "baseline", "sha256": []},
        {"exposure": "forum_post", "sha256": [DIGEST, "00" * 32]},
    ],
)
def test_every_notice_passes_the_library_with_only_our_own_field_unknown(
    changes: dict[str, Any],
) -> None:
    result = library.parse(json.dumps(notice(**changes)))
    assert result.errors == []
    assert result.report is not None
    assert {warning.field for warning in result.warnings} == {"ncii"}


def test_an_adult_is_exposed_data_with_tags() -> None:
    document = notice()
    assert (document["category"], document["type"]) == ("content", "exposed_data")
    assert document["tags"] == ["ncii:deepfake"]
    assert document["ncii"] == {"synthetic": True, "minor": False, "sha256": [DIGEST]}
    assert document["url"] == URL
    assert document["timestamp"] == "2026-11-22T12:00:00Z"
    assert document["report_id"] == str(REPORT)
    assert notice(synthetic=False)["tags"] == ["ncii:image"]


def test_a_minor_is_csam_only_when_a_person_classified_it() -> None:
    open_case = notice(minor=True)
    assert open_case["type"] == "exposed_data"
    assert open_case["tags"] == ["ncii:deepfake", "ncii:minor"]
    assert "classification" not in open_case
    classified = notice(minor=True, classification="A2")
    assert (classified["type"], classified["classification"]) == ("csam", "A2")
    assert classified["detection_method"] == "manual_review"
    assert classified["hash_values"] == {"sha256": DIGEST}
    with pytest.raises(InvalidDocument):
        notice(minor=False, classification="A2")


def test_no_notice_can_carry_a_picture() -> None:
    for changes in ({}, {"minor": True}, {"minor": True, "classification": "A1"}):
        assert not {"evidence", "screenshot_url", "thumbnail"} & set(notice(**changes))
    evidence = library.create_evidence("image/png", b"\x89PNG").model_dump(exclude_none=True)
    document = notice() | {"evidence": [evidence]}
    xarf.validate(document)
    with pytest.raises(InvalidDocument, match="picture"):
        xarf.email(document, **MAIL)
    with pytest.raises(InvalidDocument, match="picture"):
        xarf.email(notice() | {"screenshot_url": URL}, **MAIL)


def test_a_time_in_another_zone_is_told_in_utc() -> None:
    seoul = timezone(timedelta(hours=9))
    assert notice(at=AT.astimezone(seoul))["timestamp"] == "2026-11-22T12:00:00Z"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("https://host.example/그림/1", "https://host.example/%EA%B7%B8%EB%A6%BC/1"),
        ("https://host.example/%EA%B7%B8?q=a%20b#c", "https://host.example/%EA%B7%B8?q=a%20b#c"),
        ("http://한국.example/a", "http://xn--3e0b707e.example/a"),
        ("http://straße.example/a", "http://xn--strae-oqa.example/a"),
        ("http://host.example./a", "http://host.example/a"),
        ("HTTP://HOST.example:8413/a?b=%7E~", "http://host.example:8413/a?b=%7E~"),
        ("http://127.0.0.1:8413/post/1", "http://127.0.0.1:8413/post/1"),
        ("https://host.example/my pictures/1", "https://host.example/my%20pictures/1"),
        ("http://[2001:db8::1]:80/a", "http://[2001:db8::1]:80/a"),
        ("https://host.example", "https://host.example"),
    ],
)
def test_a_web_address_is_written_in_ascii(given: str, written: str) -> None:
    assert notice(given)["url"] == written


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host.example/a",
        "javascript:alert(1)",
        "ftp://host.example/a",
        "https://",
        "https:///a",
        "https://user:pass@host.example/a",
        "https://ho st.example/a",
        "https://host.example/a\u2028b",
        "https://" + "한" * 70 + ".example/",
        "https://host.example/a\r\nBcc: x@y.example",
        "https://host.example:99999/a",
        "https://[::1/a",
        "https://host..example/a",
        "https://host.example../a",
        "https://./a",
        "https://" + "a" * 64 + ".example/",
        "https://ho<st.example/a",
        "https://host.example/" + "a" * 4100,
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidDocument, match="url"):
        notice(url)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("description", {"description": "x" * 1001}),
        ("timestamp", {"at": AT.replace(tzinfo=None)}),
        ("exposure_method", {"exposure": "rumour"}),
        ("sha256", {"sha256": [DIGEST.upper()]}),
        ("sha256", {"sha256": ["0f"]}),
        ("classification", {"minor": True, "classification": "C9"}),
        ("host_domain", {"host_domain": "host.example\nx"}),
        ("host_domain", {"host_domain": ""}),
        ("reporter.domain", {"reporter": DESK | {"domain": "no domain"}}),
        ("sender.domain", {"sender": DESK | {"domain": "desk.example>\r\nBcc: x"}}),
        ("sender.contact", {"sender": DESK | {"contact": "a@b.example\nBcc: x@y.example"}}),
        ("sender.org", {"sender": DESK | {"org": "Desk\r\nBcc: x"}}),
        ("reporter", {"reporter": {"org": "x", "contact": "a@b.example"}}),
        ("reporter", {"reporter": DESK | {"type": "person"}}),
    ],
)
def test_what_does_not_fit_is_refused_and_named(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument, match=field.rpartition(".")[2]):
        notice(**changes)


@pytest.mark.parametrize("host", ["xn--3e0b707e.example", "127.0.0.1", "2001:db8::1", "localhost"])
def test_a_host_that_the_schema_has_no_pattern_for_is_still_named(host: str) -> None:
    document = notice(host_domain=host)
    assert document["source_identifier"] == host
    assert "domain" not in document


def test_a_document_of_somebody_else_may_say_more() -> None:
    xarf.validate(notice() | {"confidence": 0.5, "their_case": 7})


@pytest.mark.parametrize(
    "change",
    [
        {"xarf_version": "3.0"},
        {"confidence": 1.5},
        {"category": "unknown"},
        {"xarf_version": None},
        {"report_id": "not a uuid"},
        {"report_id": str(REPORT)[:-1] + "\n"},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-11-22T12:00:00"},
        {"category": "content", "type": "ncii"},
        {"type": ["exposed_data"]},
        {"tags": ["NCII:Deepfake"]},
        {"url": "no address"},
        {"reporter": None},
        {"Version": "3", "ReporterInfo": {}, "Report": {}, "xarf_version": "3"},
    ],
)
def test_a_damaged_document_is_invalid(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        xarf.validate(notice() | change)


def sent(document: dict[str, Any] | None = None, **changes: Any) -> bytes:
    return xarf.email(document or notice(), **(MAIL | changes)).as_bytes()


def test_the_email_is_a_report_of_three_parts() -> None:
    data = sent()
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert message.get_content_type() == "multipart/report"
    assert message["Content-Type"].params["report-type"] == "feedback-report"
    assert message["Message-ID"] == f"<{REPORT}@desk.example>"
    assert message["Subject"] == MAIL["subject"]
    assert message["Date"].datetime == AT
    words, feedback, attachment = message.iter_parts()
    assert words.get_content() == MAIL["words"].replace("\n", "\r\n")
    assert feedback.get_content_type() == "message/feedback-report"
    assert dict(feedback.get_payload(0).items()) == {
        "Feedback-Type": "xarf",
        "User-Agent": "Haechi/0.1",
        "Version": "1",
        "Reported-Domain": "host.example",
    }
    assert attachment.get_content_type() == "application/json"
    assert attachment.get_filename() == "xarf.json"
    assert attachment["Content-Type"].params["name"] == "xarf.json"
    assert attachment["Content-Disposition"].content_disposition == "attachment"
    assert attachment["Content-Transfer-Encoding"] == "base64"
    assert library.parse(attachment.get_content().decode()).errors == []
    assert data.isascii()
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    assert b"\n" not in data.replace(b"\r\n", b"")


def test_an_email_is_read_back() -> None:
    assert xarf.read_email(sent()) == notice()
    minor = notice(minor=True, classification="B2")
    assert xarf.read_email(sent(minor)) == minor


def test_a_relay_that_changes_line_ends_does_no_harm() -> None:
    assert xarf.read_email(sent().replace(b"\r\n", b"\n")) == notice()


@given(
    subject=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=120),
    words=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=300),
)
@settings(max_examples=30, deadline=None)
def test_any_language_comes_through(subject: str, words: str) -> None:
    data = sent(subject=subject, words=words)
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert message["Subject"] == subject
    read = next(message.iter_parts()).get_content().replace("\r\n", "\n")
    assert read.rstrip("\n") == words.rstrip("\n")
    assert xarf.read_email(data) == notice()


@pytest.mark.parametrize("field", ["sender", "recipient", "subject"])
@pytest.mark.parametrize(
    "tail",
    ["\r\nBcc: x@y.example", "\nX: 1", "\r", "\0", "\u2028Bcc: x@y.example", "\x0b", "\x85"],
)
def test_a_line_break_never_gets_into_a_header(field: str, tail: str) -> None:
    with pytest.raises(InvalidDocument, match=field):
        sent(**{field: MAIL[field] + tail})


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host.example",
        "a@host.example, b@host.example",
        "a@host.example b@host.example",
        "Desk <a@host.example>",
        "a@b@host.example",
        "데스크@host.example",
        "a@",
    ],
)
def test_there_is_one_receiver_and_no_other(address: str) -> None:
    with pytest.raises(InvalidDocument, match="recipient"):
        sent(recipient=address)


def test_a_receiver_and_a_host_may_be_named_in_their_own_script() -> None:
    document = notice("https://한국.example/1", host_domain="한국.example")
    assert document["source_identifier"] == "xn--3e0b707e.example"
    message = xarf.email(document, **(MAIL | {"recipient": "abuse@한국.example"}))
    assert message["To"] == "abuse@xn--3e0b707e.example"


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidDocument):
        sent(words="\ud800")
    with pytest.raises(InvalidDocument):
        sent(notice(description="\ud800"))


def test_a_mail_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidDocument):
        sent(at=AT.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"multipart/report", b"multipart/mixed"),
        (b"feedback-report", b"delivery-status"),
        (b"Feedback-Type: xarf", b"Feedback-Type: abuse"),
        (b"Feedback-Type: xarf\r\n", b""),
        (b"application/json", b"application/xml"),
        (b"Content-Type: text/plain", b"Content-Type: text/html"),
        (b"Content-Transfer-Encoding: base64\r\nContent-Disposition", b"Content-Disposition"),
    ],
)
def test_a_mail_that_is_no_such_report_is_refused(old: bytes, new: bytes) -> None:
    data = sent()
    assert old in data
    with pytest.raises(InvalidDocument):
        xarf.read_email(data.replace(old, new))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        "[" * 100_000,
        "{}",
        "1" * 5000,
        json.dumps(notice() | {"confidence": 0.5}).replace("0.5", "NaN"),
    ],
)
def test_an_attachment_that_is_no_document_is_refused(text: str) -> None:
    message = xarf.email(notice(), **MAIL)
    message.get_payload(2).set_content(text.encode(), "application", "json")  # type: ignore[union-attr]
    with pytest.raises(InvalidDocument):
        xarf.read_email(message.as_bytes())


@given(data=st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidDocument):
        xarf.read_email(data)


@given(at=st.integers(0, 10**5), length=st.integers(0, 40), new=st.binary(max_size=10))
@settings(max_examples=40, deadline=None)
def test_a_damaged_mail_is_read_or_refused_and_nothing_else(
    at: int, length: int, new: bytes
) -> None:
    data = sent()
    at %= len(data)
    try:
        xarf.validate(xarf.read_email(data[:at] + new + data[at + length :]))
    except InvalidDocument:
        return


def test_a_mail_that_is_too_long_is_not_even_parsed() -> None:
    with pytest.raises(InvalidDocument, match="too long"):
        xarf.read_email(bytes(32 * 1024 * 1024 + 1))
