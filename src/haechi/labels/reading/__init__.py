"""Reading marks out of files nobody vouches for.

A reader for each container gathers named values (`haul`), with a bound on all it does; then each kind
of mark is looked for in what was gathered: `credentials` (C2PA), `source_type` (IPTC), `implicit`
(GB 45438), `generators`, `camera` (EXIF), `pixels` and `inaudible`. `contradictions` compares them.
"""

import contextlib
import hashlib
from collections.abc import Iterator

from haechi.errors import TooManyBytes
from haechi.labels.mark import Finding, Mark, Reading
from haechi.labels.reading import (
    camera,
    contradictions,
    credentials,
    generators,
    implicit,
    inaudible,
    pixels,
    source_type,
)
from haechi.labels.reading.haul import Enough, Haul
from haechi.labels.reading.kinds import Form, form_of
from haechi.media import DEFAULT, Kind, Limits

FINDINGS = 64


def read(
    data: bytes,
    *,
    limits: Limits = DEFAULT,
    trust_anchors: str | None = None,
    watermark: bool = True,
    watermark_key: bytes | None = None,
) -> Reading:
    """Every mark of one file, and what is odd about them.

    `trust_anchors` are certificates (PEM) whose C2PA signatures count as trusted. With `watermark` the
    pixels are searched too: the alpha channel, and with `watermark_key` the whole picture, and sound,
    for our own mark (some tenths of a second; docs/watermark.md). Hostile content becomes a finding. Raises MediaError only for what
    is no media at all, or is longer than the limits. Nothing is fetched from anywhere. For files of
    strangers, run it in a `haechi.media.Sandbox`: C2PA is read by a library in another language.
    """
    form = form_of(data)
    allowed = limits.bytes_of(form.kind)
    if len(data) > allowed:
        msg = f"{len(data)} bytes; the limit is {allowed}"
        raise TooManyBytes(msg)
    haul = Haul()
    _gather(data, form, haul)
    ours: tuple[Mark, ...] = ()
    if watermark and form.kind is not None:
        ours = _look(data, form.kind, watermark_key, limits, haul)
    if watermark and watermark_key is not None and form.is_heard:
        ours = (*ours, *inaudible.watermark(data, watermark_key, limits, haul))
    marks = (*_marks(data, form, trust_anchors, haul), *ours)
    contradictions.note(marks, haul)
    found = list(haul.findings)[:FINDINGS]
    findings = tuple(Finding(finding.code, dict(finding.params)) for finding in found)
    return Reading(hashlib.sha256(data).hexdigest(), form.media_type, marks, findings)


def _gather(data: bytes, form: Form, haul: Haul) -> None:
    """What the container gives away, until its end or the end of our patience."""
    if form.reader is None:
        return
    try:
        form.reader(data, haul)
    except Enough:
        return
    except (ValueError, IndexError, OverflowError):
        # A reader that stumbles over a file is a fault of the reader; what it found still counts.
        haul.find("broken.container", kind=form.media_type)


def _look(
    data: bytes, kind: Kind, key: bytes | None, limits: Limits, haul: Haul
) -> tuple[Mark, ...]:
    """What the pixels hold: fields for the other kinds of mark, and our own mark itself."""
    with contextlib.suppress(Enough):
        pixels.alpha(data, kind, limits, haul)
    return () if key is None else tuple(pixels.watermark(data, kind, key, limits, haul))


def _marks(data: bytes, form: Form, anchors: str | None, haul: Haul) -> Iterator[Mark]:
    """The strongest kinds first."""
    if credentials.bears(data, haul):
        yield from credentials.marks(data, form.media_type, anchors, haul)
    yield from implicit.marks(haul)
    yield from source_type.marks(haul)
    yield from generators.marks(haul)
    yield from camera.marks(haul)
