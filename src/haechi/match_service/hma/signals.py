"""HMA's signal types: the two that this service knows, and hashes as HMA writes them."""

import re
from collections.abc import Mapping

from starlette.exceptions import HTTPException

from haechi.index import DEFAULT
from haechi.match_service.intake import Asked

PHOTO, VIDEO = "photo", "video"
PDQ, VIDEO_MD5, SSCD = "pdq", "video_md5", "sscd"
CONTENT_TYPES: Mapping[str, str] = {PHOTO: PDQ, VIDEO: VIDEO_MD5}
SIGNAL_TYPES = (PDQ, VIDEO_MD5)

# A hash comes without its quality; whoever sends one vouches for it.
VOUCHED_QUALITY = 100

_FORM = {PDQ: re.compile("[0-9a-f]{64}"), VIDEO_MD5: re.compile("[0-9a-f]{32}")}


def read(signal_type: str, text: object) -> bytes:
    """A hash as bytes: 32 of a PDQ, 16 of an MD5. Raises HTTPException 400."""
    form = _FORM.get(signal_type)
    if form is None:
        raise HTTPException(400, f"No such SignalType '{signal_type}'")
    normal = text.strip().lower() if isinstance(text, str) else ""
    if not form.fullmatch(normal):
        raise HTTPException(400, f"invalid signal: this is no {signal_type} hash")
    return bytes.fromhex(normal)


def of(content_type: str, asked: Asked) -> dict[str, str]:
    """The hash of a file by signal type; an empty PDQ where there is too little to see in it."""
    if content_type == VIDEO:
        return {VIDEO_MD5: (asked.md5 or b"").hex()}
    clear = asked.pdq is not None and asked.pdq_quality >= DEFAULT.min_quality
    return {PDQ: asked.pdq.hex() if clear and asked.pdq is not None else ""}


def chosen(content_type: str, types: str | None, also: frozenset[str] = frozenset()) -> set[str]:
    """The signal types that the parameter `types` asks for; all of them where it is missing.

    `also` may be asked for by name. Raises HTTPException 400.
    """
    usual = CONTENT_TYPES[content_type]
    if types is None:
        return {usual}
    asked = {name.strip() for name in types.split(",")} - {""}
    if not asked:
        raise HTTPException(400, "empty signal type selection")
    for name in sorted(asked - {usual} - also):
        raise HTTPException(400, f"signal type '{name}' doesn't exist or is disabled")
    return asked
