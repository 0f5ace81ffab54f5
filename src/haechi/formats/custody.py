"""Packages of evidence that a stranger verifies with published tools (docs/vault.md has the steps).

manifest.json        what is in it, who may open it, who had it in hands
exhibits/1.age       an original, sealed with age to whoever asked for it
exhibits/1.tsr       a time stamp (RFC 3161) over its receipt, where there is one
log/12.json          an entry of the audit log, byte for byte as its hash covers it
checkpoint.txt       the signed state of the log (C2SP tlog-checkpoint)
key.txt              the key that signed it, as tools for signed notes read it
SHA256SUMS           of every file above, for `sha256sum --check`
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haechi.errors import InvalidDocument, LedgerError
from haechi.ledger import Checkpoint, entry_hash, verify_inclusion

FORMAT = "haechi-custody/1"
MANIFEST, CHECKPOINT, SUMS, KEY = "manifest.json", "checkpoint.txt", "SHA256SUMS", "key.txt"
CHUNK_BYTES = 1 << 20
LONGEST_MANIFEST_BYTES = 64 * 1024 * 1024


def sums(folder: Path) -> str:
    """SHA256SUMS over every file of the folder but itself."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    return "".join(f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


def sha256(path: Path) -> str:
    """Of a file, as lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def faults(folder: Path) -> Iterator[str]:
    """What is wrong with a package, one sentence each; nothing where it is as it was made.

    Whose key signed the checkpoint is the reader's to know. Raises InvalidDocument where this is no
    package at all.
    """
    manifest = _manifest(folder)
    try:
        if sums(folder) != (folder / SUMS).read_text(encoding="utf-8"):
            yield "the files are not those of SHA256SUMS"
        checkpoint = Checkpoint.unverified((folder / CHECKPOINT).read_text(encoding="utf-8"))
        for exhibit in manifest["exhibits"]:
            if sha256(_inside(folder, exhibit["file"])) != exhibit["file_sha256"]:
                yield f"{exhibit['file']} is not the file of the manifest"
        for entry in manifest["log"]["entries"]:
            yield from _entry_faults(folder, entry, checkpoint)
    except (OSError, KeyError, TypeError, ValueError, LedgerError) as error:
        yield f"it cannot be read to its end: {error}"


def _entry_faults(folder: Path, entry: dict[str, Any], checkpoint: Checkpoint) -> Iterator[str]:
    payload = _inside(folder, entry["file"]).read_bytes()
    hashed = entry_hash(bytes.fromhex(entry["previous"]), payload)
    if hashed.hex() != entry["hash"]:
        yield f"entry {entry['position']} was changed"
        return
    proof = [bytes.fromhex(step) for step in entry["proof"]]
    try:
        verify_inclusion(hashed, entry["position"] - 1, checkpoint.size, proof, checkpoint.root)
    except LedgerError as error:
        yield f"entry {entry['position']} is not in the log that was signed: {error}"


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        with (folder / MANIFEST).open("rb") as file:
            read = json.loads(file.read(LONGEST_MANIFEST_BYTES))
    except (OSError, ValueError) as error:
        raise InvalidDocument(f"{folder} holds no readable {MANIFEST}") from error
    if not isinstance(read, dict) or read.get("format") != FORMAT:
        raise InvalidDocument(f"{folder} is no package of the format {FORMAT}")
    return read


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InvalidDocument("a name in the manifest leads out of the package")
    return path
