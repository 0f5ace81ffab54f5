"""What every place for blobs promises."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self


class Source(Protocol):
    """An open blob."""

    def read(self, size: int = -1, /) -> bytes:
        """Give at most `size` bytes, all that is left if negative, b"" at the end."""

    def close(self) -> None:
        """Let go of it; may be called twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None: ...


class Writer(Protocol):
    """A blob that is being written: write(), then commit() for its name, or discard().

    As a context manager it discards at the end of the block unless commit() was called. After an
    error nothing of it stays and no other call works but discard().
    """

    size: int

    def write(self, data: bytes) -> int:
        """Add all of `data`. Returns its length in bytes."""

    def commit(self) -> str:
        """Give the blob its name. When this returns, the blob is durable and can be opened."""

    def discard(self) -> None:
        """Drop what was written. After commit() it does nothing."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Store(Protocol):
    """Blobs by name: 32 lower-case hexadecimal digits; any other name is BlobMissing.

    Every method raises StorageUnavailable when the storage is full, forbidden or away.
    """

    def new(self) -> Writer:
        """Begin a blob; it has no name until commit()."""

    def open(self, name: str) -> Source:
        """Open a blob for reading; the caller closes it. Raises BlobMissing."""

    def size(self, name: str) -> int:
        """Give the length in bytes. Raises BlobMissing."""

    def stored_at(self, name: str) -> datetime:
        """Give the time it was stored, by the storage's clock. Raises BlobMissing."""

    def exists(self, name: str) -> bool:
        """Say whether there is a blob of that name."""

    def delete(self, name: str) -> None:
        """Remove a blob for good. Raises BlobMissing if it is gone already."""

    def adopt(self, part: Path, name: str) -> None:
        """Make a complete local file the blob `name`; the file is gone when this returns.

        Safe to repeat. Raises BlobMissing where neither the file nor the blob is there.
        """

    def names(self) -> Iterator[str]:
        """Give the name of every complete blob, in order; unfinished ones are left out."""

    def unfinished(self) -> Iterator[tuple[str, datetime]]:
        """Give what was begun and neither committed nor discarded, with when it was last touched.

        It may still be under way.
        """

    def drop_unfinished(self, token: str) -> None:
        """Remove one of unfinished(); if it is gone already, that is well."""
