"""What people read: every text in every language, with its placeholders."""

import re
from collections import Counter

import pytest

from haechi import errors
from haechi.server import words
from haechi.testing.words import SERVER, catalog, missing, texts

LANGUAGES = ("ko", "zh-hans")


def test_the_source_is_read() -> None:
    """A reader that finds nothing would make the tests below pass."""
    assert len(texts()) > 300


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    """A sentence in another language on a page is a defect."""
    lacking = missing(language)
    assert not lacking, "\n".join(f"{places[0]}: {text}" for (_, text), places in lacking.items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_survive_translation(language: str) -> None:
    """A lost placeholder is a lost fact, an invented one a server error."""
    known = catalog(language)
    faults = [
        f"{message.id}: {fault}"
        for message in known
        if message.id
        for fault in message.check(known)
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_left_over(language: str) -> None:
    """A translation whose source is gone only misleads the next translator."""
    known = texts()
    left = [m.id for m in catalog(language) if m.id and (m.context, m.id) not in known]
    assert not left


@pytest.mark.parametrize("folder", ["ko", "zh_Hans"])
def test_no_text_stands_twice(folder: str) -> None:
    """Of two entries the last one wins in silence; texts of two meanings have a context each."""
    text = (SERVER / "locale" / folder / "LC_MESSAGES" / "django.po").read_text("utf-8")
    found = re.findall(r'^(?:msgctxt "(.*)"\n)?msgid ((?:".*"\n)+)', text, re.MULTILINE)
    twice = [each for each, count in Counter(found).items() if count > 1]
    assert len(found) > 2_000
    assert not twice


def test_every_code_that_people_can_meet_has_words() -> None:
    """Errors of the front door, of files and of the desk are explained; the rest fall back."""
    needed = ("media.", "report.", "case.", "staff.", "appeal.")
    codes = {error.code for error in _tree(errors.HaechiError)}
    told = [code for code in sorted(codes) if code.startswith(needed) and ".error" not in code]
    assert not [code for code in told if code not in words.WORDS]


def test_codes_are_stable_in_form_and_drawn_in_the_tree() -> None:
    """One code an error, and the docstring of errors.py shows each."""
    tree = _tree(errors.HaechiError)
    for error in tree:
        if error.__module__ == "haechi.errors" and not error.code.endswith(".error"):
            assert re.fullmatch(r"[a-z]+\.[a-z_]+", error.code)
            assert error.code in (errors.__doc__ or ""), error
            assert error.__name__ in (errors.__doc__ or ""), error


def _tree(root: type[errors.HaechiError]) -> list[type[errors.HaechiError]]:
    return [root, *(child for each in root.__subclasses__() for child in _tree(each))]
