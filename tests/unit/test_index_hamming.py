"""Hamming search is exact, whatever was inserted and removed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from haechi.index import HammingIndex, prepare
from haechi.index.hamming import distances, scan, words


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    prepare()


def flipped(bits: bytes, places: list[int]) -> bytes:
    number = int.from_bytes(bits)
    for place in places:
        number ^= 1 << place
    return number.to_bytes(32)


def brute(known: dict[int, bytes], bits: bytes, radius: int) -> set[tuple[int, int]]:
    """The obvious answer, by Python's integers."""
    query = int.from_bytes(bits)
    found = {(key, (int.from_bytes(kept) ^ query).bit_count()) for key, kept in known.items()}
    return {(key, distance) for key, distance in found if distance <= radius}


hashes = st.binary(min_size=32, max_size=32)
flips = st.lists(st.integers(0, 255), max_size=60, unique=True)


@settings(max_examples=80, deadline=None)
@given(st.lists(flips, max_size=40), hashes, st.integers(0, 40), st.sampled_from([0, 5, 1000]))
def test_every_neighbour_is_found(
    planted: list[list[int]], centre: bytes, radius: int, scan_limit: int
) -> None:
    """Neighbours at every distance around the radius, by buckets and by scan."""
    index = HammingIndex(scan_limit=scan_limit)
    known = {key: flipped(centre, places) for key, places in enumerate(planted)}
    for key, bits in known.items():
        index.insert(key, bits)
    found = index.search(centre, radius)
    assert set(found) == brute(known, centre, radius)
    assert len(found) == len(set(found))


def test_neighbours_among_many_strangers() -> None:
    rng = np.random.default_rng(3)
    known = {key: rng.bytes(32) for key in range(3000)}
    query = rng.bytes(32)
    for at, count in enumerate(range(0, 45, 3)):
        known[9000 + at] = flipped(query, rng.choice(256, count, replace=False).tolist())
    index = HammingIndex(scan_limit=100)
    for key, bits in known.items():
        index.insert(key, bits)
    for radius in (0, 15, 16, 31, 32, 40):
        assert set(index.search(query, radius)) == brute(known, query, radius)
    assert index._built > 2900


class Life(RuleBasedStateMachine):
    """An index with tiny limits, so that every few acts the buckets are built anew."""

    def __init__(self) -> None:
        super().__init__()
        self.index = HammingIndex(scan_limit=3)
        self.known: dict[int, bytes] = {}

    @rule(key=st.integers(-5, 20), centre=st.sampled_from([bytes(32), b"\xaa" * 32]), places=flips)
    def insert(self, key: int, centre: bytes, places: list[int]) -> None:
        """A new hash, or another for a known key."""
        self.known[key] = flipped(centre, places)
        self.index.insert(key, self.known[key])

    @rule(key=st.integers(-5, 20))
    def remove(self, key: int) -> None:
        """Also of keys that are not there."""
        self.known.pop(key, None)
        self.index.remove(key)

    @rule(centre=st.sampled_from([bytes(32), b"\xaa" * 32]), radius=st.integers(0, 40))
    def search(self, centre: bytes, radius: int) -> None:
        """Equal to the obvious answer at any time."""
        assert set(self.index.search(centre, radius)) == brute(self.known, centre, radius)

    @invariant()
    def counts(self) -> None:
        """What is known is counted."""
        assert len(self.index) == len(self.known)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)


def test_scan_equals_its_reference() -> None:
    rng = np.random.default_rng(8)
    rows = rng.integers(0, 2**64, (500, 4), dtype=np.uint64)
    query = rows[3]
    rows[4] = ~query
    assert (scan(rows, query) == distances(rows, query)).all()
    assert scan(rows, query)[[3, 4]].tolist() == [0, 256]
    assert scan(rows[:0], query).shape == (0,)


def test_more_hits_than_there_was_room_for() -> None:
    index = HammingIndex(scan_limit=10)
    for key in range(3000):
        index.insert(key, bytes(32))
    assert sorted(index.search(bytes(32), 31)) == [(key, 0) for key in range(3000)]


def test_replacing_over_and_over_does_not_grow() -> None:
    index = HammingIndex()
    for turn in range(5000):
        index.insert(turn % 7, turn.to_bytes(32))
    assert len(index) == 7
    assert len(index._keys) <= 64


def test_words_are_the_bytes() -> None:
    assert words(bytes(range(32))).tobytes() == bytes(range(32))
