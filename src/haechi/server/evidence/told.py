"""Fingerprints that a reporter's browser made and told, while the file stayed with her.

Nobody here has seen what they stand for, and anybody can make them up. So what cannot be true is
refused, and what is taken in is only pending (matching.told).
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from haechi.errors import FingerprintError, ToldRefused
from haechi.fingerprint import Frame, frames, pdq

MOST_FRAMES = 300
LONGEST_TEXT = 300_000
LONGEST_SIDE_PX = 100_000
LONGEST_S = 12 * 60 * 60
TURNED_BITS = 40
"""Turns told from the hash alone are up to 20 bits off (fingerprint.frames.turned)."""

_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_FIELDS = {"kind", "sha256", "width", "height", "quality", "turns", "frames"}


class ToldKind(models.TextChoices):
    """What the browser made of the file. Of a `file` it could not open there is only the digest."""

    PICTURE = "picture", _("picture")
    VIDEO = "video", _("video")
    FILE = "file", _("file that the browser could not open")


@dataclass(frozen=True)
class Told:
    """The fingerprint of one file that was not sent.

    sha256         32 bytes
    width, height  pixels as shown; 0 for a `file`
    quality        0 to 100, of the picture or of the video's key frame
    turns          PDQ in the order of pdq.TURNS, 32 bytes each; none for a `file`
    frames         of a video, by time, at most MOST_FRAMES
    """

    kind: ToldKind
    sha256: bytes
    width: int = 0
    height: int = 0
    quality: int = 0
    turns: tuple[bytes, ...] = ()
    frames: tuple[Frame, ...] = ()


def read(text: str) -> tuple[Told, ...]:
    """What the form's hidden field says, without doubles. Raises ToldRefused."""
    if not text:
        return ()
    if len(text) > LONGEST_TEXT:
        raise ToldRefused(f"{len(text)} characters; the limit is {LONGEST_TEXT}")
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ToldRefused("not JSON") from error
    if not isinstance(rows, list) or len(rows) > settings.FINGERPRINTS_PER_REPORT:
        raise ToldRefused(f"no list of up to {settings.FINGERPRINTS_PER_REPORT}")
    told = {each.sha256: each for each in map(_one, rows)}
    return tuple(told.values())


def _one(row: object) -> Told:
    if not isinstance(row, dict) or set(row) != _FIELDS:
        raise ToldRefused("the fields are not those of a fingerprint")
    if row["kind"] not in ToldKind.values:
        raise ToldRefused("no such kind")
    made = Told(
        kind=ToldKind(row["kind"]),
        sha256=_bytes(row["sha256"], 32),
        width=_number(row["width"], LONGEST_SIDE_PX),
        height=_number(row["height"], LONGEST_SIDE_PX),
        quality=_number(row["quality"], 100),
        turns=_turns(row["turns"]),
        frames=_frames(row["frames"]),
    )
    _make_sense(made)
    return made


def _make_sense(told: Told) -> None:
    """What each kind must hold, and must not."""
    opened = told.kind != ToldKind.FILE
    if opened != bool(told.turns) or opened != (told.width > 0) or opened != (told.height > 0):
        raise ToldRefused("sizes and hashes do not fit the kind")
    if not opened and told.quality:
        raise ToldRefused("a file that was not opened has no quality")
    if (told.kind == ToldKind.VIDEO) != bool(told.frames):
        raise ToldRefused("a video has frames, and nothing else has")
    if told.frames and told.turns[0] not in {frame.pdq.bits for frame in told.frames}:
        raise ToldRefused("the hash of a video is that of one of its frames")


def _turns(value: object) -> tuple[bytes, ...]:
    """Eight or none. Turns that cannot be those of the first are told from it instead."""
    if not isinstance(value, list) or len(value) not in (0, len(pdq.TURNS)):
        raise ToldRefused("not eight turns")
    given = tuple(_bytes(turn, 32) for turn in value)
    if not given:
        return ()
    own = frames.turned(given[0])
    pairs = zip(own, given, strict=True)
    fit = all(_apart_bits(left, right) <= TURNED_BITS for left, right in pairs)
    return given if fit else own


def _frames(value: object) -> tuple[Frame, ...]:
    packed = _bytes(value, None)
    if len(packed) > MOST_FRAMES * frames.FRAME_BYTES:
        raise ToldRefused(f"more than {MOST_FRAMES} frames")
    try:
        found = frames.unpack(packed)
    except FingerprintError as error:
        raise ToldRefused(str(error)) from error
    times = [frame.seconds for frame in found]
    if times != sorted(set(times)) or (times and times[-1] > LONGEST_S):
        raise ToldRefused("the times of the frames do not go forward, or too far")
    if any(frame.pdq.quality > 100 for frame in found):
        raise ToldRefused("a quality over 100")
    return found


def _number(value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ToldRefused(f"not a whole number up to {most}")
    return value


def _bytes(value: object, length: int | None) -> bytes:
    """Lower-case hexadecimal digits, and nothing that merely passes for them."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ToldRefused("not hexadecimal")
    if length is not None and len(value) != 2 * length:
        raise ToldRefused(f"not {length} bytes")
    return bytes.fromhex(value)


def _apart_bits(left: bytes, right: bytes) -> int:
    return (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()


def columns(told: Told) -> dict[str, Any]:
    """`told` as the columns of models.ToldFingerprint."""
    return {
        "kind": told.kind,
        "sha256": told.sha256,
        "pdq": told.turns[0] if told.turns else None,
        "pdq_quality": told.quality,
        "turns": b"".join(told.turns),
        "frames": frames.pack(told.frames),
        "width": told.width,
        "height": told.height,
    }
