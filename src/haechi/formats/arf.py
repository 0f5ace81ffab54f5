"""Abuse reports after RFC 5965 (ARF): the fields, as far as they point at something."""

import re
from dataclasses import dataclass

_FIELD = re.compile(r"^([A-Za-z0-9-]{1,60}):[ \t]*(.*)$")
LONGEST_LINE = 8_000
MOST_FIELDS = 20_000


@dataclass(frozen=True)
class Feedback:
    """What a feedback report says.

    kind       abuse, fraud, other, xarf, ...; in lower case
    addresses  values of Reported-URI, in their order
    domains    values of Reported-Domain
    """

    kind: str
    addresses: tuple[str, ...]
    domains: tuple[str, ...]


def read(data: bytes) -> Feedback:
    """Read the part message/feedback-report. Never raises; fields that are not there are empty."""
    text = re.sub(r"\r?\n[ \t]+", " ", data.decode("utf-8", errors="replace"))
    fields: dict[str, list[str]] = {}
    for line in text.splitlines()[:MOST_FIELDS]:
        found = _FIELD.match(line[:LONGEST_LINE])
        if found:
            fields.setdefault(found[1].lower(), []).append(found[2].strip())
    return Feedback(
        kind=next(iter(fields.get("feedback-type", [])), "").lower(),
        addresses=tuple(value for value in fields.get("reported-uri", []) if value),
        domains=tuple(value for value in fields.get("reported-domain", []) if value),
    )
