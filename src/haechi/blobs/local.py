"""Blobs in a local folder.

    root/3f/a0/3fa0...   a blob: 32 lower-case hexadecimal digits, chosen at random
    root/3f/a0/.3fa0...  one that is still being written, or was when the power went

A blob that has a name is complete and on the disk: it is written under the second form, synced,
renamed, and the folders above are synced before the name is given to anybody.

    root/.haechi-blobs   says that this is the folder of blobs and not the place where its disk
                         is mounted: while it is not there, nothing is missing, the disk is away
"""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from haechi.errors import BlobError, BlobMissing, StorageUnavailable

NAME = re.compile(r"[0-9a-f]{32}")
PART = re.compile(r"\.[0-9a-f]{32}")
FOLDER = re.compile(r"[0-9a-f]{2}")
MARKER = ".haechi-blobs"


def random_name() -> str:
    """Give 128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


class LocalStore:
    """Blobs below one folder, which is made if need be; several processes may share it.

    root      The folder. Its files are readable by their owner only.
    new_name  Where names come from; 128 random bits by default.
    unused    Asked where the folder is there, empty and without marker: may it be taken into use?
              Otherwise it is a disk that is not mounted, or a new one that nobody has marked.

    Every method raises StorageUnavailable when the disk is full, read-only, forbidden or away.
    A name that is not 32 lower-case hexadecimal digits is BlobMissing, whatever it points to.
    """

    def __init__(
        self,
        root: Path,
        *,
        new_name: Callable[[], str] = random_name,
        unused: Callable[[], bool] = lambda: False,
    ) -> None:
        self.root = root
        self._new_name = new_name
        with storage("make", root):
            if not root.exists():
                _make(root)
            if not self._marked():
                self._adopt_root(unused)

    def _marked(self) -> bool:
        return (self.root / MARKER).exists()

    def _adopt_root(self, unused: Callable[[], bool]) -> None:
        """Mark a folder that held blobs before there was a marker, or that is to hold its first."""
        names = [path.name for path in self.root.iterdir()]
        known = any(FOLDER.fullmatch(name) or name == "parts" for name in names)
        if not known and not unused():
            raise StorageUnavailable(f"{self.root.name} has no file {MARKER}: is it mounted?")
        _mark(self.root)

    def new(self) -> "BlobWriter":
        """Begin a blob; it has no name until commit()."""
        return BlobWriter(self.root, self._path(self._new_name()))

    def open(self, name: str) -> BinaryIO:
        """Open a blob for reading; the caller closes it. Raises BlobMissing."""
        self.size(name)
        with self._existing(name):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.fdopen(os.open(self._path(name), flags), "rb")

    def size(self, name: str) -> int:
        """Give the length in bytes. Raises BlobMissing."""
        return self._found(name).st_size

    def stored_at(self, name: str) -> datetime:
        """Give the time of the last write. Raises BlobMissing."""
        return datetime.fromtimestamp(self._found(name).st_mtime, UTC)

    def exists(self, name: str) -> bool:
        """Say whether there is a blob of that name."""
        try:
            self.size(name)
        except BlobMissing:
            return False
        return True

    def delete(self, name: str) -> None:
        """Remove a blob for good; the removal is on the disk when this returns.

        Raises BlobMissing if it is gone already.
        """
        path = self._path(name)
        with self._existing(name):
            path.unlink()
            sync_folder(path.parent)

    def adopt(self, part: Path, name: str) -> None:
        """Make a complete file on the same disk the blob `name`; durable when this returns.

        Safe to repeat. Raises BlobMissing where neither the file nor the blob is there.
        """
        path = self._path(name)
        with storage("adopt", path):
            for folder in (path.parent.parent, path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            try:
                part.rename(path)
            except FileNotFoundError:
                self.size(name)
            for folder in (path.parent, path.parent.parent, self.root, part.parent):
                sync_folder(folder)

    def names(self) -> Iterator[str]:
        """Give the name of every complete blob, in order; unfinished ones are left out."""
        if not self._marked():
            raise StorageUnavailable(f"{self.root.name} has no file {MARKER}: is it mounted?")
        for first in _listed(self.root, FOLDER):
            for second in _listed(self.root / first, FOLDER):
                for name in _listed(self.root / first / second, NAME):
                    if name.startswith(first + second):
                        yield name

    def unfinished(self) -> Iterator[tuple[str, datetime]]:
        """Give the names of blobs without commit(), and when each was last written to."""
        for first in _listed(self.root, FOLDER):
            for second in _listed(self.root / first, FOLDER):
                for part in _listed(self.root / first / second, PART):
                    with storage("reach", self.root), contextlib.suppress(FileNotFoundError):
                        touched = (self.root / first / second / part).lstat().st_mtime
                        yield part[1:], datetime.fromtimestamp(touched, UTC)

    def drop_unfinished(self, token: str) -> None:
        """Remove what was begun under that name and never committed."""
        path = self._path(token)
        with storage("remove", path):
            path.with_name("." + path.name).unlink(missing_ok=True)

    def _found(self, name: str) -> os.stat_result:
        with self._existing(name):
            found = self._path(name).lstat()
        # A link, a folder or a pipe put in place of a blob is none.
        if not stat.S_ISREG(found.st_mode):
            raise BlobMissing(name)
        return found

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise BlobMissing("this is not the name of a blob")
        return self.root / name[:2] / name[2:4] / name

    @contextlib.contextmanager
    def _existing(self, name: str) -> Iterator[None]:
        with storage("reach", self.root):
            try:
                yield
            except FileNotFoundError as error:
                if self._marked():
                    raise BlobMissing(name) from error
                raise


def _make(root: Path) -> None:
    """Make the folder with its marker in one step; another process may be doing the same."""
    root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = root.with_name(f".{root.name}.{random_name()}")
    fresh.mkdir(mode=0o700)
    _mark(fresh)
    try:
        fresh.rename(root)
    except OSError:
        (fresh / MARKER).unlink()
        fresh.rmdir()
        if not root.is_dir():
            raise
    sync_folder(root.parent)


def _mark(root: Path) -> None:
    (root / MARKER).touch(mode=0o600)
    sync_folder(root)


class BlobWriter:
    """A blob that is being written: write(), then commit() for its name, or discard().

    As a context manager it discards at the end of the block unless commit() was called.
    After an error nothing of it stays and no other call works but discard().
    """

    def __init__(self, root: Path, path: Path) -> None:
        self._root = root
        self._path = path
        self._part = path.with_name("." + path.name)
        self._committed = False
        self.size = 0
        with storage("write", path):
            # One by one: a root that is away (not mounted) must not be made anew.
            for folder in (path.parent.parent, path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.fdopen(os.open(self._part, flags, 0o600), "wb")

    def write(self, data: bytes) -> int:
        """Add all of `data`. Returns its length in bytes."""
        with self._open_file("write"):
            self._file.write(data)
        self.size += len(data)
        return len(data)

    def commit(self) -> str:
        """Make the blob durable, then give it its name and return that.

        When this returns, the blob survives a power cut.
        """
        with self._open_file("commit"):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.rename(self._path)
            # If a folder cannot be synced, discard() takes the blob away under its new name.
            self._part = self._path
            for folder in (self._path.parent, self._path.parent.parent, self._root):
                sync_folder(folder)
        self._committed = True
        return self._path.name

    def discard(self) -> None:
        """Drop what was written. After commit() it does nothing."""
        if self._committed:
            return
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink()

    @contextlib.contextmanager
    def _open_file(self, act: str) -> Iterator[None]:
        if self._file.closed:
            raise BlobError("this blob is committed or discarded")
        try:
            with storage(act, self._path):
                yield
        except StorageUnavailable:
            # After a failed write or sync, nobody knows what the disk holds: never try again.
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


@contextlib.contextmanager
def storage(act: str, path: Path) -> Iterator[None]:
    """Turn what the operating system says into StorageUnavailable."""
    try:
        yield
    except OSError as error:
        msg = f"cannot {act} {path.name}: {error.strerror or error}"
        raise StorageUnavailable(msg) from error


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _listed(folder: Path, form: re.Pattern[str]) -> list[str]:
    with storage("list", folder), os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if form.fullmatch(entry.name)
            and (
                entry.is_dir(follow_symlinks=False)
                if form is FOLDER
                else entry.is_file(follow_symlinks=False)
            )
        )
