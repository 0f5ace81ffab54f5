"""What a pasted line means: a page, a room, a message, an account, or words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.fingerprint.address import normalise, url_digest
from haechi.server.reports.places import Kind, Place, counted, link_in, read, understand

KEY = b"k" * 32
LINES = st.text(max_size=80)
SCRAPS = st.sampled_from(
    [
        "https://t.me/",
        "tg://resolve?domain=",
        "telegram.me/s/",
        "@",
        "-100",
        "joinchat/",
        "x.com/",
        "discord.gg/",
        "인스타:",
        "open.kakao.com/o/",
        "line.me/R/ti/g/",
        "%2B",
        "#",
        "A/1",
        "?",
    ]
)
NEARLY = st.lists(st.one_of(SCRAPS, st.text(max_size=6)), max_size=6).map("".join)


@pytest.mark.parametrize(
    ("typed", "kind", "service"),
    [
        ("https://board.example/post/1", Kind.WEB, ""),
        ("board.example/post/1", Kind.WEB, ""),
        ("https://t.me/bad/12", Kind.MESSAGE, "Telegram"),
        ("-1001234567890/55", Kind.MESSAGE, "Telegram"),
        ("t.me/+AbCd", Kind.ROOM, "Telegram"),
        ("https://discord.com/channels/1/2/3", Kind.MESSAGE, "Discord"),
        ("discord.gg/AbC", Kind.ROOM, "Discord"),
        ("123456789012345678", Kind.MESSAGE, ""),
        ("name#1234", Kind.ACCOUNT, ""),
        ("https://open.kakao.com/o/gAbc", Kind.ROOM, "KakaoTalk"),
        ("https://line.me/R/ti/g/AbC", Kind.ROOM, "LINE"),
        ("https://www.instagram.com/some.one/?hl=ko", Kind.ACCOUNT, "Instagram"),
        ("인스타: @some.one", Kind.ACCOUNT, "Instagram"),
        ("https://twitter.com/name/status/12?s=20", Kind.WEB, "X"),
        ("@name", Kind.ACCOUNT, ""),
        ("우리 반 단톡방", Kind.WORDS, ""),
        ("the class group chat", Kind.WORDS, ""),
        ("chat: name", Kind.WORDS, ""),
        ("me@example.org", Kind.WORDS, ""),
        ("he posted photos.example/1", Kind.WEB, ""),
        ("photos.example", Kind.WEB, ""),
        ("http://[::1", Kind.WORDS, ""),
    ],
)
def test_the_kind_of_a_line_is_told(typed: str, kind: Kind, service: str) -> None:
    place = understand(typed)
    assert (place.typed, place.kind, place.service) == (typed, kind, service)
    assert place.exact == (kind != Kind.WORDS)


@pytest.mark.parametrize(
    "spellings",
    [
        ("https://t.me/Bad/12", "telegram.me/bad/12", "tg://resolve?domain=BAD&post=12"),
        ("https://t.me/s/bad/12?before=9", "t.me/bad/12"),
        ("https://t.me/joinchat/AbC", "t.me/+AbC", "tg://join?invite=AbC", "t.me/%2BAbC"),
        ("-1001234567890/55", "t.me/c/1234567890/55", "-1001234567890 55"),
        ("https://discord.com/invite/Xy", "discord.gg/Xy"),
        ("https://ptb.discord.com/channels/1/2", "discordapp.com/channels/1/2"),
        ("insta: @Some.One", "https://www.instagram.com/some.one/", "instagram.com/SOME.ONE"),
        ("https://mobile.twitter.com/Name", "x.com/name", "트위터 @name"),
        ("https://board.example/a", "BOARD.example/a/?utm_source=x", "http://board.example/a"),
    ],
)
def test_one_place_in_several_spellings_is_one(spellings: tuple[str, ...]) -> None:
    digests = {url_digest(KEY, understand(typed).address) for typed in spellings}
    assert len(digests) == 1
    assert [place.typed for place in read(spellings)] == [spellings[0]]


def test_capitals_of_an_invitation_count() -> None:
    """Two invitations that differ in a capital lead to two rooms."""
    assert len(read(["t.me/+AbC", "t.me/+abc", "discord.gg/Xy", "discord.gg/xy"])) == 4


def test_words_around_an_address_are_kept_and_the_address_is_found() -> None:
    place = understand("he posted it here: https://a.example/1. yesterday")
    assert place.kind == Kind.WEB
    assert place.link == "https://a.example/1"
    assert place.address == "https://a.example/1"
    assert link_in("photos.example/1 again") == "photos.example/1"
    assert link_in("room 5") == "room 5"
    both = read(["https://a.example/1", "again here https://a.example/1"])
    assert [one.typed for one in both] == ["https://a.example/1", "again here https://a.example/1"]


def test_a_line_with_several_addresses_is_several_places() -> None:
    places = read(["look: https://a.example/1 and https://b.example/2 bye"])
    assert [one.link for one in places] == ["https://a.example/1", "https://b.example/2"]
    assert " ".join(one.typed for one in places) == (
        "look: https://a.example/1 and https://b.example/2 bye"
    )


def test_places_are_counted_by_kind() -> None:
    found = counted(read(["t.me/a", "t.me/b", "우리 반"]))
    assert found == {(Kind.ROOM, "Telegram"): 2, (Kind.WORDS, ""): 1}


@given(st.one_of(LINES, NEARLY))
def test_any_text_is_understood_and_kept(typed: str) -> None:
    """Never raises; what was typed is there to the last character; one spelling stays one."""
    place = understand(typed)
    assert isinstance(place, Place)
    assert place.typed == typed.strip()
    assert place.link in place.typed
    assert normalise(place.address) == place.address


@given(st.lists(st.one_of(LINES, NEARLY), max_size=8))
def test_nothing_typed_is_dropped_and_nothing_is_doubled(lines: list[str]) -> None:
    """Every line that says something is there, or another spelling of it is."""
    places = read(lines)
    kept = "".join("".join(one.typed.split()) for one in places)
    known = {one.address for one in places}
    for line in lines:
        said = "".join(line.replace("\x00", "").split())
        assert said in kept or all(one.address in known for one in read([line]))
    assert [one.typed for one in read(one.typed for one in places)] == [one.typed for one in places]
