"""Whole envelopes in memory, for small things: records, wrapped keys, messages."""

import pyrage  # type: ignore[import-untyped]  # a Rust extension without annotations

from haechi.errors import CannotOpen, SealError
from haechi.seal.keys import parse_identity, parse_recipients


def seal(data: bytes, *recipients: str) -> bytes:
    """Seal bytes so that each of the recipients can open them alone.

    Adds about 200 bytes for the first recipient, 100 for each other one and 16 for each 64 KiB.
    Raises KeyMissing without a recipient, SealError if one is malformed.
    """
    keys = parse_recipients(recipients)
    try:
        return bytes(pyrage.encrypt(data, keys))
    except pyrage.EncryptError as error:
        raise SealError("sealing failed") from error


def open_sealed(data: bytes, *identities: str) -> bytes:
    """Open an envelope with whichever identity fits; all of it is authenticated before it returns.

    Raises CannotOpen if an identity is malformed, or if none fits, or if the envelope is cut
    short, altered or no envelope at all. Which of these it was is only in the text.
    """
    keys = [parse_identity(identity) for identity in identities]
    try:
        return bytes(pyrage.decrypt(data, keys))
    except pyrage.DecryptError as error:
        raise CannotOpen(str(error)) from error
