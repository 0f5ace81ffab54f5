"""What can be told of an envelope without opening it: its form, its length, and whom it is for.

Envelopes that a browser made come from outside. The only form taken is age v1 with exactly one
X25519 recipient (https://c2sp.org/age): its header then has 168 bytes, and 16 bytes of nonce follow.
Nothing here decrypts a byte of the payload.
"""

import base64
import hmac
import re

import bech32
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from haechi.errors import CannotOpen
from haechi.seal.keys import recipient_of

_TEXT = rb"[A-Za-z0-9+/]{43}"
_FORM = re.compile(
    rb"(age-encryption\.org/v1\n-> X25519 (%(t)s)\n(%(t)s)\n---) (%(t)s)\n" % {b"t": _TEXT}
)
_NONCE_BYTES = 16
_TAG_BYTES = 16
_CHUNK_BYTES = 64 * 1024
HEAD_BYTES = 168 + _NONCE_BYTES
"""Everything before the payload."""
SHORTEST_BYTES = HEAD_BYTES + _TAG_BYTES + 1
"""An envelope of one byte."""


def envelope_bytes(plain_bytes: int) -> int:
    """How long the envelope of so many bytes is."""
    chunks = max(1, -(-plain_bytes // _CHUNK_BYTES))
    return HEAD_BYTES + plain_bytes + _TAG_BYTES * chunks


def plain_bytes(length: int) -> int:
    """How many bytes are in an envelope of this length. Raises CannotOpen where none has it."""
    payload = length - HEAD_BYTES
    chunks = -(-payload // (_CHUNK_BYTES + _TAG_BYTES))
    inside = payload - chunks * _TAG_BYTES
    if inside < 1 or envelope_bytes(inside) != length:
        raise CannotOpen(f"no envelope has {length} bytes")
    return inside


def check_form(head: bytes) -> None:
    """Raises CannotOpen unless an envelope with one X25519 recipient can begin like this."""
    _parts(head)


def is_for(head: bytes, identity: str) -> bool:
    """True where `identity` opens the header: the file key unwraps, and the header's MAC fits.

    Raises CannotOpen where `head` is none, or `identity` is malformed.
    """
    signed, share, wrapped, mac = _parts(head)
    recipient = _key(recipient_of(identity))
    secret = X25519PrivateKey.from_private_bytes(_key(identity))
    try:
        shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
        wrap_key = _derive(shared, share + recipient, b"age-encryption.org/v1/X25519")
        file_key = ChaCha20Poly1305(wrap_key).decrypt(bytes(12), wrapped, None)
    except (ValueError, InvalidTag):  # ValueError: a share of low order
        return False
    return hmac.compare_digest(
        hmac.digest(_derive(file_key, b"", b"header"), signed, "sha256"), mac
    )


def _parts(head: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    found = _FORM.match(head)
    if found is None:
        raise CannotOpen("this is no age envelope for one X25519 recipient")
    share, wrapped, mac = (base64.b64decode(found[n] + b"=") for n in (2, 3, 4))
    return found[1], share, wrapped, mac


def _derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _key(text: str) -> bytes:
    """The 32 bytes of an identity or a recipient that was parsed before."""
    _, words = bech32.bech32_decode(text.strip())
    return bytes(bech32.convertbits(words or [], 5, 8, pad=False) or [])
