"""Identity files guarded by a passphrase, as `age --passphrase` makes and reads them."""

import pyrage  # type: ignore[import-untyped]  # a Rust extension without annotations
from pyrage import passphrase as scrypt

from haechi.errors import CannotOpen, SealError

_BEGINNINGS = (b"age-encryption.org/v1\n-> scrypt ", b"-----BEGIN AGE ENCRYPTED FILE-----")


def guarded(data: bytes) -> bool:
    """True where `data` is an age file, which only its passphrase opens."""
    return data.startswith(_BEGINNINGS)


def guard(data: bytes, passphrase: str) -> bytes:
    """Encrypt `data` so that `passphrase` opens it (scrypt; about a second). Raises SealError."""
    if not passphrase:
        raise SealError("a passphrase cannot be empty")
    try:
        return bytes(scrypt.encrypt(data, passphrase))
    except pyrage.EncryptError as error:
        raise SealError("sealing failed") from error


def unguard(data: bytes, passphrase: str) -> bytes:
    """The data, opened with the passphrase. Raises CannotOpen; what was wrong is not said."""
    try:
        return bytes(scrypt.decrypt(data, passphrase))
    except pyrage.DecryptError as error:
        raise CannotOpen("the passphrase does not open this, or it is damaged") from error
