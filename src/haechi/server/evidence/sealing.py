"""Seal a file while it arrives, so that no plaintext touches a disk (B12).

Django hands an upload over in chunks. Each chunk is counted, digested and encrypted to the report's
own recipient at once; what reaches the disk is an age envelope. The process forgets the identity
with the request.
"""

import hashlib
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers
from django.http import HttpRequest

from haechi import seal
from haechi.blobs import Writer
from haechi.errors import HaechiError, MediaError, NotMedia, TooManyBytes, TooManyFiles
from haechi.media import Kind, sniff
from haechi.server.evidence.storage import storage
from haechi.server.evidence.way import Way

HEAD_BYTES = 512


@dataclass(frozen=True)
class SealedFile:
    """A file that is sealed and durably stored; not yet part of a report.

    name          as the sender called it; goes only inside the sealed story (B13)
    way           who sealed it: here, or the sender's browser
    sha256, kind  of the plaintext; of what a browser sealed, only what it says
    """

    blob: str
    name: str
    sha256: bytes
    cipher_sha256: bytes
    size: int
    kind: Kind
    way: Way = Way.SERVER


class SealedUpload(UploadedFile):  # type: ignore[type-arg]  # generic in the stubs alone
    """What the form finds in `request.FILES`: a sealed file, or why there is none."""

    def __init__(self, name: str, sealed: SealedFile | None, refusal: HaechiError | None) -> None:
        super().__init__(file=None, name=name, size=sealed.size if sealed else 0)
        self.sealed = sealed
        self.refusal = refusal

    def close(self) -> None:
        """Nothing is open: what was sealed is stored. Django closes the files of a body it refuses."""


class SealingUploadHandler(FileUploadHandler):
    """Seals every file of one request: to one fresh identity (`identity_of` finds it again).

    recipient   of a report that exists already; then there is no fresh identity in it
    """

    chunk_size = 256 * 1024

    def __init__(self, request: HttpRequest | None = None, *, recipient: str = "") -> None:
        super().__init__(request)
        self.identity = seal.new_identity()
        self._recipient = recipient
        self.count = 0
        self._begun = self._completed = False
        self._sealing: _Sealing | None = None
        self._refusal: HaechiError | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's signature
        """Begin one file."""
        super().new_file(*args, **kwargs)
        self.count += 1
        self._begun, self._completed = True, False
        self._refusal, self._sealing = None, None
        if self.count > settings.UPLOADS_PER_REPORT:
            self._refusal = TooManyFiles(f"more than {settings.UPLOADS_PER_REPORT} files")
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002  # Django's signature
        """Seal one chunk; after a refusal the rest of the file is read and dropped."""
        if self._refusal is not None:
            return
        try:
            if self._sealing is None:
                self._sealing = _Sealing(self._recipient or seal.recipient_of(self.identity))
            self._sealing.write(raw_data)
        except HaechiError as error:
            self._refuse(error)

    def file_complete(self, file_size: int) -> SealedUpload | None:  # noqa: ARG002  # as above
        """Finish the envelope and store it durably."""
        self._completed = True
        name = self.file_name or ""
        sealed = None
        if self._refusal is None and self._sealing is None:
            self._refusal = NotMedia("the file is empty")
        if self._refusal is None and self._sealing is not None:
            try:
                sealed = self._sealing.finish(name)
            except HaechiError as error:
                self._refuse(error)
        self._sealing = None
        return SealedUpload(name, sealed, self._refusal)

    def upload_complete(self) -> None:
        """The form has ended. Raises BadRequest where that was in the middle of a file.

        A telephone that loses its connection leaves the fields before the file looking complete;
        a report made of those would have a code that nobody has seen.
        """
        if self._sealing is not None or (self._begun and not self._completed):
            self.upload_interrupted()
            raise BadRequest("the upload ended before its end")

    def upload_interrupted(self) -> None:
        """The connection ended in the middle: nothing of it stays."""
        if self._sealing is not None:
            self._sealing.abort()
            self._sealing = None

    def _refuse(self, error: HaechiError) -> None:
        self._refusal = error
        if self._sealing is not None:
            self._sealing.abort()
            self._sealing = None


class _Sealing:
    """One file on its way into its envelope."""

    def __init__(self, recipient: str) -> None:
        self._blob: Writer = storage().new()
        self._cipher = _Digesting(self._blob)
        self._sealer = seal.StreamSealer(self._cipher, recipient)
        self._sha256 = hashlib.sha256()
        self._head = b""
        self._kind: Kind | None = None
        self._size = 0

    def write(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > settings.UPLOAD_LIMIT_BYTES:
            raise TooManyBytes(f"more than {settings.UPLOAD_LIMIT_BYTES} bytes")
        if self._kind is None:
            self._head = (self._head + chunk)[:HEAD_BYTES]
            if len(self._head) == HEAD_BYTES:
                self._kind = sniff(self._head)
        self._sha256.update(chunk)
        self._sealer.write(chunk)

    def finish(self, name: str) -> SealedFile:
        kind = self._kind or self._sniff_short()
        self._sealer.finish()
        return SealedFile(
            blob=self._blob.commit(),
            name=name,
            sha256=self._sha256.digest(),
            cipher_sha256=self._cipher.sha256.digest(),
            size=self._size,
            kind=kind,
        )

    def abort(self) -> None:
        self._sealer.abort()
        self._blob.discard()

    def _sniff_short(self) -> Kind:
        try:
            return sniff(self._head)
        except MediaError:
            self.abort()
            raise


class _Digesting:
    """A writer that digests what passes through it."""

    def __init__(self, out: Writer | IO[bytes]) -> None:
        self.sha256 = hashlib.sha256()
        self._out = out

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self._out.write(data)
        return len(data)

    def flush(self) -> None:
        """Durability is the blob's business, at commit."""


def identity_of(request: HttpRequest) -> str:
    """The fresh identity that the files of this request were sealed to."""
    for handler in request.upload_handlers:
        if isinstance(handler, SealingUploadHandler):
            return handler.identity
    return seal.new_identity()
