"""Cutting a hash into numbers that a database indexes: nothing is lost, and no neighbour is missed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from haechi.server.tracing import bands

hashes = st.binary(min_size=32, max_size=32)


@given(st.lists(hashes, min_size=1, max_size=4))
def test_the_numbers_are_all_of_the_hash(told: list[bytes]) -> None:
    cuts = bands.cut(bands.words(told))
    assert [one.tobytes() for one in bands.joined(cuts)] == told
    assert cuts.max() < 2**31, "they are kept as integers of four bytes"


@given(
    hashes,
    st.integers(0, 40).flatmap(
        lambda radius: st.tuples(
            st.just(radius), st.lists(st.integers(0, 255), max_size=radius, unique=True)
        )
    ),
)
def test_whatever_is_within_the_radius_shares_a_value_that_is_looked_up(
    told: bytes, flipped: tuple[int, list[int]]
) -> None:
    """Recall 1 by construction: any hash with any of up to `radius` bits flipped."""
    radius, places = flipped
    bits = np.unpackbits(np.frombuffer(told, np.uint8))
    bits[places] ^= 1
    other = bands.cut(bands.words([np.packbits(bits).tobytes()]))[0].tolist()
    probed = bands.looked_up(bands.words([told]), radius)
    assert any(value in set(values) for value, values in zip(other, probed, strict=True))


def test_the_flips_that_were_spread_worst_are_found() -> None:
    """Three flips in each of ten bands and one in the eleventh: one band too few by a single bit."""
    edges = np.cumsum((0, *bands.BANDS.widths))
    probed = bands.looked_up(bands.words([bytes(32)]), 31)
    wide = [len(values) > 100 for values in probed]
    assert wide.count(False) == 1
    places = [
        int(start) + flip
        for start, two in zip(edges, wide, strict=False)
        for flip in range(3 if two else 1)
    ]
    assert len(places) == 31
    bits = np.zeros(256, np.uint8)
    bits[places] = 1
    far = np.packbits(bits, bitorder="little").tobytes()
    values = bands.cut(bands.words([far]))[0].tolist()
    found = [value in set(some) for value, some in zip(values, probed, strict=True)]
    assert found.count(True) == 1
