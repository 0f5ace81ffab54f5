"""Attach sealed files to a report, open them where that is allowed, fingerprint them."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache

from django.db import transaction

from haechi import fingerprint, media, seal
from haechi.errors import (
    BlobMissing,
    CannotOpen,
    DecoderCrashed,
    DecodeTimeout,
    HaechiError,
    MediaError,
    NotMedia,
    TooManyBytes,
    TooManyFrames,
)
from haechi.fingerprint import ImageFingerprint, frames
from haechi.index import side_by_side as drawn
from haechi.media import preview
from haechi.server.audit import services as audit
from haechi.server.evidence import custody
from haechi.server.evidence import told as told_form
from haechi.server.evidence.models import Exhibit, Fingerprint, State, ToldFingerprint
from haechi.server.evidence.origin_models import Donor
from haechi.server.evidence.sealing import SealedFile
from haechi.server.evidence.seen import Seen
from haechi.server.evidence.storage import storage
from haechi.server.evidence.told import Told
from haechi.server.evidence.way import Way
from haechi.server.reports import vault
from haechi.server.reports.models import Report

# A picture on the desk needs no more pixels than the desk shows.
WORKING_COPY_SIDE_PX = 1280
# What a decoder takes; whatever is longer is read as a stream (`opened`).
MOST_AT_ONCE = media.DEFAULT.video_bytes


def attach(report: Report, files: Iterable[SealedFile], *, now: datetime) -> list[Exhibit]:
    """Make each stored envelope an exhibit of the report, inside the caller's transaction."""
    exhibits = []
    for number, file in enumerate(files, start=report.exhibits.count() + 1):
        exhibit = Exhibit.objects.create(
            report=report,
            number=number,
            blob=file.blob,
            sha256=file.sha256,
            cipher_sha256=file.cipher_sha256,
            size=file.size,
            kind=file.kind.value,
            sealed_at=now,
            way=file.way,
            verified_at=now if file.way == Way.SERVER else None,
        )
        audit.record(
            custody.SEALED,
            subject=exhibit,
            actor="reporter",
            at=now,
            detail={
                "sha256": file.sha256.hex(),
                "cipher_sha256": file.cipher_sha256.hex(),
                "size": file.size,
                "kind": file.kind.value,
                "way": file.way.value,
            },
        )
        exhibits.append(exhibit)
    return exhibits


def keep_told(report: Report, told: Iterable[Told], *, now: datetime) -> list[ToldFingerprint]:
    """Keep fingerprints whose files stayed with the reporter, inside the caller's transaction."""
    kept = []
    for number, each in enumerate(told, start=report.told.count() + 1):
        row = ToldFingerprint.objects.create(
            report=report, number=number, told_at=now, **told_form.columns(each)
        )
        audit.record(
            "told:received",
            subject=row,
            actor="reporter",
            at=now,
            detail={"kind": each.kind.value, "sha256": each.sha256.hex(), "way": "fingerprint"},
        )
        kept.append(row)
    return kept


@contextmanager
def opened(
    exhibit: Exhibit, *, actor: str, reason: str, now: datetime
) -> Iterator[seal.OpenStream]:
    """The original while it is read, in small pieces, however long it is.

    The opening is logged with its reason before the first byte is given (B17). Only the end of the
    stream proves that nothing was cut off; whether it is the file that was received, the caller
    tells by its digest. Raises KeyMissing in a process without the vault identity, BlobMissing,
    CannotOpen.
    """
    identity = vault.identity_of(exhibit.report)
    custody.record(exhibit, custody.OPENED, actor=actor, why=reason, now=now)
    with (
        storage().open(exhibit.blob) as sealed,
        seal.open_stream(sealed, identity) as plain,
    ):
        yield plain


def open_exhibit(
    exhibit: Exhibit, *, actor: str, reason: str, now: datetime, limit_bytes: int = MOST_AT_ONCE
) -> bytes:
    """The original as a whole, in memory. Raises TooManyBytes beyond the limit, else as `opened`.

    CannotOpen also where its digest is known and another.
    """
    if exhibit.size > limit_bytes:
        raise TooManyBytes(f"{exhibit.size} bytes; the limit is {limit_bytes}")
    with opened(exhibit, actor=actor, reason=reason, now=now) as plain:
        data = plain.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise TooManyBytes(f"the limit is {limit_bytes} bytes")
    if exhibit.verified_at and hashlib.sha256(data).digest() != bytes(exhibit.sha256):
        raise CannotOpen(f"{exhibit} is not the file that was received")
    return data


def take_fingerprint(
    exhibit: Exhibit, *, now: datetime, last_try: bool = True
) -> Fingerprint | None:
    """Open, fingerprint and forget. None where the file is no usable picture; its code is kept.

    What a browser said of the file is looked at on the way (`Exhibit.verified_at`). Safe to repeat:
    an exhibit that was done is left as it is. A decoder that died or was slow, or
    a file that is not there now, may be this machine's fault: unless it is the `last_try`,
    DecoderCrashed, DecodeTimeout and BlobMissing are raised and nothing is concluded. Raises KeyMissing and StorageUnavailable.
    """
    known = Fingerprint.objects.filter(exhibit=exhibit).first()
    if known is not None or exhibit.state in (State.REFUSED, State.KEPT):
        return known
    try:
        data = _look(exhibit, now=now)
        made: ImageFingerprint = sandbox().run(fingerprint.member, data)
    except (DecoderCrashed, DecodeTimeout, BlobMissing) as error:
        if not last_try:
            raise
        return _refuse(exhibit, error, now=now)
    except (MediaError, CannotOpen) as error:
        return _refuse(exhibit, error, now=now)
    return _keep(exhibit, made, now=now)


def _look(exhibit: Exhibit, *, now: datetime) -> bytes:
    """The original, with what was told of it made true. Raises TooManyBytes, NotMedia, CannotOpen.

    All of it is read and digested; of what is longer than a decoder takes, nothing is held.
    """
    with opened(exhibit, actor="worker", reason="fingerprint", now=now) as plain:
        seen = Seen.of(plain)
    if exhibit.verified_at is None:
        _verify(exhibit, seen, now=now)
    elif seen.sha256 != bytes(exhibit.sha256):
        raise CannotOpen(f"{exhibit} is not the file that was received")
    if not seen.kind:
        raise NotMedia("the content is no picture or video format that Haechi knows")
    if seen.data is None:
        raise TooManyBytes(f"{seen.size} bytes are more than is decoded here")
    return seen.data


@transaction.atomic
def _verify(exhibit: Exhibit, seen: Seen, *, now: datetime) -> None:
    """Put what is true in place of what the sender's browser said; the log keeps both."""
    told = (bytes(exhibit.sha256).hex(), exhibit.size, exhibit.kind)
    true = (seen.sha256.hex(), seen.size, seen.kind)
    exhibit.sha256, exhibit.size, exhibit.kind = seen.sha256, seen.size, seen.kind
    exhibit.verified_at = now
    exhibit.save(update_fields=["sha256", "size", "kind", "verified_at"])
    detail: dict[str, str | int] = dict(zip(("sha256", "size", "kind"), true, strict=True))
    if true != told:
        detail |= dict(zip(("told_sha256", "told_size", "told_kind"), told, strict=True))
    tag = "exhibit:verified" if true == told else custody.CORRECTED
    audit.record(tag, subject=exhibit, actor="worker", at=now, detail=detail)


def unclaimed(blobs: Sequence[str]) -> list[str]:
    """Those of `blobs` that no row names."""
    named = set(Exhibit.objects.filter(blob__in=blobs).values_list("blob", flat=True))
    named |= set(Donor.objects.filter(blob__in=blobs).values_list("blob", flat=True))
    return [blob for blob in blobs if blob not in named]


def forget_blobs(report: Report) -> None:
    """Delete the sealed files of an erased report. Safe to repeat. Raises StorageUnavailable."""
    store = storage()
    for exhibit in report.exhibits.all():
        with suppress(BlobMissing):
            store.delete(exhibit.blob)


def forget(report: Report) -> None:
    """Delete the exhibits of an erased report, inside the caller's transaction; blobs are gone."""
    Fingerprint.objects.filter(exhibit__report=report).delete()
    for exhibit in report.exhibits.all():
        exhibit.delete()


def seen_by_person(exhibit: Exhibit) -> bool:
    """True where somebody at the desk has lifted the veil of this exhibit."""
    return any(entry.tag == custody.LIFTED for entry in audit.history(exhibit))


def working_copy(exhibit: Exhibit, *, actor: str, reason: str, now: datetime) -> bytes:
    """A JPEG for a reviewer: smaller, without metadata, made for this one look (B15)."""
    data = open_exhibit(exhibit, actor=actor, reason=reason, now=now)
    return sandbox().run(preview.as_jpeg, data, WORKING_COPY_SIDE_PX)


def side_by_side(
    exhibit: Exhibit, other: Exhibit, *, actor: str, reason: str, now: datetime
) -> bytes:
    """A JPEG of both with what they share drawn in, made for this one look. Raises as working_copy."""
    data = [open_exhibit(each, actor=actor, reason=reason, now=now) for each in (exhibit, other)]
    return sandbox().run(drawn.as_jpeg, *data)


@cache
def sandbox() -> media.Sandbox:
    """The process's decoders. Started when first needed."""
    return media.Sandbox(workers=1)


def columns(made: ImageFingerprint) -> dict[str, object]:
    """`made` as the columns of FingerprintFields."""
    return {
        "sha256": made.digests.sha256,
        "md5": made.digests.md5,
        "pdq": made.pdq.bits,
        "pdq_quality": made.pdq.quality,
        "embedding": made.embedding,
        "views": b"".join(made.views),
        "frames": frames.pack(made.frames),
    }


@transaction.atomic
def _keep(exhibit: Exhibit, made: ImageFingerprint, *, now: datetime) -> Fingerprint:
    kept = Fingerprint.objects.create(
        exhibit=exhibit,
        turns=b"".join(made.turns),
        insets=made.insets,
        width=made.width,
        height=made.height,
        made_at=now,
        **columns(made),
    )
    Exhibit.objects.filter(pk=exhibit.pk).update(state=State.FINGERPRINTED)
    audit.record(
        "exhibit:fingerprinted",
        subject=exhibit,
        actor="worker",
        at=now,
        detail={"pdq_quality": made.pdq.quality, "embedding": made.embedding is not None},
    )
    return kept


@transaction.atomic
def _refuse(exhibit: Exhibit, error: HaechiError, *, now: datetime) -> None:
    # Nothing is wrong with a file that is only long: it stays, for people.
    state = State.KEPT if isinstance(error, TooManyBytes | TooManyFrames) else State.REFUSED
    Exhibit.objects.filter(pk=exhibit.pk).update(state=state, refusal=error.code)
    audit.record(
        "exhibit:refused", subject=exhibit, actor="worker", at=now, detail={"code": error.code}
    )
