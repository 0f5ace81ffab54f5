"""From what was typed to files: folders, globs and a list on standard input, one at a time."""

import errno
import glob
import hashlib
import os
import select
import stat
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from haechi.errors import NotMedia
from haechi.fingerprint import Digests
from haechi.media import Kind, Limits, sniff
from haechi.media.kind import HEAD_BYTES

STANDARD_INPUT = "-"
MISSING = "file.missing"
UNREADABLE = "file.unreadable"

_CHUNK_BYTES = 1024 * 1024
_LOOK_MS = 100


@dataclass(frozen=True, slots=True)
class File:
    """One file as it was read.

    Attributes:
        path: As found.
        digests: Of the whole file.
        head: Its first bytes, as many as `haechi.media.sniff` looks at.
        data: Its bytes, or None if there are more than the limits admit.
    """

    path: str
    digests: Digests
    head: bytes
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer for one file: a stable code, and words for people."""

    path: str
    code: str
    words: str


def walk(typed: Sequence[str], standard_input: int = 0) -> Iterator[str]:
    """The paths of all files that `typed` names, in order, without reading any.

    A folder stands for the regular files in and below it, by name; folders behind links are left
    out. What does not exist is a pattern; what fits nothing is given back as it is, and `read`
    says what is wrong with it. "-" stands for a list on the descriptor `standard_input`, one path
    a line, where patterns are not expanded.
    """
    for path in typed:
        if path == STANDARD_INPUT:
            for line in _lines(standard_input):
                yield from _below(line)
        elif not os.path.lexists(path) and glob.has_magic(path):
            for found in sorted(glob.iglob(path, recursive=True)) or [path]:  # noqa: PTH207 - "**"
                yield from _below(found)
        else:
            yield from _below(path)


def read(path: str, limits: Limits, stop: threading.Event) -> File | Fault:
    """Read one file in one pass; it is kept as far as limits admit its kind. Ends early once `stop`."""
    try:
        if not _readable(Path(path).stat().st_mode):
            return Fault(path, UNREADABLE, "not a regular file")
        with open(path, "rb", buffering=0, opener=_at_once) as source:
            return _digest(path, source.fileno(), limits, stop)
    except FileNotFoundError:
        return Fault(path, MISSING, "no such file or folder")
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        return Fault(path, UNREADABLE, (words or str(error)).lower())


def kind_of(head: bytes) -> Kind | None:
    """What a file that begins with `head` is; None if it is no media."""
    try:
        return sniff(head)
    except NotMedia:
        return None


def _below(path: str) -> Iterator[str]:
    if not os.path.isdir(path):  # noqa: PTH112 - text in, text out
        yield path
        return
    # Not by recursion: people and programs make folders a thousand deep.
    open_folders = [_inside(path)]
    while open_folders:
        found = next(open_folders[-1], None)
        if found is None:
            open_folders.pop()
        elif isinstance(found, str):
            yield found
        elif found.is_dir(follow_symlinks=False):
            open_folders.append(_inside(found.path))
        elif _is_file(found):
            yield found.path


def _inside(folder: str) -> "Iterator[os.DirEntry[str] | str]":
    """What is in a folder, by name; its own path if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return iter(sorted(entries, key=lambda entry: entry.name))
    except OSError:
        return iter([folder])


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """Also where nobody can tell, so that `read` says why. A link in a circle leads nowhere."""
    try:
        return entry.is_file()
    except OSError as error:
        return error.errno != errno.ELOOP


def _lines(descriptor: int) -> Iterator[str]:
    """Lines as soon as they arrive, without the lock of sys.stdin, in which a thread would hang."""
    rest = b""
    while chunk := os.read(descriptor, 65536):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (os.fsdecode(line.rstrip(b"\r")) for line in whole if line.strip())
    if rest.strip():
        yield os.fsdecode(rest.rstrip(b"\r"))


def _readable(mode: int) -> bool:
    """Pipes too, such as a shell's <(...); never devices, which have no end."""
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def _at_once(path: str, flags: int) -> int:
    """Also a pipe that nobody has opened to write: there an interrupt would find a thread hanging."""
    return os.open(path, flags | os.O_NONBLOCK)


def _next(descriptor: int, ready: select.poll, stop: threading.Event) -> bytes:
    """The next piece, as soon as there is one; not empty, and of no use, once `stop`."""
    while not ready.poll(_LOOK_MS):
        if stop.is_set():
            return b"\0"
    return os.read(descriptor, _CHUNK_BYTES)


def _digest(path: str, descriptor: int, limits: Limits, stop: threading.Event) -> File | Fault:
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    kept: list[bytes] | None = []
    head, keep = b"", limits.bytes
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    while chunk := _next(descriptor, ready, stop):
        if stop.is_set():
            return Fault(path, UNREADABLE, "interrupted")
        sha256.update(chunk)
        md5.update(chunk)
        size += len(chunk)
        if len(head) < HEAD_BYTES:
            head = (head + chunk)[:HEAD_BYTES]
            keep = limits.bytes_of(kind_of(head))
        if kept is not None:
            kept.append(chunk)
        if size > keep:
            kept = None
    data = None if kept is None else b"".join(kept)
    return File(path, Digests(sha256.digest(), md5.digest(), size), head, data)
