"""Mails from anybody: opened within limits, whatever they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.formats import arf
from haechi.formats.letter import MOST_BOUNDARIES, Letter, open_letter
from haechi.server.notices.incoming import reading
from haechi.server.notices.incoming_models import Form

HEAD = b"From: a@b.example\r\nSubject: =?utf-8?B?7IKt7KCc?=\r\n"


def nested(depth: int) -> bytes:
    """Parts in parts."""
    opening = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(depth)
    )
    return HEAD + opening + b"Content-Type: text/plain\r\n\r\nhttps://deep.example/1\r\n"


HOSTILE = {
    "nested": nested(10_000),
    "nested without a word": HEAD
    + b"".join(
        b'Content-Type: multipart/mixed; Boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(300)
    ),
    "messages in messages": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
    "a giant header": b"X: " + b"a" * 10_000_000 + b"\r\n" + HEAD + b"\r\nhttps://x.example/1",
    "a million headers": b"X: a\r\n" * 1_000_000 + HEAD + b"\r\n",
    "folded for ever": b"X: a\r\n" + b" b\r\n" * 500_000 + HEAD + b"\r\n",
    "many parts": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n\r\nx\r\n" * 90_000,
    "no such charset": HEAD
    + b"Content-Type: text/plain; charset=klingon-8\r\n\r\nhttps://x.example/1",
    "a charset of nothing": HEAD + b'Content-Type: text/plain; charset="\x00\xff"\r\n\r\n\xff\xfe',
    "a codec that is none": HEAD + b"Content-Type: text/plain; charset=rot13\r\n\r\nabc",
    "a bomb": HEAD
    + b"Content-Type: application/gzip\r\nContent-Encoding: gzip\r\n\r\n"
    + bytes(1_000_000),
    "deep JSON": HEAD + b"Content-Type: application/json\r\n\r\n" + b"[" * 500_000,
    "broken words": b"Subject: " + b"=?utf-8?B?" * 100_000 + b"\r\n" + HEAD + b"\r\n",
    "bad base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=A" * 100_000,
    "open comment": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--<a " * 50_000,
    "NUL": bytes(1_000),
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_stops_who_reads_it(name: str) -> None:
    """It is opened or it is not; a person sees what is left (B16)."""
    letter = open_letter(HOSTILE[name])
    read = reading.of_letter(letter)
    assert letter.by_machine in (True, False)
    assert len(letter.subject) <= 8_000
    assert read.form == Form.TEXT
    assert "\x00" not in read.statement
    if not letter.whole:
        assert read.unread


def test_what_nests_deeply_is_not_taken_apart() -> None:
    assert not open_letter(nested(MOST_BOUNDARIES + 1)).whole
    shallow = open_letter(nested(3))
    assert shallow.whole
    assert shallow.words().strip() == "https://deep.example/1"
    assert shallow.subject == "삭제"


@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_letter(raw: bytes) -> None:
    letter = open_letter(raw)
    assert isinstance(letter, Letter)
    reading.of_letter(letter)


@pytest.mark.parametrize(
    ("header", "author"),
    [
        ("a@b.example", "a@b.example"),
        ('"c@d.example" <a@B.example>', "a@b.example"),
        ("c@d.example <a@b.example>", ""),
        ("a@b.example, c@d.example", ""),
        ("(c@d.example) a@b.example", "a@b.example"),
        ("nobody", ""),
    ],
)
def test_the_author_is_one_address_or_none(header: str, author: str) -> None:
    """A name that looks like another's address does not count."""
    assert open_letter(f"From: {header}\r\n\r\nx".encode()).author == author
    assert open_letter(f"From: {header}\r\nFrom: x@y.example\r\n\r\nx".encode()).author == ""


def test_tables_and_reports_are_read() -> None:
    """CSV beside the words, and the fields of RFC 5965."""
    raw = (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee table\r\n--b\r\n"
        + b"Content-Type: text/csv\r\n\r\nno,url\r\n1,https://x.example/1\r\n2,https://x.example/2\r\n--b--"
    )
    assert [item.address for item in reading.of_letter(open_letter(raw)).items] == [
        "https://x.example/1",
        "https://x.example/2",
    ]
    fields = b"Feedback-Type: abuse\r\nReported-URI: https://x.example/a\r\nReported-URI: https://x.example/b\r\n"
    raw = (
        HEAD
        + b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        + b"--b\r\nContent-Type: text/plain\r\n\r\nSee https://else.example/1\r\n"
        + b"--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        + fields
        + b"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: x\r\n--b--\r\n"
    )
    read = reading.of_letter(open_letter(raw))
    assert read.form == Form.ARF
    assert [item.address for item in read.items] == ["https://x.example/a", "https://x.example/b"]
    assert arf.read(fields).kind == "abuse"
    assert arf.read(b"\xff\x00nothing").addresses == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "hxxps://x[.]example/1 and hxxp://y(.)example/2",
            ["https://x.example/1", "http://y.example/2"],
        ),
        ("Kind regards\nhttps://www.b.example/about", []),
        ("It is in a chat of our class.", []),
        ("https://t.me/room/12", ["https://t.me/room/12"]),
        ("https://x.example/1\nHTTPS://X.example:443/1", ["https://x.example/1"]),
    ],
)
def test_places_are_found_and_what_is_merely_said_is_not(text: str, found: list[str]) -> None:
    assert reading.places_in(text.splitlines(), own="b.example") == found
