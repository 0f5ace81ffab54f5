"""The implicit label of GB 45438-2025 (clause 6.1 and annex E): seven fields in one JSON object.

Which carrier holds it in which kind of file is said by the practice guides TC260-PG-20257A to 20259A
and 202510A; `haechi.labels.reading` finds it there and `haechi.labels.writing` puts it there.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from haechi.errors import LabelRefused
from haechi.formats import strict_json
from haechi.labels.text import clean

KEYWORD = "AIGC"
XMP_NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
XMP_PREFIX = "TC260"
LONGEST_BYTES = 65_536
"""Of the JSON text; seven short strings need a few hundred."""

_VALUE = re.compile(r"^[\x21\x23-\x5B\x5D-\x7E]*$")
_FIELDS = {
    "ContentProducer": "producer",
    "ProduceID": "produce_id",
    "ReservedCode1": "reserved1",
    "ContentPropagator": "propagator",
    "PropagateID": "propagate_id",
    "ReservedCode2": "reserved2",
}


class Level(IntEnum):
    """The field Label: how sure the writer was (Measures for labelling, article 6)."""

    IS = 1
    MAY_BE = 2
    SUSPECTED = 3


@dataclass(frozen=True, slots=True)
class Aigc:
    """One implicit label.

    producer, produce_id        who made the content, and their number for it
    propagator, propagate_id    who spread it, and their number; the same two at the first writing
    reserved1, reserved2        for signatures of either; may be empty
    """

    label: Level
    producer: str
    produce_id: str
    reserved1: str = ""
    propagator: str = ""
    propagate_id: str = ""
    reserved2: str = ""

    def to_json(self, *, wrapped: bool = False) -> str:
        """The JSON text for a carrier; `wrapped` in {"AIGC": …} where the carrier has no key of its own.

        Raises LabelRefused for a value outside the character set of the standard: no space, no
        quotation mark, no backslash, nothing beyond ASCII.
        """
        told = {"Label": str(int(self.label))}
        for key, name in _FIELDS.items():
            value = getattr(self, name)
            if not _VALUE.match(value):
                raise LabelRefused(
                    f"{key} holds a character that GB 45438 does not allow: {value!a}"
                )
            told[key] = value
        body: dict[str, Any] = {KEYWORD: told} if wrapped else told
        return json.dumps(body, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a text that should be a label; `faults` are against the standard, in a stable order.

    json        no JSON object        label       Label is none of 1, 2, 3
    missing     a field is absent     characters  a value is outside the character set
    """

    aigc: Aigc | None
    faults: tuple[str, ...] = ()


def parse(text: str) -> Parsed:
    """Read a label as tolerantly as files in the wild need; never raises.

    Bare or wrapped in {"AIGC": …}, Label as a number or a string, fields absent. Values are clipped.
    """
    told = _object(text)
    if told is None:
        return Parsed(None, ("json",))
    faults = []
    level = _level(told.get("Label"))
    if level is None or str(told.get("Label")) not in {"1", "2", "3"}:
        faults.append("label")
    if any(key not in told for key in _FIELDS if not key.startswith("Reserved")):
        faults.append("missing")
    values = {name: _string(told.get(key, "")) for key, name in _FIELDS.items()}
    if any(not _VALUE.match(value) for value in values.values()):
        faults.append("characters")
    return Parsed(None if level is None else Aigc(level, **values), tuple(faults))


def _object(text: str) -> Mapping[str, Any] | None:
    if len(text) > LONGEST_BYTES:
        return None
    try:
        told = strict_json.loads(text.strip().strip("\x00\ufeff"))
        # Some writers put the JSON text into a JSON string.
        told = strict_json.loads(told) if isinstance(told, str) else told
    except ValueError:
        return None
    if isinstance(told, dict) and isinstance(told.get(KEYWORD), dict):
        told = told[KEYWORD]
    return told if isinstance(told, dict) else None


def _level(value: object) -> Level | None:
    """Seen in the wild beside "1": the number 1, and the word AIGC."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    if text in {"1", "2", "3"}:
        return Level(int(text))
    return Level.IS if text == KEYWORD else None


def _string(value: object) -> str:
    return clean(value) if isinstance(value, str) else clean(json.dumps(value)[:4096])
