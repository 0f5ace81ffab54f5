"""Identities and recipients of age, X25519 only."""

from collections.abc import Sequence

import bech32
import pyrage  # type: ignore[import-untyped]  # a Rust extension without annotations
from pyrage import x25519

from haechi.errors import CannotOpen, KeyMissing, SealError

KEY_BYTES = 32


def new_identity() -> str:
    """Make a fresh identity ("AGE-SECRET-KEY-1...") from the system's random source."""
    return str(x25519.Identity.generate())


def recipient_of(identity: str) -> str:
    """Give the recipient ("age1...") that belongs to an identity.

    Raises CannotOpen if the text is not an X25519 identity.
    """
    return str(parse_identity(identity).to_public())


def identity_from_key(key: bytes) -> str:
    """Give the identity whose X25519 secret is these 32 bytes; the same key, the same identity.

    The key must come from a key derivation or a random source: it is used as it is.
    Encoding: Bech32 with the prefix "AGE-SECRET-KEY-", in capitals, as age writes it.
    Raises SealError unless the key has exactly 32 bytes.
    """
    if len(key) != KEY_BYTES:
        msg = f"a key has {KEY_BYTES} bytes, not {len(key)}"
        raise SealError(msg)
    words = bech32.convertbits(key, 8, 5) or []
    return bech32.bech32_encode("age-secret-key-", words).upper()


def parse_identity(identity: str) -> x25519.Identity:
    """Read an identity; raises CannotOpen, without repeating the secret text."""
    try:
        return x25519.Identity.from_str(identity.strip())
    except pyrage.IdentityError:
        # The cause is dropped on purpose: it may quote a secret.
        raise CannotOpen("this is not an age identity") from None


def parse_recipients(recipients: Sequence[str]) -> list[x25519.Recipient]:
    """Read recipients; raises KeyMissing if there is none, SealError if one is malformed."""
    if not recipients:
        raise KeyMissing("there is no recipient to seal to")
    try:
        return [x25519.Recipient.from_str(text.strip()) for text in recipients]
    except pyrage.RecipientError as error:
        raise SealError("this is not an age recipient") from error
