"""The catalog's columns answer as a dictionary of entries would, whatever was done to them."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from haechi.errors import IndexDamaged
from haechi.fingerprint import Pdq, sscd
from haechi.fingerprint.frames import Frame
from haechi.index import Catalog, Entry, Query, prepare, snapshot, state, stored

KEYS = st.integers(-3, 6) | st.sampled_from([2**63 - 1, -(2**63)])


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    prepare()


def bits(number: int) -> bytes:
    """`number` bits set, so that the distance of two is the difference of their numbers."""
    return ((1 << number) - 1).to_bytes(32)


def vector(number: int) -> bytes:
    """All alike for one remainder by three, and unlike otherwise."""
    row = np.random.default_rng(number % 3).normal(size=512).astype(np.float32)
    return sscd.quantise(row).tobytes()


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    number = draw(st.integers(0, 120))
    frames = draw(st.lists(st.integers(0, 120), max_size=2))
    return Entry(
        key=draw(KEYS),
        sha256=draw(st.sampled_from([b"", b"a" * 32, b"a" * 8 + b"b" * 24, bytes([7]) * 32])),
        pdq=draw(st.sampled_from([None, bits(number)])),
        pdq_quality=draw(st.sampled_from([49, 50, 100])),
        embedding=draw(st.sampled_from([None, vector(number)])),
        views=tuple(vector(number + 1) for _ in range(draw(st.integers(0, 2)))),
        frames=tuple(Frame(0.0, Pdq(bits(frame), 80)) for frame in frames),
    )


def slow_search(known: dict[int, Entry], query: Query) -> dict[int, tuple[bool, int | None, bool]]:
    """Key to (same file, smallest distance, alike by embedding): the reference, by comparing all."""
    found = {}
    for key, entry in known.items():
        hashes = [frame.pdq.bits for frame in entry.frames]
        if entry.pdq is not None and entry.pdq_quality >= 50:
            hashes.append(entry.pdq)
            upright = (int.from_bytes(query.turns[0]) ^ int.from_bytes(entry.pdq)).bit_count()
            hashes = [entry.pdq] if upright <= 16 else hashes  # the same picture comes first
        far = [(int.from_bytes(query.turns[0]) ^ int.from_bytes(one)).bit_count() for one in hashes]
        near = [min(one, 256 - one) for one in far if min(one, 256 - one) <= 31]
        looks = [*([entry.embedding] if entry.embedding else []), *entry.views]
        alike = any(sscd.similarity(query.embedding or b"", look) >= 0.9 for look in looks)
        same = bool(query.sha256) and query.sha256 == entry.sha256
        if same or near or alike:
            found[key] = (same, min(near, default=None), alike)
    return found


class CatalogMachine(RuleBasedStateMachine):
    """Any sequence of changes, with the file in between, and what each search must say."""

    @initialize()
    def begin(self) -> None:
        """Nothing is known."""
        self.catalog = Catalog()
        self.known: dict[int, Entry] = {}
        self.seq = 0

    @rule(entry=entries())
    def put(self, entry: Entry) -> None:
        """One."""
        self.catalog.put(entry)
        self.known[entry.key] = entry

    @rule(some=st.lists(entries(), max_size=8))
    def load(self, some: list[Entry]) -> None:
        """Many; the last of one key counts."""
        self.catalog.load(some)
        self.known |= {entry.key: entry for entry in some}

    @rule(key=KEYS)
    def remove(self, key: int) -> None:
        """Known or not."""
        self.catalog.remove(key)
        self.known.pop(key, None)

    @rule()
    def store(self) -> None:
        """Go on with what comes back from the file."""
        self.seq += 1
        self.catalog.save(self.place / "catalog.index", self.seq)
        self.catalog, seq = Catalog.open(self.place / "catalog.index")
        assert seq == self.seq

    @rule(number=st.integers(0, 120), sha256=st.sampled_from([b"", b"a" * 32, bytes(32)]))
    def search(self, number: int, sha256: bytes) -> None:
        """Compare with the reference."""
        query = Query(sha256, (bits(number),), 100, vector(number))
        found = {
            hit.key: (
                hit.verdict == "identical_file",
                hit.distance_bits,
                hit.similarity is not None,
            )
            for hit in self.catalog.search(query)
        }
        assert found == slow_search(self.known, query)

    @invariant()
    def count(self) -> None:
        """As many as there are."""
        assert len(self.catalog) == len(self.known)

    place: Path


@pytest.mark.parametrize("limits", ["as they are", "tiny"])
def test_any_sequence_of_changes(
    limits: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With limits so low that compaction, merging and sketches happen all the time, too."""
    if limits == "tiny":
        monkeypatch.setattr(state, "_LEAST_DEAD", 1)
        monkeypatch.setattr("haechi.index.lookup._LEAST_RECENT", 2)
        monkeypatch.setattr("haechi.index.bits._MANY", 3)
        monkeypatch.setattr("haechi.index.catalog._TOGETHER", 3)

    class Machine(CatalogMachine):
        place = tmp_path

    run_state_machine_as_test(
        Machine, settings=settings(max_examples=20, stateful_step_count=15, deadline=None)
    )


def test_a_million_pieces_of_the_same_file_are_no_chain() -> None:
    """Duplicates are what a platform has most of."""
    catalog = Catalog()
    catalog.load(Entry(key, b"s" * 32, None, 0, None) for key in range(20_000))
    for key in range(20_000, 20_100):
        catalog.put(Entry(key, b"s" * 32, None, 0, None))
    catalog.remove(3)
    assert len(catalog.search(Query(b"s" * 32, (), 0, None))) == 20_099


def many(count: int, seed: int = 1) -> list[Entry]:
    rng = np.random.default_rng(seed)
    return [Entry(key, rng.bytes(32), rng.bytes(32), 90, None) for key in range(count)]


def test_an_entry_takes_under_250_bytes() -> None:
    """One PDQ and one digest each, all in; 100,000 of them, added in one go."""
    catalog = Catalog()
    catalog.load(many(100_000))
    assert catalog.nbytes / len(catalog) < 250


@pytest.mark.parametrize("wrong", ["sha256", "pdq", "embedding", "views"])
def test_a_fingerprint_of_wrong_length_changes_nothing(wrong: str) -> None:
    catalog = Catalog()
    (good,) = many(1)
    catalog.put(good)
    bad = {wrong: (b"short",) if wrong == "views" else b"short"}
    with pytest.raises(ValueError, match="bytes long"):
        catalog.put(replace(good, **bad))  # type: ignore[arg-type]
    assert catalog.search(Query(good.sha256, (), 0, None))[0].key == 0


def test_a_search_sees_what_was_there_when_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries replaced, removed and compacted away in the middle of a search."""
    monkeypatch.setattr(state, "_LEAST_DEAD", 1)
    catalog = Catalog()
    known = [Entry(key, b"f" * 32, bits(key), 90, vector(0)) for key in range(6)]
    catalog.load(known)
    asked = Query(b"f" * 32, (bits(0),), 90, vector(0))
    before = [hit.key for hit in catalog.search(asked)]
    near = state.State.near

    def interrupted(self: state.State, *arguments: Any) -> Any:
        monkeypatch.setattr(state.State, "near", near)
        for key in range(5):
            catalog.remove(key)
        catalog.put(Entry(99, b"f" * 32, bits(0), 90, vector(0)))
        return near(self, *arguments)

    monkeypatch.setattr(state.State, "near", interrupted)
    hits = catalog.search(asked)
    assert [hit.key for hit in hits] == before
    assert {hit.distance_bits for hit in hits} == set(range(6))
    assert {hit.key for hit in catalog.search(asked)} == {5, 99}


def test_writers_do_not_wait_for_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that hangs in the middle holds up neither writers nor other searches."""
    catalog = Catalog()
    catalog.load(many(10))
    inside, go_on = threading.Event(), threading.Event()
    near = state.State.near

    def slow(self: state.State, *arguments: Any) -> Any:
        inside.set()
        assert go_on.wait(20)
        return near(self, *arguments)

    monkeypatch.setattr(state.State, "near", slow)
    asking = threading.Thread(target=catalog.search, args=(Query(b"", (bytes(32),), 90, None),))
    asking.start()
    try:
        assert inside.wait(20)
        catalog.put(Entry(77, b"g" * 32, bits(3), 90, None))
        catalog.remove(3)
        assert [hit.key for hit in catalog.search(Query(b"g" * 32, (), 0, None))] == [77]
    finally:
        go_on.set()
        asking.join()


def test_replacing_is_never_seen_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one entry is replaced over and over, every search finds it exactly once."""
    monkeypatch.setattr(state, "_LEAST_DEAD", 20)
    catalog = Catalog()
    one = Entry(1, b"h" * 32, bits(4), 90, vector(1))
    catalog.put(one)
    wrong: list[Any] = []
    stop = threading.Event()

    def read() -> None:
        asked = Query(b"h" * 32, (bits(0),), 90, vector(1))
        while not stop.is_set():
            hits = catalog.search(asked)
            if [(hit.key, hit.distance_bits, hit.similarity is None) for hit in hits] != [
                (1, 4, False)
            ]:
                wrong.append(hits)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        catalog.put(one)
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    catalog = Catalog()
    catalog.load(many(30))
    catalog.put(Entry(100, b"", bits(3), 90, vector(1), (vector(2),)))
    path = tmp_path_factory.mktemp("kept") / "catalog.index"
    catalog.save(path, 12)
    return path


def test_several_that_open_one_file_change_on_their_own(kept: Path) -> None:
    (first, _), (second, _) = Catalog.open(kept), Catalog.open(kept)
    first.remove(100)
    second.put(Entry(101, b"m" * 32, None, 0, None))
    asked = Query(b"m" * 32, (bits(0),), 90, vector(1))
    assert [hit.key for hit in first.search(asked)] == []
    assert [hit.key for hit in second.search(asked)] == [101, 100]
    assert [hit.key for hit in Catalog.open(kept)[0].search(asked)] == [100]


def altered(kept: Path, to: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Path:
    """The same file with other contents and checksums that fit: made by a person."""
    meta, sections = snapshot.read(kept, stored.KIND)
    mutable = {name: array.copy() for name, array in sections.items()}
    change(meta, mutable)
    snapshot.write(to, stored.KIND, meta, mutable)
    return to


def put_in(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(_: dict[str, Any], sections: dict[str, Any]) -> None:
        sections[name][-1:] = value

    return change


ALTERATIONS: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "slot of a row": put_in("row.slot", 31),
    "owner of a vector": put_in("vector.owner", 2**32 - 1),
    "order of keys": put_in("order.key", 31),
    "order of files": put_in("order.file", 31),
    "length of a vector": put_in("vector.length", 0),
    "not a number": put_in("row.seconds", np.nan),
    "keys of the index": put_in("near.keys", 500),
    "a column too few": lambda _, sections: sections.pop("row.quality"),
    "a column too many": lambda _, sections: sections.update(more=sections["row.slot"]),
    "a shorter column": lambda _, sections: sections.update({"row.slot": np.zeros(3, np.uint32)}),
    "another dtype": lambda _, sections: sections.update({"row.slot": np.zeros(31, np.int64)}),
    "another width": lambda _, sections: sections.update(
        {"row.bits": np.zeros((31, 5), np.uint64)}
    ),
    "no seq": lambda meta, _: meta.pop("seq"),
    "seq of another kind": lambda meta, _: meta.update(seq=1.5),
    "no index": lambda meta, _: meta.pop("near"),
    "index of another kind": lambda meta, _: meta.update(near=[]),
    "bands from nowhere": lambda meta, _: meta.update(near={"bands": {"widths": [1], "count": 9}}),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_a_forged_snapshot_is_refused(kept: Path, tmp_path: Path, name: str) -> None:
    path = altered(kept, tmp_path / "forged.index", ALTERATIONS[name])  # type: ignore[arg-type]
    with pytest.raises(IndexDamaged, match=r"forged\.index"):
        Catalog.open(path)


@settings(max_examples=30)
@given(at=st.integers(0, 2**20), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(kept: Path, at: int, bit: int) -> None:
    content = bytearray(kept.read_bytes())
    content[at % len(content)] ^= 1 << bit
    damaged = kept.with_name("damaged.index")
    damaged.write_bytes(content)
    with pytest.raises(IndexDamaged):
        Catalog.open(damaged)


def test_another_version_is_refused_by_name(kept: Path, tmp_path: Path) -> None:
    meta, sections = snapshot.read(kept, stored.KIND)
    snapshot.write(tmp_path / "new.index", "haechi.catalog/2", meta, sections)
    with pytest.raises(IndexDamaged, match=r"new\.index holds 'haechi.catalog/2', not"):
        Catalog.open(tmp_path / "new.index")


def test_saving_takes_the_dead_out(tmp_path: Path) -> None:
    catalog = Catalog()
    catalog.load(many(1000))
    for key in range(500):
        catalog.remove(key)
    catalog.save(tmp_path / "one.index", 1)
    _, sections = snapshot.read(tmp_path / "one.index", stored.KIND)
    assert len(sections["slot.key"]) == len(sections["row.bits"]) == 500
    opened, _ = Catalog.open(tmp_path / "one.index")
    asked = many(1000)[700]
    assert [hit.key for hit in opened.search(Query(b"", (asked.pdq or b"",), 90, None))] == [700]


def test_saving_while_others_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file holds one moment: each key once, and all that were never touched."""
    monkeypatch.setattr(state, "_LEAST_DEAD", 30)
    catalog = Catalog()
    catalog.load(many(300))
    changing, stop = many(100, seed=2), threading.Event()

    def write() -> None:
        while not stop.is_set():
            for entry in changing:
                catalog.put(entry)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for seq in range(15):
            catalog.save(tmp_path / "one.index", seq)
            _, sections = snapshot.read(tmp_path / "one.index", stored.KIND)
            assert sorted(sections["slot.key"].tolist()) == list(range(300))
            opened, _ = Catalog.open(tmp_path / "one.index")
            (hit,) = opened.search(Query(many(300)[200].sha256, (), 0, None))
            assert hit.key == 200
    finally:
        stop.set()
        writer.join()


def test_what_is_recent_and_what_is_merged_is_found_alike() -> None:
    """One by one past the size at which the dictionary of recent rows is merged."""
    catalog = Catalog()
    known = many(4500)
    for entry in known:
        catalog.put(entry)
    for entry in known[::500]:
        (hit,) = catalog.search(Query(entry.sha256, (), 0, None))
        assert hit.key == entry.key
    for entry in known[1::2]:
        catalog.remove(entry.key)
    assert len(catalog) == 2250
    assert catalog.search(Query(known[501].sha256, (known[501].pdq or b"",), 90, None)) == []
