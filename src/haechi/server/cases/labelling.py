"""How a platform should label what stays up: is, may be or is suspected to be made by AI.

By the order of article 6 of China's Measures for labelling (in force since 2025-09-01) and GB 45438-2025:
what the file's own metadata says, then what whoever posted it declared, then what was found. A finding
of ours leads to "suspected" at most, never to "is".
"""

from collections.abc import Mapping
from typing import Final

from haechi import forensics
from haechi.labels import Level, Mark, Says, Trust

STANDARD: Final = "GB 45438-2025"
# Metadata made to say it; parameters that a tool forgot in the file are traces, and so is a watermark.
STATEMENTS: Final = ("aigc", "c2pa", "iptc")
_BY_MARK: Final = {
    Says.MADE: Level.IS,
    Says.EDITED: Level.IS,
    Says.MAY_BE: Level.MAY_BE,
    Says.SUSPECTED: Level.SUSPECTED,
}
# What the platform shows beside it, the same for every reader of a language.
WORDS: Final[Mapping[Level, Mapping[str, str]]] = {
    Level.IS: {"zh": "AI生成合成内容", "ko": "AI로 생성된 콘텐츠", "en": "AI-generated"},
    Level.MAY_BE: {
        "zh": "可能为AI生成合成内容",
        "ko": "AI로 생성되었을 수 있는 콘텐츠",
        "en": "May be AI-generated",
    },
    Level.SUSPECTED: {
        "zh": "疑似AI生成合成内容",
        "ko": "AI로 생성된 것으로 의심되는 콘텐츠",
        "en": "Suspected to be AI-generated",
    },
}


def proposed(report: forensics.Report) -> Level | None:
    """What the platform rules come to for this file, or None where nothing calls for a label."""
    told = [_BY_MARK[one.says] for one in report.reading.marks if _states(one)]
    if told:
        return min(told)
    traces = any(one.says.of_ai and one.trust is not Trust.INVALID for one in report.reading.marks)
    accused = report.answer in (forensics.Answer.MADE, forensics.Answer.ALTERED)
    return Level.SUSPECTED if traces or accused else None


def order(label: str) -> dict[str, object] | None:
    """What an order to a platform says of the label, or None for none."""
    if not label:
        return None
    level = Level(int(label))
    return {"standard": STANDARD, "level": int(level), "words": dict(WORDS[level])}


def _states(mark: Mark) -> bool:
    return mark.kind in STATEMENTS and mark.says in _BY_MARK and mark.trust is not Trust.INVALID
