"""Entries of the audit log with their proofs, as files that a stranger checks (docs/log.md).

log/checkpoint.txt    how long the log was and what it added up to, signed (c2sp.org/tlog-checkpoint)
log/key.pem           the public key that signed it, as openssl reads it
log/key.txt           the same key, as tools for signed notes read it
log/12.json           an entry, byte for byte as its hash covers it
log/12.tlog-proof     the proof that it is in that log (c2sp.org/tlog-proof)
"""

import base64
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from haechi import ledger
from haechi.errors import LedgerError

FOLDER = "log"
KEY_PEM = f"{FOLDER}/key.pem"


def members(
    proofs: Iterable[tuple[int, bytes, str]], note: str, verifier: str
) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file. `proofs` are position, payload and text of the proof."""
    yield f"{FOLDER}/checkpoint.txt", note.encode()
    yield f"{FOLDER}/key.txt", f"{verifier}\n".encode()
    yield KEY_PEM, pem(verifier)
    for position, payload, text in proofs:
        yield f"{FOLDER}/{position}.json", payload
        yield f"{FOLDER}/{position}.tlog-proof", text.encode()


def pem(verifier: str) -> bytes:
    """The key of a verifier line (name+id+key) as PEM."""
    raw = base64.b64decode(verifier.split("+", 2)[2])[1:]
    key = Ed25519PublicKey.from_public_bytes(raw)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def recipe() -> str:
    """How to check them, in commands for openssl, coreutils and Python alone; Markdown."""
    return files("haechi.formats").joinpath("data/check_log.md").read_text(encoding="utf-8")


def faults(folder: Path) -> Iterator[str]:
    """What is wrong with the files of `log` in a folder, one sentence each.

    Raises OSError, ValueError and LedgerError where they cannot be read.
    """
    note = (folder / FOLDER / "checkpoint.txt").read_text(encoding="utf-8")
    key = load_pem_public_key((folder / KEY_PEM).read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        yield f"{KEY_PEM} is no Ed25519 key"
        return
    checkpoint = ledger.Checkpoint.verify(note, key)
    for path in sorted((folder / FOLDER).glob("*.tlog-proof")):
        head, _, proved = path.read_text(encoding="utf-8").partition("\n\n")
        _, extra, index, *steps = head.split("\n")
        payload = path.with_suffix(".json").read_bytes()
        hashed = ledger.entry_hash(_unbase64(extra.partition(" ")[2]), payload)
        number, proof = int(index.partition(" ")[2]), [_unbase64(step) for step in steps]
        try:
            ledger.verify_inclusion(hashed, number, checkpoint.size, proof, checkpoint.root)
        except LedgerError as error:
            yield f"entry {path.stem} is not in the log that was signed: {error}"
        if proved != note or path.stem != str(number + 1):
            yield f"{path.name} is the proof of something else"


def _unbase64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
