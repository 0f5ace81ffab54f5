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

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
