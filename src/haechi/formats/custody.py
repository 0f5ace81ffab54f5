"""Packages of evidence that a stranger verifies with published tools (docs/packages.md has the list).

manifest.json        every file with its SHA-256, who may open it, who had it in hands
verify.md            how to check all of it with age, sha256sum, openssl and Python alone
SHA256SUMS           of every file but itself and its signature, for `sha256sum --check`
SHA256SUMS.sig       Ed25519 over it, with the key that signs the log (log/key.pem)
ORIGINALS.sha256     of the originals once they are opened: exhibits/1.age becomes originals/1
log/...              entries of the audit log with their proofs (formats.log_proofs)

What else is in it is the maker's business (server.flow.packaging). A package is a ZIP that is written
while it is made: nothing is held but one piece of a file.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from haechi.errors import InvalidDocument, LedgerError
from haechi.formats import log_proofs

FORMAT = "haechi-package/1"
MANIFEST, SUMS, ORIGINALS, VERIFY = "manifest.json", "SHA256SUMS", "ORIGINALS.sha256", "verify.md"
SIGNATURE = f"{SUMS}.sig"
LONGEST_MANIFEST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Member:
    """One file of a package."""

    name: str
    sha256: str
    size: int


class Out(Protocol):
    """Where a package goes: a file, or what seals it on its way there."""

    def write(self, data: bytes, /) -> object:
        """Take all of `data`."""


class Entry:
    """One file while it is written: digests what passes."""

    def __init__(self, into: Out) -> None:
        self._into = into
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes, /) -> int:
        """Take more of it."""
        self._into.write(data)
        self._digest.update(data)
        self._size += len(data)
        return len(data)

    def member(self, name: str) -> Member:
        """What it came to."""
        return Member(name, self._digest.hexdigest(), self._size)


class Package:
    """A package while it is written into `out`, which gets a whole ZIP with `finish`."""

    def __init__(self, out: Out, *, at: datetime) -> None:
        self._zip = zipfile.ZipFile(_Onward(out), "w", zipfile.ZIP_STORED)
        self._at = at.astimezone(UTC).timetuple()[:6]
        self.members: list[Member] = []
        self._originals: list[str] = []

    def abort(self) -> None:
        """Write nothing more: what was written so far is no ZIP."""
        self._zip.fp = None

    @contextmanager
    def open(self, name: str) -> Iterator[Entry]:
        """One file, written piece by piece."""
        info = zipfile.ZipInfo(name, date_time=self._at)
        with self._zip.open(info, "w", force_zip64=True) as into:
            entry = Entry(into)
            yield entry
        self.members.append(entry.member(name))

    def add(self, name: str, data: bytes) -> None:
        """One file at once."""
        with self.open(name) as entry:
            entry.write(data)

    def original(self, number: int, sha256: str) -> None:
        """exhibits/N.age holds an original with this digest."""
        self._originals.append(f"{sha256}  originals/{number}\n")

    def finish(self, facts: Mapping[str, object], key: Ed25519PrivateKey) -> None:
        """Write manifest, recipe and signed digests, and close the ZIP."""
        if self._originals:
            self.add(ORIGINALS, "".join(self._originals).encode())
        stamped = any(member.name.endswith(".tsr") for member in self.members)
        recipe = how_to_verify(originals=bool(self._originals), stamped=stamped)
        self.add(VERIFY, recipe.encode())
        listed = [{"name": m.name, "sha256": m.sha256, "size": m.size} for m in self.members]
        manifest = {"format": FORMAT, **facts, "members": listed}
        self.add(MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")
        sums = _sums(self.members)
        self.add(SUMS, sums)
        self.add(SIGNATURE, key.sign(sums))
        self._zip.close()


def how_to_verify(*, originals: bool, stamped: bool) -> str:
    """verify.md, without the steps for what a package has not."""
    parts = {"originals": originals, "stamped": stamped}
    text = files("haechi.formats").joinpath("data/verify.md").read_text(encoding="utf-8")
    for name, there in parts.items():
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        inside, _, after = rest.partition(f"<!-- /{name} -->\n")
        text = before + (inside if there else "") + after
    return text.replace("<!-- log -->\n", log_proofs.recipe())


def faults(folder: Path) -> Iterator[str]:
    """What is wrong with an unpacked package, one sentence each; nothing where it is as it was made.

    Whose key signed it is the reader's to know. What is sealed to the receiver stays closed. Raises
    InvalidDocument where this is no package at all.
    """
    manifest = _manifest(folder)
    try:
        there = [member for member in _found(folder) if not _made_here(member.name)]
        if _sums(there) != (folder / SUMS).read_bytes():
            yield f"the files are not those of {SUMS}"
        if not _signed(folder):
            yield f"{SIGNATURE} is no signature over {SUMS} by {log_proofs.KEY_PEM}"
        by_name = {member.name: member.sha256 for member in there}
        for listed in manifest["members"]:
            if by_name.get(listed["name"]) != listed["sha256"]:
                yield f"{listed['name']} is not the file of the manifest"
        yield from log_proofs.faults(folder)
    except (OSError, KeyError, TypeError, ValueError, LedgerError) as error:
        yield f"it cannot be read to its end: {error}"


def _sums(members: Iterable[Member]) -> bytes:
    lines = sorted((member.name, member.sha256) for member in members)
    return "".join(f"{digest}  {name}\n" for name, digest in lines).encode()


def _made_here(name: str) -> bool:
    return name in (SUMS, SIGNATURE)


def _found(folder: Path) -> Iterator[Member]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield Member(path.relative_to(folder).as_posix(), digest, path.stat().st_size)


def _signed(folder: Path) -> bool:
    key = load_pem_public_key((folder / log_proofs.KEY_PEM).read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify((folder / SIGNATURE).read_bytes(), (folder / SUMS).read_bytes())
    except InvalidSignature:
        return False
    return True


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        with (folder / MANIFEST).open("rb") as file:
            read = json.loads(file.read(LONGEST_MANIFEST_BYTES))
    except (OSError, ValueError) as error:
        raise InvalidDocument(f"{folder} holds no readable {MANIFEST}") from error
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise InvalidDocument(f"{folder} is no package of the format {FORMAT}")
    return read


class _Onward(io.RawIOBase):
    """What the ZIP is written to: it cannot seek, and hands everything on."""

    def __init__(self, out: Out) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  # any buffer
        given = bytes(data)
        self._out.write(given)
        return len(given)
