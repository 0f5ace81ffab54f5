"""Pictures that were sealed while another part of the form has to be put right.

They are not sent twice: the page carries a token that only this server reads (Fernet, from
SECRET_KEY). It names the sealed files and holds the identity they were sealed to, for two hours.
Nothing about them is in the database, in a cookie or in an address.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import Error as DatabaseError

from haechi import seal
from haechi.blobs import Store
from haechi.errors import BlobError
from haechi.media import Kind
from haechi.server.evidence import services as evidence
from haechi.server.evidence.sealing import SealedFile
from haechi.server.evidence.storage import storage
from haechi.server.evidence.way import Way

TTL_S = 2 * 60 * 60
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Kept:
    """Sealed files that are not yet part of a report, and the identity that opens them."""

    identity: str
    files: tuple[SealedFile, ...]

    @property
    def recipient(self) -> str:
        """Whom the page seals further files to, or "" where it makes its own identity."""
        return seal.recipient_of(self.identity) if self.files else ""

    def token(self) -> str:
        """For the hidden field; unreadable outside this server."""
        held = {"identity": self.identity, "files": [_as_json(file) for file in self.files]}
        return _fernet().encrypt(json.dumps(held).encode()).decode()


def read(token: str) -> Kept | None:
    """What a token holds, or None where it is too old or not ours. Touches no storage."""
    try:
        held = json.loads(_fernet().decrypt(token.encode(), ttl=TTL_S))
    except InvalidToken:
        return None
    return Kept(held["identity"], tuple(_from_json(file) for file in held["files"]))


def complete(kept: Kept) -> bool:
    """True while every file is still stored. Raises StorageUnavailable."""
    store = storage()
    return all(store.exists(file.blob) for file in kept.files)


def join(kept: Kept, new: Iterable[SealedFile], identity: str) -> Kept:
    """`kept` with `new`, which this request sealed to `identity`, sealed again to the kept one.

    The plaintext passes through memory in small pieces. Raises StorageUnavailable, CannotOpen.
    """
    again = tuple(_seal_again(file, identity, kept.identity) for file in new)
    return replace(kept, files=kept.files + again)


def forget(files: Iterable[SealedFile]) -> None:
    """Delete files of this request that will belong to no report; never one that an exhibit names.

    While the database cannot say which are named, all of them stay.
    """
    blobs = [file.blob for file in files]
    with suppress(BlobError, DatabaseError):
        for blob in evidence.unclaimed(blobs):
            with suppress(BlobError):
                storage().delete(blob)


def _seal_again(file: SealedFile, identity: str, other: str) -> SealedFile:
    store = storage()
    with (
        store.open(file.blob) as sealed,
        seal.open_stream(sealed, identity) as plain,
        store.new() as blob,
    ):
        with seal.StreamSealer(blob, seal.recipient_of(other)) as sealer:
            for chunk in plain:
                sealer.write(chunk)
        name = blob.commit()
    store.delete(file.blob)
    return replace(file, blob=name, cipher_sha256=_sha256(store, name))


def _sha256(store: Store, name: str) -> bytes:
    digest = hashlib.sha256()
    with store.open(name) as stored:
        while chunk := stored.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.digest()


def _as_json(file: SealedFile) -> dict[str, str | int]:
    return {
        "blob": file.blob,
        "name": file.name,
        "sha256": file.sha256.hex(),
        "cipher_sha256": file.cipher_sha256.hex(),
        "size": file.size,
        "kind": file.kind.value,
        "way": file.way.value,
    }


def _from_json(row: dict[str, str | int]) -> SealedFile:
    return SealedFile(
        blob=str(row["blob"]),
        name=str(row["name"]),
        sha256=bytes.fromhex(str(row["sha256"])),
        cipher_sha256=bytes.fromhex(str(row["cipher_sha256"])),
        size=int(row["size"]),
        kind=Kind(str(row["kind"])),
        way=Way(str(row["way"])),
    )


def _fernet() -> Fernet:
    key = hashlib.sha256(b"haechi kept files" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
