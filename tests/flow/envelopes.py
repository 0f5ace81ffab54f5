"""Age envelopes as a browser makes them: one X25519 recipient and nothing else.

pyrage adds a stanza that means nothing ("grease"), which the public site does not take; this is
written from the format's description (https://c2sp.org/age), and by other code than either side runs.
"""

import base64
import hmac
import os

import bech32
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 64 * 1024


def envelope(data: bytes, recipient: str) -> bytes:
    """`data`, sealed to `recipient`."""
    to = _bytes_of(recipient)
    mine = X25519PrivateKey.generate()
    share = mine.public_key().public_bytes_raw()
    shared = mine.exchange(X25519PublicKey.from_public_bytes(to))
    file_key = os.urandom(16)
    wrap = _derive(shared, share + to, b"age-encryption.org/v1/X25519")
    wrapped = ChaCha20Poly1305(wrap).encrypt(bytes(12), file_key, None)
    head = b"age-encryption.org/v1\n-> X25519 %s\n%s\n---" % (_text(share), _text(wrapped))
    mac = hmac.digest(_derive(file_key, b"", b"header"), head, "sha256")
    nonce = os.urandom(16)
    payload = _stream(_derive(file_key, nonce, b"payload"), data)
    return head + b" " + _text(mac) + b"\n" + nonce + payload


def _stream(key: bytes, data: bytes) -> bytes:
    chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)] or [b""]
    cipher = ChaCha20Poly1305(key)
    return b"".join(
        cipher.encrypt(n.to_bytes(11, "big") + bytes([n == len(chunks) - 1]), chunk, None)
        for n, chunk in enumerate(chunks)
    )


def _derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _text(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _bytes_of(recipient: str) -> bytes:
    _, words = bech32.bech32_decode(recipient)
    return bytes(bech32.convertbits(words or [], 5, 8, pad=False) or [])
