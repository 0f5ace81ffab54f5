"""Every text marked for translation, and which of them a language lacks.

`python -m haechi.testing.words ko` prints what is missing as entries of a .po file. It reads the
source with Django's own template reader and Babel, so no gettext program has to be installed.
"""

import io
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation import template

from haechi.forensics import WORDS

SERVER = Path(__file__).parents[1] / "server"
# What the library says in English and the server translates.
LIBRARY = (
    SERVER.parent / "forensics" / "model_words.py",
    SERVER.parent / "forensics" / "video_words.py",
    SERVER.parent / "labels" / "words.py",
)
LOCALES = {"ko": "ko", "zh-hans": "zh_Hans", "en": "en"}
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

type Text = tuple[str | None, str | tuple[str, ...]]


def texts() -> dict[Text, list[str]]:
    """(context, text) to the places it stands in; a tuple is singular and plural."""
    found: dict[Text, list[str]] = defaultdict(list)
    for path in (*sorted(SERVER.rglob("*")), *LIBRARY):
        if path.suffix in (".py", ".html", ".txt") and "migrations" not in path.parts:
            for line, text, context in _extract(path):
                found[context, text].append(f"{path.relative_to(SERVER.parent)}:{line}")
    for code, text in WORDS.items():
        # Said by server/forensic_words.py; the library has the English.
        found[None, text].append(code)
    return dict(found)


def catalog(language: str) -> Catalog:
    """The translations of `language` (a code of settings.LANGUAGES)."""
    path = SERVER / "locale" / LOCALES[language] / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return read_po(file, locale=LOCALES[language], abort_invalid=True)


def missing(language: str) -> dict[Text, list[str]]:
    """What `language` does not say yet."""
    known = catalog(language)
    return {
        (context, text): places
        for (context, text), places in texts().items()
        if not _translated(known, text, context)
    }


def _translated(known: Catalog, text: str | tuple[str, ...], context: str | None) -> bool:
    message = known.get(text, context)
    if message is None or message.fuzzy:
        return False
    said = message.string
    return bool(said) if isinstance(said, str) else bool(said) and all(said or ())


def _extract(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], str | None]]:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # What is left of a template is no Python: its indentation would stop the tokenizer.
        templatized = template.templatize(source, origin=str(path))
        source = "\n".join(line.lstrip() for line in templatized.split("\n"))
    for line, text, _, context in extract("python", io.BytesIO(source.encode()), KEYWORDS):
        if text:
            yield line, text, context


def main() -> None:
    """Print what a language lacks."""
    language = sys.argv[1]
    lacking = Catalog(locale=LOCALES[language])
    for (context, text), places in missing(language).items():
        lacking.add(text, context=context, auto_comments=places)
    write_po(sys.stdout.buffer, lacking, omit_header=True)


if __name__ == "__main__":
    main()
