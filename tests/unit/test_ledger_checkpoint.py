"""Signed checkpoints."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.errors import LedgerError
from haechi.ledger import Checkpoint, verifier_key

KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
AT = datetime(2026, 11, 21, 10, 0, 0, 999, tzinfo=UTC)
POINT = Checkpoint(size=4096, root=b"r" * 32, at=AT, origin="example.org/haechi")


def test_the_note_reads_as_the_specification_says() -> None:
    text, _, signatures = POINT.sign(KEY).partition("\n\n")
    root = base64.b64encode(b"r" * 32).decode()
    assert text == f"example.org/haechi\n4096\n{root}\ntime 2026-11-21T10:00:00Z"
    dash, name, blob = signatures.removesuffix("\n").split(" ")
    assert (dash, name) == ("\u2014", "example.org/haechi")
    raw = base64.b64decode(blob)
    public = KEY.public_key()
    key_id = hashlib.sha256(b"example.org/haechi\n\x01" + public.public_bytes_raw()).digest()[:4]
    assert raw[:4] == key_id
    public.verify(raw[4:], f"{text}\n".encode())
    assert verifier_key("example.org/haechi", public) == (
        f"example.org/haechi+{key_id.hex()}+"
        + base64.b64encode(b"\x01" + public.public_bytes_raw()).decode()
    )


@given(
    size=st.integers(0, 2**60),
    root=st.binary(min_size=32, max_size=32),
    at=st.datetimes(
        min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))]),
    ),
)
@settings(deadline=None)
def test_what_was_signed_is_read_back(size: int, root: bytes, at: datetime) -> None:
    point = Checkpoint(size, root, at, "origin.example")
    assert Checkpoint.verify(point.sign(KEY), KEY.public_key()) == point
    assert abs(point.at - at) < timedelta(seconds=1)


@given(at=st.integers(0, 10**4), replacement=st.characters(codec="ascii"))
@settings(max_examples=200, deadline=None)
def test_any_changed_character_is_noticed(at: int, replacement: str) -> None:
    note = POINT.sign(KEY)
    at %= len(note)
    changed = note[:at] + replacement + note[at + 1 :]
    if changed == note:
        return
    try:
        assert Checkpoint.verify(changed, KEY.public_key()) == POINT
    except LedgerError:
        return
    # Only what comes after the signature line is not signed.
    assert at == len(note) - 1


def test_another_key_is_refused() -> None:
    with pytest.raises(LedgerError):
        Checkpoint.verify(POINT.sign(KEY), Ed25519PrivateKey.generate().public_key())


def test_a_signature_under_another_key_id_is_passed_over() -> None:
    text, _, line = POINT.sign(KEY).partition("\n\n")
    head, _, blob = line.strip().rpartition(" ")
    renamed = base64.b64encode(b"\0\0\0\0" + base64.b64decode(blob)[4:]).decode()
    with pytest.raises(LedgerError):
        Checkpoint.verify(f"{text}\n\n{head} {renamed}\n", KEY.public_key())


def test_a_witness_beside_our_signature_does_no_harm() -> None:
    note = POINT.sign(KEY)
    text, _, ours = note.partition("\n\n")
    witness = f"\u2014 witness.example {base64.b64encode(b'w' * 68).decode()}\n"
    assert Checkpoint.verify(f"{text}\n\n{witness}{ours}", KEY.public_key()) == POINT


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        POINT.to_note(),
        POINT.to_note() + "\n",
        POINT.to_note() + "\n\u2014 example.org/haechi AAAA\n",
        POINT.to_note() + "\n\u2014 example.org/haechi not-base64\n",
        "x\n1\n\n\u2014 x AAAA\n",
        POINT.sign(KEY).replace("4096", "04096"),
        POINT.sign(KEY).replace("T10", "T99"),
    ],
)
def test_what_is_no_signed_checkpoint_is_refused(note: str) -> None:
    with pytest.raises(LedgerError):
        Checkpoint.verify(note, KEY.public_key())


@pytest.mark.parametrize(
    ("size", "root", "at", "origin"),
    [
        (-1, bytes(32), AT, "a"),
        (1, bytes(31), AT, "a"),
        (1, bytes(32), AT.replace(tzinfo=None), "a"),
        (1, bytes(32), AT, ""),
        (1, bytes(32), AT, "a b"),
        (1, bytes(32), AT, "a\nb"),
        (1, bytes(32), AT, "a+b"),
    ],
)
def test_a_checkpoint_that_cannot_be_is_refused(
    size: int, root: bytes, at: datetime, origin: str
) -> None:
    with pytest.raises(LedgerError):
        Checkpoint(size, root, at, origin)
