"""What is told of an envelope without opening it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.flow.envelopes import envelope

from haechi import seal
from haechi.errors import CannotOpen
from haechi.seal import header

MINE = seal.new_identity()
OTHER = seal.new_identity()


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 131_072, 200_000])
def test_an_envelope_has_the_length_that_is_told(size: int) -> None:
    made = envelope(bytes(size), seal.recipient_of(MINE))

    assert len(made) == header.envelope_bytes(size)
    assert header.plain_bytes(len(made)) == size
    assert seal.open_sealed(made, MINE) == bytes(size)


@given(st.integers(1, 3 * 1024**3))
def test_lengths_go_both_ways(size: int) -> None:
    assert header.plain_bytes(header.envelope_bytes(size)) == size


@pytest.mark.parametrize("length", [-1, 0, 184, 200, header.envelope_bytes(65_536) + 16])
def test_lengths_no_envelope_has(length: int) -> None:
    with pytest.raises(CannotOpen):
        header.plain_bytes(length)


def test_whom_it_is_for_is_told_from_the_header_alone() -> None:
    head = envelope(b"x", seal.recipient_of(MINE))[: header.HEAD_BYTES]

    assert header.is_for(head, MINE)
    assert not header.is_for(head, OTHER)


def test_a_header_whose_mac_does_not_fit_is_for_nobody() -> None:
    """Its file key unwraps, and yet nobody's age would open it."""
    made = bytearray(envelope(b"x", seal.recipient_of(MINE)))
    made[130] = ord("A") if made[130] != ord("A") else ord("B")

    assert not header.is_for(bytes(made), MINE)


def test_a_share_of_low_order_is_for_nobody() -> None:
    made = envelope(b"x", seal.recipient_of(MINE))
    low = made[:32] + b"A" * 43 + made[75:]

    assert not header.is_for(low, MINE)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8\xff\xe0" * 60,
        b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 18\n" + b"A" * 200,
        seal.seal(b"x", seal.recipient_of(MINE), seal.recipient_of(OTHER)),
        b"age-encryption.org/v2\n" + envelope(b"x", seal.recipient_of(MINE))[22:],
        b" " + envelope(b"x", seal.recipient_of(MINE)),
    ],
    ids=["nothing", "picture", "pass phrase", "two recipients", "v2", "shifted"],
)
def test_any_other_form_is_refused(head: bytes) -> None:
    with pytest.raises(CannotOpen):
        header.check_form(head)


@pytest.mark.parametrize("identity", ["", "AGE-SECRET-KEY-1", "x" * 5000, seal.recipient_of(MINE)])
def test_what_is_no_identity_is_said(identity: str) -> None:
    with pytest.raises(CannotOpen):
        header.is_for(envelope(b"x", seal.recipient_of(MINE)), identity)
