"""`haechi words compile`: from the translators' .po files to the .mo files Django reads."""

import argparse
from pathlib import Path

LOCALE = Path(__file__).parents[1] / "server" / "locale"


def compile_words(_asked: argparse.Namespace) -> int:
    """Compile every language; say how many sentences each has."""
    return compile_all(quiet=False)


def compile_all(*, quiet: bool) -> int:
    """Compile what is newer than its .mo; 0, or 1 where a sentence's placeholders do not fit."""
    faulty = 0
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        target = source.with_suffix(".mo")
        if quiet and target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        faulty += _compile(source, target, quiet=quiet)
    return 1 if faulty else 0


def _compile(source: Path, target: Path, *, quiet: bool) -> int:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    language = source.parents[1].name
    with source.open("rb") as lines:
        catalog = read_po(lines, locale=language)
    faults = [
        (message, str(fault))
        for message in catalog
        if message.id and message.string
        for fault in message.check(catalog)
    ]
    for message, fault in faults:
        print(f"{source}:{message.lineno}: {fault}")
    part = target.with_suffix(".mo.part")
    with part.open("wb") as out:
        write_mo(out, catalog)
    part.replace(target)
    if not quiet:
        print(f"{language}: {sum(1 for message in catalog if message.id)} sentences")
    return len(faults)
