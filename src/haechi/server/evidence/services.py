"""Attach sealed files to a report, open them where that is allowed, fingerprint them."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
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
)
from haechi.fingerprint import ImageFingerprint, frames
from haechi.media import preview
from haechi.server.audit import services as audit
from haechi.server.evidence import custody
from haechi.server.evidence import told as told_form
from haechi.server.evidence.models import Exhibit, Fingerprint, State, ToldFingerprint
from haechi.server.evidence.sealing import SealedFile
from haechi.server.evidence.storage import storage
from haechi.server.evidence.told import Told
from haechi.server.reports import vault
from haechi.server.reports.models import Report

# A picture on the desk needs no more pixels than the desk shows.
WORKING_COPY_SIDE_PX = 1280


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
                "way": "server",
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


def open_exhibit(exhibit: Exhibit, *, actor: str, reason: str, now: datetime) -> bytes:
    """The original bytes. The opening is logged with its reason before they are returned (B17).

    Raises KeyMissing in a process without the vault identity, BlobMissing, CannotOpen.
    """
    identity = vault.identity_of(exhibit.report)
    custody.record(exhibit, custody.OPENED, actor=actor, why=reason, now=now)
    with storage().open(exhibit.blob) as sealed:
        data = seal.open_sealed(sealed.read(), identity)
    if hashlib.sha256(data).digest() != bytes(exhibit.sha256):
        raise CannotOpen(f"{exhibit} is not the file that was received")
    return data


def take_fingerprint(
    exhibit: Exhibit, *, now: datetime, last_try: bool = True
) -> Fingerprint | None:
    """Open, fingerprint and forget. None where the file is no usable picture; its code is kept.

    Safe to repeat: an exhibit that was done is left as it is. A decoder that died or was slow may
    be this machine's fault and not the file's: unless it is the `last_try`, DecoderCrashed and
    DecodeTimeout are raised and nothing is concluded. Raises KeyMissing and StorageUnavailable.
    """
    known = Fingerprint.objects.filter(exhibit=exhibit).first()
    if known is not None or exhibit.state == State.REFUSED:
        return known
    try:
        data = open_exhibit(exhibit, actor="worker", reason="fingerprint", now=now)
        made: ImageFingerprint = sandbox().run(fingerprint.member, data)
    except (DecoderCrashed, DecodeTimeout) as error:
        if not last_try:
            raise
        return _refuse(exhibit, error, now=now)
    except (MediaError, CannotOpen, BlobMissing) as error:
        return _refuse(exhibit, error, now=now)
    return _keep(exhibit, made, now=now)


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
    Exhibit.objects.filter(pk=exhibit.pk).update(state=State.REFUSED, refusal=error.code)
    audit.record(
        "exhibit:refused", subject=exhibit, actor="worker", at=now, detail={"code": error.code}
    )
