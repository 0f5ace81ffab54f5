"""Label a file for the service that made it, and write it down before it is given out."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from haechi import fingerprint
from haechi.errors import GenerationKnown, MediaError
from haechi.fingerprint import digests as file_digests
from haechi.labels import Level, writing
from haechi.labels.writing import Labelled, Signer
from haechi.server.evidence import services as evidence
from haechi.server.matching.models import Platform
from haechi.server.tracing import marks, registry
from haechi.server.tracing.registry import Look, Made, Names, Recorded


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is to be labelled (labels.writing.Wanted says what each means)."""

    producer: str
    language: writing.Language
    visible: bool
    source_type: str
    level: Level


def label(
    platform: Platform, made: Made, data: bytes, wish: Wish, *, now: datetime
) -> tuple[Labelled, Recorded]:
    """The labelled file and its record; neither is there without the other.

    Raises MediaError, LabelRefused, SigningFailed, KeyMissing, and GenerationKnown where that
    produce_id is another account's, or another file's.
    """
    names = registry.names_for(platform, made)
    wanted = _wanted(wish, names)
    # Where it cannot bear the watermark, the other marks still say what it is.
    given = writing.label(data, wanted, sandbox=evidence.sandbox())
    source = file_digests([data]).sha256
    done = registry.record(platform, made, _look(given, source), names=names, now=now)
    if done.source_sha256 not in (None, source):
        # Its watermark would lead to the record of another picture.
        raise GenerationKnown(made.produce_id)
    return given, done


def _wanted(wish: Wish, names: Names) -> writing.Wanted:
    return writing.Wanted(
        level=wish.level,
        language=wish.language,
        producer=wish.producer,
        produce_id=names.produce_id,
        trace_id=names.trace_id,
        visible=wish.visible,
        signer=_signer(),
        digital_source_type=wish.source_type,
        watermark_key=settings.HAECHI.watermark_key,
    )


def _signer() -> Signer | None:
    chain, key = settings.HAECHI.c2pa_chain(), settings.HAECHI.c2pa_key()
    return Signer(chain=chain, key=key) if chain and key else None


def _look(given: Labelled, source: bytes) -> Look:
    """What is kept of the file to find copies of it: of sound only its digest."""
    sandbox = evidence.sandbox()
    signed = any(mark.kind == "c2pa" for mark in given.marks)
    manifest = sandbox.run(marks.manifest, given.data) if signed else ""
    try:
        made = sandbox.run(fingerprint.image, given.data)
    except MediaError:
        digests = file_digests([given.data])
        columns: dict[str, object] = {"sha256": digests.sha256, "md5": digests.md5}
        return Look(columns, given.media_type, manifest, source)
    return Look.of(made, manifest=manifest, source=source)
