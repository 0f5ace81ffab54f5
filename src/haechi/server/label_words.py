"""A reading of a file's marks in the reader's language; the texts are those of `haechi.labels.words`."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext

from haechi.labels import Finding, Mark, Reading, Trust, words

# How the headline looks: a colour never says more than its words.
TONES: Mapping[str, str] = {
    "signed_ai": "warn",
    "says_ai": "warn",
    "watermark": "warn",
    "may_be_ai": "warn",
    "contradicting": "warn",
    "changed": "warn",
    "signed_camera": "ok",
}


@dataclass(frozen=True)
class ShownMark:
    """One mark. `signed` is "" where a kind has no signatures; `details` are label and value."""

    kind: str
    says: str
    tool: str
    signed: str
    trusted: bool
    carrier: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Shown:
    """A whole reading. `tone` is part of the name of a style, or ""."""

    headline: str
    caveat: str
    tone: str
    media_type: str
    marks: tuple[ShownMark, ...]
    findings: tuple[str, ...]


def shown(reading: Reading) -> Shown:
    """`reading`, to be put into a template."""
    code = words.headline(reading)
    return Shown(
        headline=gettext(words.HEADLINES[code]),
        caveat=gettext(words.CAVEATS[code]),
        tone=TONES.get(code, ""),
        media_type=reading.media_type,
        marks=tuple(map(mark_shown, reading.marks)),
        findings=tuple(map(finding_shown, reading.findings)),
    )


def mark_shown(mark: Mark) -> ShownMark:
    """One mark; its inner names and numbers are left out."""
    told = [
        (gettext(words.DETAILS[key]) if key in words.DETAILS else key, value)
        for key, value in mark.detail.items()
        if key not in words.INNER
    ]
    return ShownMark(
        kind=gettext(words.KINDS[mark.kind]),
        says=gettext(words.SAYS[mark.says]),
        tool=mark.tool,
        signed=gettext(words.TRUST[mark.trust]) if mark.kind == "c2pa" else "",
        trusted=mark.trust is Trust.TRUSTED,
        carrier=mark.carrier,
        details=tuple(told),
    )


def finding_shown(finding: Finding) -> str:
    """One finding as a sentence."""
    return gettext(words.FINDINGS[finding.code]) % finding.params
