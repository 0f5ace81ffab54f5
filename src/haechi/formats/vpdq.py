"""vPDQ text: one line for each hashed frame of a video, in either of the two orders in use.

The C++ program writes `frame,quality,hex,time` (ThreatExchange, vpdq/cpp/vpdq/cpp/io/vpdqio.cpp), the
Python package `hex,quality,time` (threatexchange/extensions/vpdq/vpdq_util.py), where it also comes
as a JSON list of such lines. Both call it vPDQ and neither says which it is. They are told apart by
where the 64 hexadecimal digits stand, and a text has one order from beginning to end.
"""

import json
import math
import re
from collections.abc import Iterable
from enum import StrEnum

from haechi.errors import InvalidDocument
from haechi.fingerprint.frames import Frame
from haechi.fingerprint.pdq import Pdq

LINES = 1_000_000
"""More frames than any video that Haechi opens has; a longer text is refused."""

_HASH = re.compile(r"[0-9a-fA-F]{64}")
_WHOLE = re.compile(r"[0-9]{1,10}")
_TIME = re.compile(r"[0-9]{1,10}(\.[0-9]{1,12})?")
_HASH_PLACE = {4: 2, 3: 0}


class Order(StrEnum):
    """How the fields of a line follow each other."""

    CPP = "frame,quality,hex,time"
    PYTHON = "hex,quality,time"


def read(text: str) -> tuple[Frame, ...]:
    """The frames of a vPDQ text of either order, as they stand; an empty text has none.

    Blank lines are passed over. The frame number of the C++ order is checked and dropped: times
    say the same. Raises InvalidDocument, with the number of the line, for anything else: a third
    order, a line of the other order, a quality over 100, a time that runs backwards.
    """
    found: list[Frame] = []
    order: Order | None = None
    for number, line in _lines(text):
        fields = [part.strip() for part in line.split(",")]
        seen = _order(fields, number)
        if order is not None and seen is not order:
            raise InvalidDocument(f"line {number}: {seen} after lines of {order}")
        order = seen
        frame = _frame(fields[-3:] if seen is Order.PYTHON else _as_python(fields, number), number)
        if found and frame.seconds < found[-1].seconds:
            raise InvalidDocument(f"line {number}: its time is before that of the line before")
        found.append(frame)
    return tuple(found)


def write(frames: Iterable[Frame], order: Order) -> str:
    """One line for each frame, times with three digits, as the programs of that order write them.

    The frame number of the C++ order is the frame's place in the list, counted from 0.
    """
    return "".join(_line(number, frame, order) for number, frame in enumerate(frames))


def _line(number: int, frame: Frame, order: Order) -> str:
    if order is Order.CPP:
        return f"{number},{frame.pdq.quality},{frame.pdq.hex},{frame.seconds:.3f}\n"
    return f"{frame.pdq.hex},{frame.pdq.quality},{frame.seconds:.3f}\n"


def _lines(text: str) -> list[tuple[int, str]]:
    """(number from 1, line) of each line that is not blank."""
    lines = _listed(text) if text.lstrip().startswith("[") else text.splitlines()
    if len(lines) > LINES:
        raise InvalidDocument(f"more than {LINES} lines")
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _listed(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument("line 1: it begins like a JSON list and is none") from error
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise InvalidDocument("line 1: a JSON list of anything but text")
    return found


def _order(fields: list[str], number: int) -> Order:
    places = [place for place, part in enumerate(fields) if _HASH.fullmatch(part)]
    if _HASH_PLACE.get(len(fields), -1) not in places or len(places) != 1:
        raise InvalidDocument(f"line {number}: neither {Order.CPP} nor {Order.PYTHON}")
    return Order.CPP if len(fields) == 4 else Order.PYTHON


def _as_python(fields: list[str], number: int) -> list[str]:
    frame, quality, digits, time = fields
    if not _WHOLE.fullmatch(frame):
        raise InvalidDocument(f"line {number}: the frame is no whole number")
    return [digits, quality, time]


def _frame(fields: list[str], number: int) -> Frame:
    digits, quality, time = fields
    if not _WHOLE.fullmatch(quality) or int(quality) > 100:
        raise InvalidDocument(f"line {number}: the quality is no number from 0 to 100")
    if not _TIME.fullmatch(time) or not math.isfinite(float(time)):
        raise InvalidDocument(f"line {number}: the time is no number of seconds")
    return Frame(float(time), Pdq(bytes.fromhex(digits), int(quality)))
