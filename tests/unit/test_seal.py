"""Age envelopes in memory, and the keys that open them."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi import seal
from haechi.errors import CannotOpen, KeyMissing, SealError

KEY = bytes(range(32))
IDENTITY = seal.identity_from_key(KEY)
RECIPIENT = seal.recipient_of(IDENTITY)


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt or None, info).derive(secret)


def unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def open_by_the_specification(envelope: bytes, key: bytes) -> bytes:
    """Open a one-recipient X25519 envelope by the words of age-encryption.org/v1 alone."""
    head, _, rest = envelope.partition(b"\n---")
    mac, _, payload = rest.partition(b"\n")
    version, _, stanzas = head.decode().partition("\n-> ")
    assert version == "age-encryption.org/v1"
    # Some implementations add a stanza of a made-up kind, so that readers learn to skip it.
    ours = [each for each in stanzas.split("\n-> ") if each.startswith("X25519 ")]
    [(_kind, share, wrapped)] = [each.split() for each in ours]
    private = X25519PrivateKey.from_private_bytes(key)
    public = private.public_key().public_bytes_raw()
    shared = private.exchange(X25519PublicKey.from_public_bytes(unpadded(share)))
    wrap = hkdf(shared, unpadded(share) + public, b"age-encryption.org/v1/X25519")
    file_key = ChaCha20Poly1305(wrap).decrypt(bytes(12), unpadded(wrapped), None)
    check = hmac.HMAC(hkdf(file_key, b"", b"header"), hashes.SHA256())
    check.update(head + b"\n---")
    check.verify(unpadded(mac.decode().strip()))
    cipher = ChaCha20Poly1305(hkdf(file_key, payload[:16], b"payload"))
    pieces = [payload[at : at + 65552] for at in range(16, len(payload), 65552)]
    return b"".join(
        cipher.decrypt(number.to_bytes(11) + bytes([piece is pieces[-1]]), piece, None)
        for number, piece in enumerate(pieces)
    )


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_an_envelope_opens_by_the_published_specification(size: int) -> None:
    """B35: a stranger needs nothing of ours."""
    data = bytes(size)
    assert open_by_the_specification(seal.seal(data, RECIPIENT), KEY) == data


@given(data=st.binary(max_size=2000))
@settings(deadline=None)
def test_what_is_sealed_opens_again(data: bytes) -> None:
    assert seal.open_sealed(seal.seal(data, RECIPIENT), IDENTITY) == data


def test_each_recipient_opens_alone_and_nobody_else() -> None:
    other, stranger = seal.new_identity(), seal.new_identity()
    envelope = seal.seal(b"words", RECIPIENT, seal.recipient_of(other))
    assert seal.open_sealed(envelope, IDENTITY) == b"words"
    assert seal.open_sealed(envelope, other) == b"words"
    with pytest.raises(CannotOpen):
        seal.open_sealed(envelope, stranger)


def test_two_envelopes_of_the_same_bytes_differ() -> None:
    assert seal.seal(b"same", RECIPIENT) != seal.seal(b"same", RECIPIENT)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_changed_bit_is_noticed(data: st.DataObject) -> None:
    envelope = bytearray(seal.seal(b"evidence" * 20, RECIPIENT))
    at = data.draw(st.integers(0, 10_000)) % len(envelope)
    envelope[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CannotOpen):
        seal.open_sealed(bytes(envelope), IDENTITY)


@given(kept=st.integers(0, 65_900))
@settings(max_examples=40, deadline=None)
def test_any_shortened_envelope_is_refused(kept: int) -> None:
    envelope = seal.seal(bytes(65_700), RECIPIENT)
    assert kept < len(envelope)
    with pytest.raises(CannotOpen):
        seal.open_sealed(envelope[:kept], IDENTITY)


def test_an_identity_comes_from_32_bytes_and_always_the_same_one() -> None:
    """The recipient is checked against the public key that another library computes."""
    expected = "AGE-SECRET-KEY-1QQQSYQCYQ5RQWZQFPG9SCRGWPUGPZYSNZS23V9CCRYDPK8QARC0SWRYDWG"
    assert expected == IDENTITY
    public = X25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw()
    assert seal.recipient_of(IDENTITY) == RECIPIENT
    assert bech32_bytes(RECIPIENT) == public


def bech32_bytes(text: str) -> bytes:
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    bits = "".join(f"{alphabet.index(each):05b}" for each in text.split("1", 1)[1][:-6])
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(SealError):
        seal.identity_from_key(bytes(length))


def test_new_identities_are_new() -> None:
    assert seal.new_identity() != seal.new_identity()


def test_without_a_recipient_nothing_is_sealed() -> None:
    with pytest.raises(KeyMissing):
        seal.seal(b"words")


@pytest.mark.parametrize("text", ["", "age1", "age1foo", "AGE-SECRET-KEY-1", RECIPIENT[:-1], "ä"])
def test_a_malformed_recipient_is_refused(text: str) -> None:
    with pytest.raises(SealError):
        seal.seal(b"words", text)


def test_an_identity_is_no_recipient() -> None:
    with pytest.raises(SealError):
        seal.seal(b"words", IDENTITY)


def test_a_malformed_identity_is_refused_without_repeating_it() -> None:
    secret = IDENTITY[:-1] + "X"
    with pytest.raises(CannotOpen) as caught:
        seal.open_sealed(seal.seal(b"words", RECIPIENT), secret)
    assert secret not in str(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("text", [f" {RECIPIENT}\n", f"{RECIPIENT}\r\n"])
def test_white_space_around_a_key_from_a_file_does_not_matter(text: str) -> None:
    assert seal.open_sealed(seal.seal(b"words", text), f"{IDENTITY}\n") == b"words"
