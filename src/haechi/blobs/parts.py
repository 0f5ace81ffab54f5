"""Blobs on their way: files that grow over several requests, processes and crashes.

    root/3fa0...   a part: 32 lower-case hexadecimal digits

What append() has returned for is on the disk. A part becomes a blob by `LocalStore.adopt`, under
the same name. Like blobs, parts hold ciphertext alone; they stay on this machine wherever blobs go.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from haechi.blobs.local import NAME, random_name, storage, sync_folder
from haechi.errors import BlobMissing


class Parts:
    """Parts in one folder, which is made if need be. Raises StorageUnavailable as LocalStore does.

    Who may write to which part, and how far it has come, is the caller's book-keeping: two writers
    of one part spoil it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        with storage("make", root):
            root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def new(self) -> str:
        """A name for a part; the file comes with its first bytes."""
        return random_name()

    def append(self, name: str, offset: int, data: bytes) -> int:
        """Write `data` at `offset`, durably; returns the length of the part then.

        Whatever lay beyond `offset` is dropped: it was never acknowledged. Raises BlobMissing where
        the part is shorter than `offset`.
        """
        path = self.path(name)
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | (0 if offset else os.O_CREAT)
        with storage("write", path):
            try:
                handle = os.open(path, flags, 0o600)
            except FileNotFoundError as error:
                raise BlobMissing(name) from error
            try:
                _write(handle, name, offset, data)
            finally:
                os.close(handle)
            if not offset:
                sync_folder(self.root)
        return offset + len(data)

    def chunks(self, name: str, size: int = 1 << 20) -> Iterator[bytes]:
        """The bytes of a part, `size` at a time. Raises BlobMissing."""
        path = self.path(name)
        with storage("read", path):
            try:
                opened = path.open("rb")
            except FileNotFoundError as error:
                raise BlobMissing(name) from error
            with opened as part:
                while chunk := part.read(size):
                    yield chunk

    def discard(self, name: str) -> None:
        """Remove a part; if it is gone already, that is well."""
        with storage("remove", self.path(name)):
            self.path(name).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """How much fits on this disk."""
        with storage("ask", self.root):
            found = os.statvfs(self.root)
        return found.f_bavail * found.f_frsize

    def path(self, name: str) -> Path:
        """Where a part of that name lies, whether or not it is there."""
        if not NAME.fullmatch(name):
            raise BlobMissing("this is not the name of a part")
        return self.root / name


def _write(handle: int, name: str, offset: int, data: bytes) -> None:
    if os.fstat(handle).st_size < offset:
        raise BlobMissing(name)
    left = memoryview(data)
    at = offset
    while left:
        done = os.pwrite(handle, left, at)
        left, at = left[done:], at + done
    os.ftruncate(handle, at)
    os.fsync(handle)
