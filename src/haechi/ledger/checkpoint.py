"""Signed checkpoints: how long the log is and what its Merkle root is, at one moment.

Text after the C2SP specifications signed-note (https://c2sp.org/signed-note) and tlog-checkpoint
(https://c2sp.org/tlog-checkpoint), so that tools for transparency logs can check it:

    example.org/haechi          origin: who signs, and the name of the key
    4096                        entries
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=    root, Base64
    time 2026-11-21T10:00:00Z   UTC
    (an empty line)
    — example.org/haechi Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5...
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from haechi.errors import LedgerError

ED25519 = b"\x01"
NOTE_CHARACTERS = 64 * 1024
_ORIGIN = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
_TEXT = re.compile(
    r"(?P<origin>[^\n]+)\n"
    r"(?P<size>0|[1-9][0-9]{0,18})\n"
    r"(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"time (?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})Z\n"
)


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log at one moment.

    size    Entries, from 0.
    root    Merkle root over them, 32 bytes.
    at      Aware; kept to the second, in UTC.
    origin  Name of the log and of its key: no white space, no plus sign, at most 200 characters.

    Raises LedgerError if one of them is not so.
    """

    size: int
    root: bytes
    at: datetime
    origin: str

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.root) != hashlib.sha256().digest_size:
            raise LedgerError("a checkpoint needs a size from 0 and a root of 32 bytes")
        if self.at.tzinfo is None:
            raise LedgerError("a checkpoint needs a time zone")
        if not _ORIGIN.fullmatch(self.origin):
            raise LedgerError("an origin is one word without a plus sign")
        object.__setattr__(self, "at", self.at.astimezone(UTC).replace(microsecond=0))

    def to_note(self) -> str:
        """Give the text that is signed, four lines with a line feed at the end of each."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\ntime {self.at:%Y-%m-%dT%H:%M:%S}Z\n"

    def sign(self, private_key: Ed25519PrivateKey) -> str:
        """Give the signed note: text, empty line, one signature line."""
        text = self.to_note()
        key_id = _key_id(self.origin, private_key.public_key())
        signature = base64.b64encode(key_id + private_key.sign(text.encode())).decode()
        return f"{text}\n— {self.origin} {signature}\n"

    @classmethod
    def verify(cls, note: str, public_key: Ed25519PublicKey) -> Self:
        """Read a signed note whose signatures include a good one by this key.

        Signatures by others (witnesses) are passed over. Raises LedgerError otherwise.
        """
        text, separator, signatures = note[:NOTE_CHARACTERS].rpartition("\n\n")
        text += "\n"
        checkpoint = cls._read(text)
        key_id = _key_id(checkpoint.origin, public_key)
        prefix = f"— {checkpoint.origin} "
        for line in signatures.split("\n") if separator else ():
            if line.startswith(prefix):
                blob = _base64(line.removeprefix(prefix))
                if blob[:4] == key_id and _is_good(public_key, blob[4:], text):
                    return checkpoint
        raise LedgerError("no good signature by this key")

    @classmethod
    def unverified(cls, note: str) -> Self:
        """Read a signed note without looking at its signatures. Raises LedgerError."""
        return cls._read(note[:NOTE_CHARACTERS].rpartition("\n\n")[0] + "\n")

    @classmethod
    def _read(cls, text: str) -> Self:
        found = _TEXT.fullmatch(text)
        if not found:
            raise LedgerError("this is not a checkpoint")
        try:
            at = datetime.fromisoformat(found["at"]).replace(tzinfo=UTC)
        except ValueError as error:
            raise LedgerError("this is not a time") from error
        return cls(int(found["size"]), _base64(found["root"]), at, found["origin"])


def verifier_key(origin: str, public_key: Ed25519PublicKey) -> str:
    """Give the public key in the form that note tools read: name+id+key."""
    key = base64.b64encode(ED25519 + public_key.public_bytes_raw()).decode()
    return f"{origin}+{_key_id(origin, public_key).hex()}+{key}"


def _key_id(origin: str, public_key: Ed25519PublicKey) -> bytes:
    named_key = origin.encode() + b"\n" + ED25519 + public_key.public_bytes_raw()
    return hashlib.sha256(named_key).digest()[:4]


def _is_good(public_key: Ed25519PublicKey, signature: bytes, text: str) -> bool:
    try:
        public_key.verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LedgerError("this is not Base64") from error
    # Several texts decode to the same bytes; one of them is the right one.
    if base64.b64encode(data).decode() != text:
        raise LedgerError("this is not Base64 as it is written")
    return data
