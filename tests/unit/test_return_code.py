"""The return code: B01, B02, B04, B05."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haechi.errors import CodeUnknown
from haechi.server.reports import return_code
from haechi.server.reports.return_code import BITS, LISTS, ReturnCode

NUMBERS = st.integers(min_value=0, max_value=2**BITS - 1)
LANGUAGES = st.sampled_from(sorted(LISTS))


def test_b01_a_code_has_88_bits_and_the_lists_are_whole() -> None:
    """Eight words of 2,048; no list has a double, which would make two codes one."""
    assert BITS >= 80
    assert return_code.check_word_lists() == []
    assert len({ReturnCode.new().number for _ in range(500)}) == 500


def test_b01_no_code_holds_a_word_that_would_hurt_and_80_bits_remain() -> None:
    """Every barred word is in its list, and barring them all costs little."""
    left = float(BITS)
    for language, listed in LISTS.items():
        barred = return_code._unwelcome(language)
        known = set(return_code._words(language))
        assert barred <= known, f"{listed}: {sorted(barred - known)}"
        left += return_code.WORDS * math.log2(1 - len(barred) / 2048)
    assert left >= 80
    for _ in range(200):
        code = ReturnCode.new()
        for language in LISTS:
            assert not return_code._unwelcome(language) & set(code.words(language))


def test_b01_a_seed_has_one_code_by_the_same_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Always the same one for a seed, another for another; a barred one gives way to the next."""
    seed = b"one page" * 4
    code = ReturnCode.from_seed(seed)
    assert ReturnCode.from_seed(seed) == code
    assert len({ReturnCode.from_seed(bytes([n]) * 32).number for n in range(100)}) == 100

    barred = frozenset(code.words("ko")[:1])
    monkeypatch.setattr(return_code, "_unwelcome", lambda _: barred)
    following = ReturnCode.from_seed(seed)
    assert following != code
    assert not barred & set(following.words("ko"))
    assert ReturnCode.from_seed(seed) == following


@given(NUMBERS, LANGUAGES)
def test_b01_both_forms_are_the_same_code(number: int, language: str) -> None:
    """Words in any language and digits open the same report."""
    code = ReturnCode(number)
    assert ReturnCode.parse(" ".join(code.words(language))) == code
    assert ReturnCode.parse(code.digits()) == code


@given(NUMBERS, st.sampled_from([" ", "-", "\u3000", " - ", "\n", "·", ",", "、"]))
def test_b02_spacing_case_and_width_do_not_matter(number: int, gap: str) -> None:
    """People copy codes from paper, with whatever their keyboard gives."""
    code = ReturnCode(number)
    assert ReturnCode.parse(gap.join(code.words("en")).upper()) == code
    assert ReturnCode.parse(gap.join(code.words("ko"))) == code
    wide = code.digits().translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    assert ReturnCode.parse(wide.replace(" ", gap)) == code


@given(NUMBERS)
def test_b02_chinese_without_spaces(number: int) -> None:
    """Nobody types spaces between Chinese characters."""
    code = ReturnCode(number)
    assert ReturnCode.parse("".join(code.words("zh-hans"))) == code


@given(st.text(max_size=400))
def test_b04_whatever_is_no_code_reads_the_same(text: str) -> None:
    """One error, without a hint at what was wrong."""
    try:
        ReturnCode.parse(text)
    except CodeUnknown as error:
        assert str(error) == ""  # noqa: PT017  # both outcomes are allowed, other errors are not


def test_b02_long_input_is_refused_before_anything_slow() -> None:
    """A megabyte of words costs nothing."""
    with pytest.raises(CodeUnknown):
        ReturnCode.parse("abandon " * 200_000)


def test_a_number_beyond_88_bits_is_no_code() -> None:
    """27 digits can say more than 88 bits can."""
    with pytest.raises(CodeUnknown):
        ReturnCode.parse(str(2**BITS))


def test_b03_lookup_and_key_are_separate_and_peppered() -> None:
    """Neither tells the other, and another installation's pepper gives other values."""
    code = ReturnCode(12345)
    lookup, key = code.lookup(b"a" * 32), code.unlock_key(b"b" * 32)
    assert lookup != key
    assert code.lookup(b"c" * 32) != lookup
    assert code.unlock_key(b"a" * 32) != lookup


def test_b05_a_code_does_not_show_itself() -> None:
    """Neither `repr` nor an f-string puts it into a log line."""
    code = ReturnCode(0xABCDEF)
    assert str(code.number) not in f"{code} {code!r} {[code]}"
