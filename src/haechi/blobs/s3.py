"""Blobs in a bucket of an S3-compatible store.

    bucket/prefix/3fa0...   a blob: 32 lower-case hexadecimal digits, chosen at random

An object is there as a whole or not at all, and the service says so after it has stored it. A small
blob is one PUT; a longer one is a multipart upload, which has no name until it is completed. One
that was begun and never completed is found by unfinished().

Needs boto3 (`pip install 'haechi[s3]'`). Credentials come from where boto3 looks for them: the
environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), a file, or the machine's role.
"""

import base64
import contextlib
import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import boto3  # type: ignore[import-untyped]  # its classes are made at run time
from botocore.config import Config  # type: ignore[import-untyped]  # as above
from botocore.exceptions import (  # type: ignore[import-untyped]  # as above
    BotoCoreError,
    ClientError,
    HTTPClientError,
)

from haechi.blobs.local import NAME, random_name
from haechi.errors import BlobError, BlobMissing, StorageUnavailable

# Every part but the last has at least 5 MiB, says S3; 10,000 parts of 8 MiB are 78 GiB.
PART_BYTES = 8 * 1024 * 1024
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
ATTEMPTS = 3
_GONE = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})


class S3Store:
    """Blobs below `prefix` of one bucket, which must exist; many machines may share it.

    address    s3://bucket or s3://bucket/prefix
    endpoint   address of the service, None for Amazon's
    timeouts   seconds to connect, and to wait for an answer; each request is tried three times

    Every method raises StorageUnavailable when the service refuses, is full or does not answer.
    """

    def __init__(
        self,
        address: str,
        *,
        endpoint: str | None = None,
        region: str | None = None,
        timeouts_s: tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        new_name: Callable[[], str] = random_name,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme != "s3" or not parts.netloc:
            raise BlobError(f"{address} is not of the form s3://bucket/prefix")
        self._bucket = parts.netloc
        prefix = parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._new_name = new_name
        config = Config(
            connect_timeout=timeouts_s[0],
            read_timeout=timeouts_s[1],
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Other services than Amazon's do not all know its newer check sums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if endpoint else "auto"},
        )
        with _storage("reach", self._bucket):
            self._client: Any = boto3.session.Session().client(
                "s3", endpoint_url=endpoint, region_name=region or "us-east-1", config=config
            )

    def new(self) -> "S3Writer":
        """Begin a blob; it has no name until commit()."""
        name = self._new_name()
        return S3Writer(self._client, self._bucket, self._key(name), name)

    def open(self, name: str) -> "S3Source":
        """Open a blob for reading; the caller closes it. Raises BlobMissing."""
        with _storage("open", name):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
        return S3Source(answer["Body"], name)

    def size(self, name: str) -> int:
        """Give the length in bytes. Raises BlobMissing."""
        return int(self._head(name)["ContentLength"])

    def stored_at(self, name: str) -> datetime:
        """Give the time it was stored. Raises BlobMissing."""
        found: datetime = self._head(name)["LastModified"]
        return found

    def exists(self, name: str) -> bool:
        """Say whether there is a blob of that name."""
        try:
            self.size(name)
        except BlobMissing:
            return False
        return True

    def delete(self, name: str) -> None:
        """Remove a blob. Raises BlobMissing if it is gone already.

        A bucket that keeps versions keeps the bytes: switch versions off, or let them expire.
        """
        self.size(name)
        with _storage("delete", name):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))

    def adopt(self, part: Path, name: str) -> None:
        """Store a complete local file as the blob `name`, then remove the file. Safe to repeat."""
        try:
            source = part.open("rb")
        except FileNotFoundError:
            self.size(name)
            return
        except OSError as error:
            raise StorageUnavailable(f"cannot read {part.name}") from error
        with source, S3Writer(self._client, self._bucket, self._key(name), name) as writer:
            while chunk := source.read(PART_BYTES):
                writer.write(chunk)
            writer.commit()
        with contextlib.suppress(OSError):
            part.unlink()

    def names(self) -> Iterator[str]:
        """Give the name of every complete blob, in order."""
        with _storage("list", self._bucket):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for row in page.get("Contents", ()):
                    name = row["Key"].removeprefix(self._prefix)
                    if NAME.fullmatch(name):
                        yield name

    def unfinished(self) -> Iterator[tuple[str, datetime]]:
        """Give multipart uploads that were never completed, and when each was begun."""
        with _storage("list", self._bucket):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            for page in pages:
                for row in page.get("Uploads", ()):
                    name = row["Key"].removeprefix(self._prefix)
                    if NAME.fullmatch(name):
                        yield f"{name}/{row['UploadId']}", row["Initiated"]

    def drop_unfinished(self, token: str) -> None:
        """Abort one of unfinished(); if it is gone already, that is well."""
        name, _, upload = token.partition("/")
        with contextlib.suppress(BlobMissing), _storage("abort", name):
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=self._key(name), UploadId=upload
            )

    def _head(self, name: str) -> dict[str, Any]:
        with _storage("reach", name):
            answer: dict[str, Any] = self._client.head_object(
                Bucket=self._bucket, Key=self._key(name)
            )
        return answer

    def _key(self, name: str) -> str:
        if not NAME.fullmatch(name):
            raise BlobMissing("this is not the name of a blob")
        return self._prefix + name


class S3Writer:
    """A blob on its way into a bucket; haechi.blobs.Writer says what it promises.

    At most one part (8 MiB of ciphertext) is held in memory.
    """

    def __init__(self, client: Any, bucket: str, key: str, name: str) -> None:  # noqa: ANN401  # boto3 makes its classes at run time
        self._client = client
        self._where = {"Bucket": bucket, "Key": key}
        self._name = name
        self._held = bytearray()
        self._upload: str | None = None
        self._parts: list[dict[str, object]] = []
        self._closed = self._committed = False
        self.size = 0

    def write(self, data: bytes) -> int:
        """Add all of `data`. Returns its length in bytes."""
        with self._open("write"):
            self._held += data
            while len(self._held) >= PART_BYTES:
                self._send(bytes(self._held[:PART_BYTES]))
                del self._held[:PART_BYTES]
        self.size += len(data)
        return len(data)

    def commit(self) -> str:
        """Complete the blob; the service has stored it when this returns."""
        with self._open("commit"):
            if self._upload is None:
                data = bytes(self._held)
                self._client.put_object(**self._where, Body=data, ContentMD5=_md5(data))
            else:
                if self._held:
                    self._send(bytes(self._held))
                self._client.complete_multipart_upload(
                    **self._where,
                    UploadId=self._upload,
                    MultipartUpload={"Parts": self._parts},
                )
            # A service that answered well and stored something else is found out here.
            stored = self._client.head_object(**self._where)["ContentLength"]
            if stored != self.size:
                raise StorageUnavailable(f"{self._name} has {stored} bytes, not {self.size}")
        self._closed = self._committed = True
        self._held.clear()
        return self._name

    def discard(self) -> None:
        """Drop what was written. After commit() it does nothing."""
        if self._committed:
            return
        self._closed = True
        self._held.clear()
        # Both: nobody knows how far a commit came that was not answered.
        with contextlib.suppress(BotoCoreError, ClientError, HTTPClientError):
            if self._upload is not None:
                self._client.abort_multipart_upload(**self._where, UploadId=self._upload)
        with contextlib.suppress(BotoCoreError, ClientError, HTTPClientError):
            if self.size:
                self._client.delete_object(**self._where)

    def _send(self, data: bytes) -> None:
        if self._upload is None:
            self._upload = self._client.create_multipart_upload(**self._where)["UploadId"]
        number = len(self._parts) + 1
        answer = self._client.upload_part(
            **self._where,
            UploadId=self._upload,
            PartNumber=number,
            Body=data,
            ContentMD5=_md5(data),
        )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    @contextlib.contextmanager
    def _open(self, act: str) -> Iterator[None]:
        if self._closed:
            raise BlobError("this blob is committed or discarded")
        try:
            with _storage(act, self._name):
                yield
        except BlobMissing as error:
            self.discard()
            raise StorageUnavailable(f"cannot {act} {self._name}") from error
        except StorageUnavailable:
            self.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()


class S3Source(io.RawIOBase):
    """An open blob, read while it comes in."""

    def __init__(self, body: Any, name: str) -> None:  # noqa: ANN401  # as above
        self._body = body
        self._name = name

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Give at most `size` bytes, all that is left if negative, b"" at the end."""
        with _storage("read", self._name):
            return bytes(self._body.read(None if size is None or size < 0 else size))

    def close(self) -> None:
        """Let go of the connection."""
        self._body.close()
        super().close()


@contextlib.contextmanager
def _storage(act: str, name: str) -> Iterator[None]:
    """Turn what boto3 raises into our errors, without the addresses and keys it quotes."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        if code in _GONE:
            raise BlobMissing(name) from error
        raise StorageUnavailable(f"cannot {act} {name}: {code}") from error
    except (BotoCoreError, HTTPClientError, OSError) as error:
        raise StorageUnavailable(f"cannot {act} {name}: {type(error).__name__}") from error


def _md5(data: bytes) -> str:
    digest = hashlib.md5(data, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()
