"""Strings out of hostile files, made fit to be shown."""

import unicodedata

LONGEST = 512
"""Characters kept of any one string."""


def clean(text: str, *, longest: int = LONGEST) -> str:
    """One line without control, format or private characters, at most `longest` long.

    Characters that turn the direction of writing are among those left out: a file must not be able
    to rewrite the line it is quoted in.
    """
    head = text[: 4 * longest]
    kept = "".join(_shown(character) for character in head)
    line = " ".join(kept.split())
    return line if len(line) <= longest and len(head) == len(text) else line[: longest - 1] + "…"


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Zs", "Zl", "Zp"} or character in "\t\r\n":
        return " "
    return "" if category.startswith("C") else character
