"""Hamming search is exact, whatever was inserted and removed, by whomever the file was written."""

import math
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from haechi.errors import IndexDamaged
from haechi.index import HammingIndex, pigeonhole, prepare, snapshot
from haechi.index.hamming import KIND, distances, scan, words


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
    index.settle()
    assert index._base.buckets is not None
    for radius in (0, 15, 16, 31, 32, 40):
        assert set(index.search(query, radius)) == brute(known, query, radius)


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

    @rule(
        keys=st.lists(st.integers(-5, 20), unique=True, max_size=8),
        centre=st.sampled_from([bytes(32), b"\xaa" * 32]),
        places=flips,
    )
    def insert_many(self, keys: list[int], centre: bytes, places: list[int]) -> None:
        """New and known keys together."""
        made = [flipped(centre, places[: number * 7]) for number in range(len(keys))]
        self.known.update(zip(keys, made, strict=True))
        rows = np.frombuffer(b"".join(made), dtype=np.uint64).reshape(-1, 4)
        self.index.insert_many(np.array(keys, dtype=np.int64), rows)

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


def test_a_query_that_has_found_enough_stops_and_the_others_are_whole() -> None:
    """What stops a question near two million equal hashes; what is met is near."""
    index, far = HammingIndex(), np.frombuffer(b"\x0f" * 32, np.uint64)
    equal = np.zeros((40_000, 4), dtype=np.uint64)
    some = np.tile(far, (30, 1))
    index.load(np.arange(40_030), np.concatenate([equal, some]))
    index.settle()
    asked = np.stack([equal[0], far])
    numbers, keys, bits = index.search_many(asked, 31, enough=100)
    assert 100 <= (numbers == 0).sum() < 40_000
    assert sorted(keys[numbers == 1]) == list(range(40_000, 40_030))
    assert set(bits.tolist()) == {0}
    assert len(set(keys[numbers == 0].tolist())) == (numbers == 0).sum()
    assert len(index.search_many(asked, 31)[0]) == 40_030


def test_replacing_over_and_over_does_not_grow() -> None:
    index = HammingIndex()
    for turn in range(5000):
        index.insert(turn % 7, turn.to_bytes(32))
    assert len(index) == 7
    assert index.nbytes <= 200 * 49


def test_words_are_the_bytes() -> None:
    assert words(bytes(range(32))).tobytes() == bytes(range(32))


def made(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.arange(count) * 3, rng.integers(0, 2**64, (count, 4), dtype=np.uint64)


@pytest.mark.parametrize("count", [1, 1000, 100_000, 1_000_000, 3_000_000, 10**7, 5 * 10**7, 10**9])
@pytest.mark.parametrize("radius", [0, 1, 15, 31, 40])
def test_no_neighbour_can_hide(count: int, radius: int) -> None:
    """Whoever differs by more than its flips in every band differs by more than the radius."""
    bands = pigeonhole.choose(count)
    probes = pigeonhole.probes(bands, radius)
    assert sum(bands.widths) == 256
    assert (probes.flips + 1).sum() == radius + 1
    assert max(bands.widths) <= pigeonhole.WIDEST
    assert count < 1_000_000 or bands.bytes_per_hash <= pigeonhole.BYTES_PER_HASH
    for band, (first, end) in enumerate(pairwise(probes.first.tolist())):
        masks, flips = probes.masks[first:end], int(probes.flips[band])
        assert len(set(masks.tolist())) == len(masks)
        assert set(np.bitwise_count(masks).tolist()) == set(range(flips + 1))
        assert len(masks) == sum(
            math.comb(bands.widths[band], number) for number in range(flips + 1)
        )


@pytest.mark.parametrize("count", [30_000, 150_000])
def test_many_at_once_equal_one_by_one_and_brute_force(count: int) -> None:
    """Random rows, planted neighbours, a few thousand equal hashes in one bucket of every band."""
    keys, rows = made(count)
    rows[count // 2 : count // 2 + 9_000] = rows[7]
    index = HammingIndex()
    index.load(keys, rows)
    rng = np.random.default_rng(2)
    queries = rows[rng.integers(0, count, 20)].copy()
    for number, query in enumerate(queries):
        for place in rng.choice(256, number * 2, replace=False).tolist():
            query[place >> 6] ^= np.uint64(1 << (place & 63))
    queries[3] = rows[7]
    numbers, found, bits = index.search_many(queries, 31)
    for number, query in enumerate(queries):
        apart = distances(rows, query)
        wanted = {(int(key), int(apart[row])) for row, key in enumerate(keys) if apart[row] <= 31}
        mine = numbers == number
        assert set(zip(found[mine].tolist(), bits[mine].tolist(), strict=True)) == wanted
        assert mine.sum() == len(wanted)
        assert set(index.search(query.tobytes(), 31)) == wanted
    assert len(index.search(rows[7].tobytes(), 0)) >= 9_001


def test_takes_no_more_memory_than_it_says() -> None:
    keys, rows = made(1_000_000)
    index = HammingIndex()
    index.load(keys, rows)
    assert index.nbytes <= 120 * len(index)


def test_of_equal_keys_the_last_counts() -> None:
    keys, rows = made(30_000)
    index = HammingIndex()
    index.insert(3, bytes(32))
    index.load(keys, rows)
    index.load(np.array([9, 6, 9]), rows[[0, 0, 1]])
    assert len(index) == len(keys)
    assert index.search(rows[3].tobytes(), 0) == []
    assert sorted(index.search(rows[1].tobytes(), 0)) == [(3, 0), (9, 0)]
    assert sorted(index.search(rows[0].tobytes(), 0)) == [(0, 0), (6, 0)]


def test_searches_go_on_while_it_is_built_anew() -> None:
    """What stays is found in every answer; what changes meanwhile is in force afterwards."""
    keys, rows = made(60_000)
    index = HammingIndex(scan_limit=500)
    index.load(keys, rows)
    stop, missed = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            if (0, 0) not in index.search(rows[0].tobytes(), 31):
                missed.append(1)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for key in range(3, 15_000, 3):
        index.remove(key)
        index.insert(key + 1, rows[key // 3].tobytes())
    stop.set()
    for thread in threads:
        thread.join()
    index.settle()
    assert not missed
    assert len(index) == len(keys)
    for key in range(3, 15_000, 333):
        assert index.search(rows[key // 3].tobytes(), 0) == [(key + 1, 0)]


@pytest.mark.parametrize("count", [0, 40, 30_000])
def test_a_snapshot_is_the_index(count: int, tmp_path: Path) -> None:
    keys, rows = made(count)
    index = HammingIndex()
    index.load(keys, rows)
    index.insert(-4, bytes(32))
    index.insert(8, b"\xff" * 32)
    index.remove(8)
    index.save(tmp_path / "hashes", 77)
    opened, version = HammingIndex.open(tmp_path / "hashes")
    assert version == 77
    assert len(opened) == len(index) == count + 1
    for query in [bytes(32), *(row.tobytes() for row in rows[:20])]:
        assert sorted(opened.search(query, 31)) == sorted(index.search(query, 31))
    opened.remove(-4)
    opened.insert(5, b"\xff" * 32)
    assert opened.search(bytes(32), 0) == []
    assert opened.search(b"\xff" * 32, 0) == [(5, 0)]
    assert HammingIndex.open(tmp_path / "hashes")[0].search(bytes(32), 0) == [(-4, 0)]


@pytest.mark.parametrize(
    "harm",
    [
        "rows past the end",
        "starts descend",
        "starts past the end",
        "keys descend",
        "cut",
        "no keys",
    ],
)
def test_a_snapshot_that_would_lead_astray_is_refused(harm: str, tmp_path: Path) -> None:
    """Checksums are right here: somebody wrote this file with care."""
    index = HammingIndex()
    index.load(*made(30_000))
    meta, arrays = index.parts()
    arrays = {name: array.copy() for name, array in arrays.items()}
    match harm:
        case "rows past the end":
            arrays["order"][5] = 30_000
        case "starts descend":
            arrays["starts"][8] = arrays["starts"][-1]
        case "starts past the end":
            arrays["starts"][-1] = 2**32 - 1
        case "keys descend":
            arrays["keys"][9] = 1
        case "cut":
            meta["bands"]["widths"][0] += 1
        case _:
            del arrays["keys"]
    snapshot.write(tmp_path / "hashes", KIND, {**meta, "version": 1}, arrays)
    with pytest.raises(IndexDamaged, match="hashes holds no Hamming index"):
        HammingIndex.open(tmp_path / "hashes")
