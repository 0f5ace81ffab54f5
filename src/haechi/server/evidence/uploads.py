"""Files that the browser seals and sends in pieces, up to 2 GB, over connections that break.

The page makes an age identity, encrypts the file as it is read, and sends the envelope piece by
piece. Who knows what:

- **This server, while it arrives**, knows the envelope alone: its length, its form (age v1 for one
  X25519 recipient, `seal.header`), its SHA-256. No piece is acknowledged before it is on the disk
  (B14), and no plaintext is here at all (B12).
- **With the report** the page tells the identity, once, and of each file the name, the SHA-256 and
  the kind. The identity is wrapped as the report's own and forgotten; the name goes into the sealed
  story. That the identity opens the envelope is proved from its header, without decrypting a byte
  of the file: a receipt never promises what nobody can open. The size follows from the length.
- **The worker**, which opens the exhibit, is the first to see the file. SHA-256 and kind are the
  browser's word until then (`Exhibit.verified_at`); where they are not true, it puts the true ones
  in their place and the log says so (`services.take_fingerprint`). What a liar gains is a wrong
  number for some seconds: nothing is matched or decided by a told digest.

An interrupted upload goes on from what the row says is received. A piece that was written and not
acknowledged is written over; the browser still has it, since it encrypts no further before the
answer. Reloading the page loses the identity, so such an upload is begun anew and the old one is
forgotten by time.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet, Sum

from haechi.blobs import Parts, Store
from haechi.errors import (
    BadPiece,
    BlobMissing,
    CannotOpen,
    NotSealed,
    StorageUnavailable,
    TooManyUploads,
    UploadBusy,
    UploadTooLong,
    UploadUnfinished,
    UploadUnknown,
    WrongKey,
    WrongOffset,
)
from haechi.media import Kind
from haechi.seal import header
from haechi.server.evidence.models import Upload
from haechi.server.evidence.sealing import SealedFile
from haechi.server.evidence.storage import storage
from haechi.server.evidence.way import Way

ID_BYTES = 32
READ_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Announced:
    """What a page tells of one finished upload, with the report."""

    id: str
    name: str
    sha256: bytes
    kind: Kind


def begin(page: str, length: int, *, now: datetime) -> str:
    """Make room for an envelope of `length` bytes; gives the id that the page alone knows.

    Raises UploadTooLong, TooManyUploads, NotSealed for a length no envelope has, and
    StorageUnavailable where the disk would be too full.
    """
    _check_length(length)
    parts = _parts()
    if parts.free_bytes() < length + settings.UPLOAD_RESERVE_BYTES:
        raise StorageUnavailable("the disk has no room for this upload")
    name, digest = secrets.token_urlsafe(ID_BYTES), _page_digest(page)
    with transaction.atomic():
        # Of one page one at a time, so that ten requests at once have no more than one has.
        with connection.cursor() as cursor:
            lock = int.from_bytes(digest[:8], "big", signed=True)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        mine = Upload.objects.filter(page_digest=digest)
        if mine.count() >= settings.SEALED_UPLOADS_PER_PAGE:
            raise TooManyUploads(f"{settings.SEALED_UPLOADS_PER_PAGE} uploads of this page")
        taken = mine.aggregate(all=Sum("length"))["all"] or 0
        if taken + length > settings.SEALED_PAGE_LIMIT_BYTES:
            raise UploadTooLong("all uploads of this page are too long together")
        Upload.objects.create(
            id_digest=_id_digest(name),
            page_digest=digest,
            blob=parts.new(),
            length=length,
            started_at=now,
            touched_at=now,
        )
    return name


def received(page: str, name: str) -> tuple[int, bool]:
    """How many bytes are there, durably, and whether the upload is finished."""
    found = _of(page, name).first()
    if found is None:
        raise UploadUnknown
    return found.received, found.finished_at is not None


@transaction.atomic
def receive(page: str, name: str, offset: int, piece: bytes, *, now: datetime) -> int:
    """Write one piece; when this has returned and committed, it is on the disk. Gives the new end.

    Raises WrongOffset, UploadTooLong, NotSealed, BadPiece, UploadUnknown or UploadBusy; then
    nothing of the piece counts.
    """
    upload = _locked(page, name)
    if offset != upload.received or upload.finished_at is not None:
        raise WrongOffset(upload.received)
    if not piece:
        raise BadPiece("an empty piece")
    if offset + len(piece) > upload.length:
        raise UploadTooLong("longer than was told at the start")
    if offset == 0:
        _check_head(piece)
    upload.received = _parts().append(upload.blob, offset, piece)
    upload.touched_at = now
    upload.save(update_fields=["received", "touched_at"])
    return upload.received


@transaction.atomic
def finish(page: str, name: str, *, now: datetime) -> None:
    """Digest the whole envelope and make it a blob; safe to repeat. Raises UploadUnfinished."""
    upload = _locked(page, name)
    if upload.finished_at is not None:
        return
    if upload.received != upload.length:
        raise UploadUnfinished(f"{upload.received} of {upload.length} bytes are there")
    store, parts = storage(), _parts()
    # A process that died after the file was moved, before the row said so, left only the blob.
    store.adopt(parts.path(upload.blob), upload.blob)
    if store.size(upload.blob) != upload.length:
        raise BlobMissing("a part of this upload is gone")
    upload.cipher_sha256 = _sha256(store, upload.blob)
    upload.finished_at = upload.touched_at = now
    upload.save(update_fields=["cipher_sha256", "finished_at", "touched_at"])


@transaction.atomic
def drop(page: str, name: str) -> None:
    """Forget an upload and its bytes, because the page says so."""
    _forget(_locked(page, name))


def named(page: str, told: Sequence[Announced], identity: str) -> list[SealedFile]:
    """The finished uploads that a report names, as files of it; reads their heads alone.

    Raises UploadUnknown, UploadUnfinished, or WrongKey where `identity` does not open one.
    """
    return [_as_file(page, one, identity) for one in told]


def touch(files: Iterable[SealedFile], *, now: datetime) -> None:
    """A page still speaks of these: they wait as long again."""
    Upload.objects.filter(blob__in=[file.blob for file in files]).update(touched_at=now)


def claim(files: Iterable[SealedFile]) -> None:
    """Hand uploads over to a report, inside its transaction; from here on they are its exhibits.

    Raises UploadUnknown where one was forgotten or taken over meanwhile.
    """
    names = [file.blob for file in files if file.way == Way.BROWSER]
    taken, _ = Upload.objects.filter(blob__in=names, finished_at__isnull=False).delete()
    if taken != len(names):
        raise UploadUnknown


def forget_old(*, now: datetime) -> int:
    """Delete what nobody went on with, bytes first; returns how many. Safe to repeat."""
    idle = Q(finished_at__isnull=True, touched_at__lte=now - settings.UPLOAD_IDLE)
    waited = Q(touched_at__lte=now - settings.UPLOAD_WAITS)
    count = 0
    for number in Upload.objects.filter(idle | waited).values_list("pk", flat=True):
        with transaction.atomic():
            old = Upload.objects.select_for_update(skip_locked=True).filter(
                idle | waited, pk=number
            )
            for upload in old:
                _forget(upload)
                count += 1
    return count


def _check_length(length: int) -> None:
    if length > header.envelope_bytes(settings.SEALED_LIMIT_BYTES):
        raise UploadTooLong(f"more than {settings.SEALED_LIMIT_BYTES} bytes")
    try:
        header.plain_bytes(length)
    except CannotOpen as error:
        raise NotSealed(str(error)) from error


def _check_head(piece: bytes) -> None:
    if len(piece) < header.SHORTEST_BYTES:
        raise BadPiece("the first piece holds the whole header")
    try:
        header.check_form(piece[: header.HEAD_BYTES])
    except CannotOpen as error:
        raise NotSealed(str(error)) from error


def _as_file(page: str, told: Announced, identity: str) -> SealedFile:
    upload = _of(page, told.id).first()
    if upload is None:
        raise UploadUnknown
    if upload.finished_at is None or upload.cipher_sha256 is None:
        raise UploadUnfinished(f"{upload.received} of {upload.length} bytes are there")
    with storage().open(upload.blob) as sealed:
        head = sealed.read(header.HEAD_BYTES)
    try:
        fits = header.is_for(head, identity)
    except CannotOpen as error:
        raise WrongKey(str(error)) from error
    if not fits:
        raise WrongKey
    return SealedFile(
        blob=upload.blob,
        name=told.name,
        sha256=told.sha256,
        cipher_sha256=bytes(upload.cipher_sha256),
        size=header.plain_bytes(upload.length),
        kind=told.kind,
        way=Way.BROWSER,
    )


def _of(page: str, name: str) -> QuerySet[Upload]:
    return Upload.objects.filter(id_digest=_id_digest(name), page_digest=_page_digest(page))


def _locked(page: str, name: str) -> Upload:
    """The row, for this transaction alone; of two requests at once, one is told to come back."""
    found = _of(page, name)
    upload = found.select_for_update(skip_locked=True).first()
    if upload is not None:
        return upload
    raise UploadBusy if found.exists() else UploadUnknown


def _forget(upload: Upload) -> None:
    _parts().discard(upload.blob)
    store = storage()
    if store.exists(upload.blob):
        store.delete(upload.blob)
    upload.delete()


def _parts() -> Parts:
    # On the disk of the blobs: a part becomes one by being renamed.
    if not settings.HAECHI.blobs:
        storage()  # Raises where the disk is away: no folder for parts is made in its place.
    return Parts(Path(settings.BLOBS) / "parts")


def _sha256(store: Store, name: str) -> bytes:
    digest = hashlib.sha256()
    with store.open(name) as sealed:
        while chunk := sealed.read(READ_BYTES):
            digest.update(chunk)
    return digest.digest()


def _id_digest(name: str) -> bytes:
    return hashlib.sha256(b"haechi upload" + name.encode()).digest()


def _page_digest(page: str) -> bytes:
    return hashlib.sha256(b"haechi upload page" + page.encode()).digest()
