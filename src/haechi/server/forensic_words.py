"""What the findings of an examination mean, in the reader's language: haechi.forensics has the English."""

from collections.abc import Mapping

from django.utils.translation import gettext

from haechi.forensics import WORDS, Report, Signal
from haechi.labels import Finding
from haechi.labels.words import FINDINGS


def say(code: str, params: Mapping[str, str] | None = None) -> str:
    """The sentence of a code; a code that is not known here is shown as it is."""
    template = WORDS.get(code)
    return code if template is None else _filled(template, params or {})


def answer(report: Report) -> str:
    """What a report answers, in one sentence or two."""
    return say(report.answer_code)


def signal(found: Signal) -> str:
    """What one signal means."""
    return say(found.meaning, found.params)


def strength(found: Signal) -> str:
    """How much it weighs, or "" where it was not estimated."""
    if found.strength is None or found.calibration is None:
        return ""
    return say(f"strength.{found.strength.value}")


def finding(found: Finding) -> str:
    """What is odd about the marks of a file."""
    template = FINDINGS.get(found.code)
    return found.code if template is None else _filled(template, found.params)


def _filled(template: str, params: Mapping[str, str]) -> str:
    try:
        return gettext(template) % params
    except (KeyError, TypeError, ValueError):
        # An older report, or another version's: what is missing is shown as a gap.
        return template
