"""What a file says of itself that can lead to a record: watermark, C2PA, AIGC label.

Runs in a sandbox process, on bytes nobody vouches for, and imports no Django.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from cryptography import x509
from numpy.typing import NDArray

from haechi import labels, media
from haechi.errors import MediaError
from haechi.labels import hearing, watermark
from haechi.media import video

FRAMES = 12
"""Of a video, one a second; half a second of work each where there is no mark."""
SIDE_PX = 1920


@dataclass(frozen=True, slots=True)
class Claim:
    """One number that a mark gives.

    kind      "trace" (of our watermark), "produce" (ProduceID) or "manifest" (name of a C2PA manifest)
    carrier   "watermark", "c2pa" or "aigc"
    signed    its signature fits and is by our own certificate: nobody else can have written it
    """

    kind: str
    carrier: str
    value: str
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Marks:
    """All of one file, and its SHA-256."""

    sha256: bytes
    media_type: str
    claims: tuple[Claim, ...]


def read(data: bytes, key: bytes, chain: str | None, *, hidden: bool = True) -> Marks:
    """Every claim, the surest carrier first. Raises MediaError for what is no media.

    chain    our own certificates (PEM), the signer's first, or None
    hidden   look into pixels and sound too
    """
    reading = labels.read(data, trust_anchors=chain, watermark=False)
    ours = _serial(chain) if chain else ""
    found = (*_in_pixels(data, key), *_in_sound(data, key)) if hidden else ()
    claims = [*found, *(each for mark in reading.marks for each in _of(mark, ours))]
    return Marks(bytes.fromhex(reading.sha256), reading.media_type, tuple(dict.fromkeys(claims)))


def _in_pixels(data: bytes, key: bytes) -> list[Claim]:
    try:
        found = watermark.detect_frames(_seen(data), key=key)
    except MediaError:
        # What cannot be decoded still has its other marks; a sound has no pixels.
        return []
    return [_trace(found.payload)] if found else []


def _in_sound(data: bytes, key: bytes) -> list[Claim]:
    try:
        found = hearing.mark(data, key)
    except MediaError:
        return []
    return [_trace(found.payload)] if found else []


def _trace(payload: int) -> Claim:
    return Claim("trace", "watermark", watermark.spelled(payload), signed=True)


def _seen(data: bytes) -> Iterator[NDArray[np.uint8]]:
    """A picture, or some frames of a video, decoded no further than asked for."""
    if not media.sniff(data).is_video:
        yield media.decode(data).rgb
        return
    yield from islice(_each_second(data), FRAMES)


def _each_second(data: bytes) -> Iterator[NDArray[np.uint8]]:
    wait_s = 0.0
    for frame in video.frames(data, thrifty=True):
        if frame.seconds >= wait_s:
            wait_s = frame.seconds + 1.0
            yield frame.rgb(SIDE_PX)


def manifest(data: bytes) -> str:
    """The name of the C2PA manifest in force in a file, or ""."""
    reading = labels.read(data, watermark=False)
    of_c2pa = (mark.detail for mark in reading.marks if mark.kind == "c2pa")
    return next((one["manifest"] for one in of_c2pa if one.get("role") == "in_force"), "")


_IN_C2PA = (("manifest", "manifest"), ("produce", "title"))
_IN_AIGC = (("produce", "produce_id"), ("produce", "propagate_id"))


def _serial(chain: str) -> str:
    return str(x509.load_pem_x509_certificates(chain.encode())[0].serial_number)


def _of(mark: labels.Mark, ours: str) -> list[Claim]:
    """What a mark names. Our C2PA manifests have the produce_id for a title.

    That it leads to our chain is not enough: whoever else that authority certifies could write it.
    """
    if mark.trust == labels.Trust.INVALID:
        return []
    signed = mark.trust == labels.Trust.TRUSTED and bool(ours) and mark.detail.get("serial") == ours
    named = {"c2pa": _IN_C2PA, "aigc": _IN_AIGC}.get(mark.kind, ())
    return [
        Claim(kind, mark.kind, mark.detail[key], signed=signed)
        for kind, key in named
        if mark.detail.get(key)
    ]
