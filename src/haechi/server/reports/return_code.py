"""The return code: the only key a reporter has, and the only one she needs.

It is 88 random bits (B01), written as eight words of 2,048 in her language or as 27 digits.
Both forms are the same number and open the same report. The database holds only a slow, peppered
lookup value; the key that opens the envelope is derived apart from it, with a pepper of its own (B03).

A report's code follows from the token of the page it was sent from, so that sending the same page
again, after a double click or a lost answer, shows the same code. Only that page holds the token;
the database holds a hash of it.

Word lists: BIP-39 Korean, Simplified Chinese and English, from the package `mnemonic`.
"""

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import count
from threading import BoundedSemaphore
from typing import Self
from uuid import UUID

from argon2.low_level import Type, hash_secret_raw
from mnemonic import Mnemonic

from haechi.errors import CodeUnknown
from haechi.server.reports import unwelcome

BITS = 88
WORDS = 8
BITS_A_WORD = 11
DIGITS = 27
# Longer input is refused before anything slow is done with it (B02).
LONGEST_INPUT = 300
LISTS = {"ko": "korean", "zh-hans": "chinese_simplified", "en": "english"}
# People copy codes with whatever their keyboard or printer makes of a gap.
SEPARATORS = str.maketrans(dict.fromkeys("-‐‑‒–—_,.;:·・、。，", " "))  # noqa: RUF001
# More at once than there are cores would be no faster, and would hold 32 MiB each.
DERIVING = BoundedSemaphore(os.cpu_count() or 1)
_DIGIT_RUN = re.compile(r"\d(?:\s*\d){26,}")


@dataclass(frozen=True)
class ReturnCode:
    """A number below 2**88. Its `repr` does not show it, so that no log line can (B05)."""

    number: int

    @classmethod
    def new(cls) -> Self:
        """A fresh code from the system's random source, without a word that would hurt."""
        while True:
            code = cls(secrets.randbits(BITS))
            if _welcome(code):
                return code

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """The code that belongs to `seed` (at least 88 random bits), by the same rule as `new`."""
        candidates = (
            cls(int.from_bytes(_keyed(seed, b"return code", number)[: BITS // 8], "big"))
            for number in count()
        )
        return next(code for code in candidates if _welcome(code))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read either form, in any listed language, with any spacing, case or width (B02).

        Raises CodeUnknown for whatever is not a code; what was wrong is not said (B04).
        """
        if len(text) > LONGEST_INPUT:
            raise CodeUnknown
        plain = unicodedata.normalize("NFKC", text).casefold().translate(SEPARATORS)
        joined = "".join(plain.split())
        if joined.isdecimal() and len(joined) == DIGITS:
            number = int(joined)
        else:
            number = _from_words(plain.split(), joined)
        if number >= 1 << BITS:
            raise CodeUnknown
        return cls(number)

    def words(self, language: str) -> list[str]:
        """Eight words in `language` (ko, zh-hans, en; anything else reads as en)."""
        listed = _words(language if language in LISTS else "en")
        return [listed[self.number >> BITS_A_WORD * i & 2047] for i in reversed(range(WORDS))]

    def digits(self) -> str:
        """27 digits in groups of three."""
        text = f"{self.number:0{DIGITS}d}"
        return " ".join(text[i : i + 3] for i in range(0, DIGITS, 3))

    def lookup(self, pepper: bytes) -> bytes:
        """The 32 bytes by which the report is found."""
        return hmac.digest(pepper, b"haechi lookup" + self._stretched, "sha256")

    def unlock_key(self, pepper: bytes) -> bytes:
        """The 32 bytes that open this reporter's wrap of the case identity."""
        return hmac.digest(pepper, b"haechi unlock" + self._stretched, "sha256")

    @cached_property
    def _stretched(self) -> bytes:
        # RFC 9106, second recommended option scaled to 32 MiB: 88 random bits need no more, and two
        # hundred people may arrive at once. Once for both values, which HMAC then keeps apart: who
        # knows one, and its pepper, still has 88 bits to guess for the other.
        with DERIVING:
            return hash_secret_raw(
                secret=self.number.to_bytes(BITS // 8, "big"),
                salt=b"haechi return code",
                time_cost=3,
                memory_cost=32 * 1024,
                parallelism=1,
                hash_len=32,
                type=Type.ID,
            )

    def __repr__(self) -> str:
        return "ReturnCode(...)"


def codes_in(text: str) -> Iterator[ReturnCode]:
    """Every number below 2**88 that stands in `text` as a code would, in either form (B06)."""
    # What cannot be seen, or is set upon another sign, hides no code; any other sign is a gap.
    signs = unicodedata.normalize("NFKD", text)
    seen = "".join(sign for sign in signs if unicodedata.category(sign) not in ("Cf", "Mn"))
    plain = unicodedata.normalize("NFKC", seen).casefold()
    bare = "".join(sign if sign.isalnum() else " " for sign in plain)
    for run in _DIGIT_RUN.findall(bare):
        digits = "".join(run.split())
        for start in range(len(digits) - DIGITS + 1):
            yield from _code(int(digits[start : start + DIGITS]))
    # A copied list may be numbered, a sentence ends with a mark; Chinese stands without spaces.
    spoken = [word for word in bare.split() if not word.isdecimal()]
    for words in (spoken, list("".join(spoken))):
        for start in range(len(words) - WORDS + 1):
            for language in LISTS:
                yield from _code(_number(words[start : start + WORDS], language))


def submission_of(token: str) -> UUID:
    """What the database keeps of the token of a page that was sent: 128 bits of its SHA-256."""
    return UUID(bytes=hashlib.sha256(b"submission" + token.encode()).digest()[:16])


def check_word_lists() -> list[str]:
    """What is wrong with the word lists; empty when a code survives the way there and back (B01)."""
    faults = []
    for language in LISTS:
        listed = _words(language)
        if len(set(listed)) != 2**BITS_A_WORD:
            faults.append(f"{language}: {len(set(listed))} different words instead of 2048")
    return faults


def _welcome(code: ReturnCode) -> bool:
    return not any(_unwelcome(language) & set(code.words(language)) for language in LISTS)


def _keyed(seed: bytes, purpose: bytes, number: int) -> bytes:
    return hmac.digest(seed, purpose + number.to_bytes(4, "big"), "sha256")


@cache
def _unwelcome(language: str) -> frozenset[str]:
    return frozenset(unicodedata.normalize("NFKC", word) for word in unwelcome.WORDS[language])


def _from_words(parts: list[str], joined: str) -> int:
    # Chinese is often typed without spaces: there every character is a word.
    for words in (parts, list(joined)):
        for language in LISTS:
            number = _number(words, language) if len(words) == WORDS else None
            if number is not None:
                return number
    raise CodeUnknown


def _number(words: list[str], language: str) -> int | None:
    """What eight words mean, or None where one is not in the list."""
    places = _places(language)
    number = 0
    for word in words:
        if word not in places:
            return None
        number = number << BITS_A_WORD | places[word]
    return number


def _code(number: int | None) -> Iterator[ReturnCode]:
    if number is not None and number < 1 << BITS:
        yield ReturnCode(number)


@cache
def _words(language: str) -> tuple[str, ...]:
    listed = Mnemonic(LISTS[language]).wordlist
    return tuple(unicodedata.normalize("NFKC", word) for word in listed)


@cache
def _places(language: str) -> dict[str, int]:
    return {word: place for place, word in enumerate(_words(language))}
