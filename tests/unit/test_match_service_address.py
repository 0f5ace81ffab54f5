"""Addresses compare equal when they name the same place, and are stored unreadable."""

import hashlib
import hmac

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from haechi.fingerprint.address import normalise, url_digest

KEY = bytes(range(32))

SAME_PLACE = [
    ("HTTPS://Board.Example:443/Post/1/", "https://board.example/Post/1"),
    ("http://board.example:80", "https://board.example"),
    ("http://board.example:8413/post/1", "https://board.example:8413/post/1"),
    ("board.example/post/1", "https://board.example/post/1"),
    ("Board.Example:8413/post/1", "https://board.example:8413/post/1"),
    ("e.g. this", "e.g. this"),
    ("https://board.example/post/1#comments", "https://board.example/post/1"),
    ("https://board.example./post/1", "https://board.example/post/1"),
    ("https://a.example/p?utm_source=x&id=7&UTM_Medium=y", "https://a.example/p?id=7"),
    ("https://a.example/p?utm_source=x", "https://a.example/p"),
    ("https://me:secret@a.example/p", "https://a.example/p"),
    ("https://한국.example/그림", "https://xn--3e0b707e.example/%EA%B7%B8%EB%A6%BC"),
    ("https://a.example/%7euser/%ea%b7%b8", "https://a.example/~user/%EA%B7%B8"),
    ("https://a.example/100% sure", "https://a.example/100%25%20sure"),
    ("https://under_score.example/", "https://under_score.example"),
    ("https://[2001:DB8:0::1]:443/x", "https://[2001:db8::1]/x"),
    ("  @Channel/123 ", "@channel/123"),
    ("@\uff43\uff48\uff41\uff4e\uff4e\uff45\uff4c\uff0f\uff11\uff12\uff13", "@channel/123"),
    ("http://a.example:99999/x", "http://a.example:99999/x"),
    ("http://[::1", "http://[::1"),
    ("", ""),
]


@pytest.mark.parametrize(("written", "meant"), SAME_PLACE)
def test_spellings_of_one_place_are_one(written: str, meant: str) -> None:
    """The table is the contract: what a reporter types meets what a platform registered."""
    assert normalise(written) == meant


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/P", "https://a.example/p"),
        ("https://a.example/p?id=1", "https://a.example/p?id=2"),
        ("https://a.example:8443/p", "https://a.example/p"),
        ("https://a.example/a%2Fb", "https://a.example/a/b"),
    ],
)
def test_different_places_stay_different(one: str, other: str) -> None:
    """Normalising too much would take down the wrong post."""
    assert url_digest(KEY, one) != url_digest(KEY, other)


ADDRESS_LIKE = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "HTTPS", "\uff48ttp", "ftp"]),
    st.text(max_size=20),
    st.text(alphabet="/?#&=%utm_aA0.~ \u0130\u017f그", max_size=20),
)


@given(st.text(max_size=60) | ADDRESS_LIKE)
@example("http://\ud800/")
@example("http://a.example/?%75tm_x=1")
@example("http://a.example//?&#")
def test_any_text_has_a_stable_digest(text: str) -> None:
    """No text raises, and normalising again changes nothing."""
    once = normalise(text)
    assert normalise(once) == once
    assert len(url_digest(KEY, text)) == 32


def test_the_digest_is_keyed() -> None:
    """Without the key nobody can test a guess against the table."""
    place = "https://board.example/post/1"
    assert url_digest(KEY, place) == hmac.digest(KEY, place.encode(), hashlib.sha256)
    assert url_digest(bytes(32), place) != url_digest(KEY, place)
