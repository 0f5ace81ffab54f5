"""The chain and the canonical text of its entries."""

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi import ledger
from haechi.errors import LedgerBroken, LedgerError

Entry = tuple[int, bytes, bytes, bytes]


def chain(payloads: list[bytes], first: int = 1, last_hash: bytes = ledger.GENESIS) -> list[Entry]:
    entries = []
    for position, payload in enumerate(payloads, start=first):
        entry_hash = ledger.entry_hash(last_hash, payload)
        entries.append((position, payload, last_hash, entry_hash))
        last_hash = entry_hash
    return entries


TEN = chain([b'{"act":%d}' % number for number in range(10)])


def broken(entries: list[Entry], checkpoints: tuple[tuple[int, bytes], ...] = ()) -> LedgerBroken:
    with pytest.raises(LedgerBroken) as caught:
        ledger.verify_chain(entries, checkpoints)
    return caught.value


def root_of(entries: list[Entry]) -> bytes:
    return ledger.root([entry[3] for entry in entries])


@given(payloads=st.lists(st.binary(max_size=20), max_size=30))
@settings(deadline=None)
def test_a_whole_chain_is_verified(payloads: list[bytes]) -> None:
    entries = chain(payloads)
    size, last_hash, root = ledger.verify_chain(iter(entries))
    assert size == len(payloads)
    assert last_hash == (entries[-1][3] if entries else ledger.GENESIS)
    assert root == root_of(entries)


@given(at=st.integers(0, 9), field=st.sampled_from([1, 2, 3]))
@settings(deadline=None)
def test_a_changed_entry_is_named(at: int, field: int) -> None:
    entries = list(TEN)
    changed: list[int | bytes] = list(entries[at])
    changed[field] = b"x" * 32
    entries[at] = tuple(changed)  # type: ignore[assignment]
    assert broken(entries).position == at + 1


@given(at=st.integers(0, 8))
@settings(deadline=None)
def test_a_removed_entry_is_named(at: int) -> None:
    error = broken([entry for entry in TEN if entry[0] != at + 1])
    assert error.position == at + 1
    assert "missing" in error.why


@given(at=st.integers(0, 8), by_position=st.booleans())
@settings(deadline=None)
def test_two_entries_in_each_others_place_are_named(at: int, by_position: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    entries = list(TEN)
    entries[at], entries[at + 1] = entries[at + 1], entries[at]
    if by_position:
        entries = [(number, *entry[1:]) for number, entry in enumerate(entries, start=1)]
    assert broken(entries).position == at + 1


def test_an_entry_with_another_number_is_named() -> None:
    entries = [*TEN[:4], (50, *TEN[4][1:]), *TEN[5:]]
    assert broken(entries).position == 5
    entries = [*TEN[:4], (4, *TEN[4][1:]), *TEN[5:]]
    assert broken(entries).position == 5


def test_an_entry_that_comes_twice_is_named() -> None:
    assert broken([*TEN[:4], *TEN[3:]]).position == 5


def test_a_removed_end_shows_only_against_a_checkpoint() -> None:
    known = (10, root_of(TEN))
    assert ledger.verify_chain(TEN[:8]).size == 8
    error = broken(TEN[:8], (known,))
    assert error.position == 9
    assert ledger.verify_chain(TEN, (known,)).size == 10


def test_a_chain_written_anew_shows_against_a_checkpoint() -> None:
    """Somebody with the whole database rewrites entry 4 and every hash after it."""
    forged = chain([b"forged" if number == 4 else TEN[number - 1][1] for number in range(1, 11)])
    assert ledger.verify_chain(forged).size == 10
    checkpoints = tuple((size, root_of(TEN[:size])) for size in (0, 3, 6, 9))
    assert broken(forged, checkpoints).position == 6
    assert ledger.verify_chain(TEN, checkpoints).size == 10


def test_a_checkpoint_over_nothing_with_a_root_is_refused() -> None:
    assert broken([], ((0, bytes(32)),)).position == 0


def test_a_hundred_thousand_entries_pass_in_seconds() -> None:
    """A million in well under a minute, in one pass: the entries are made while they are read."""

    def entries() -> Iterator[Entry]:
        last_hash = ledger.GENESIS
        for position in range(1, 100_001):
            payload = b"payload %d" % position
            entry_hash = ledger.entry_hash(last_hash, payload)
            yield position, payload, last_hash, entry_hash
            last_hash = entry_hash

    began = time.process_time()
    assert ledger.verify_chain(entries()).size == 100_000
    assert time.process_time() - began < 5


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=15,
)


@given(value=VALUES)
@settings(deadline=None)
def test_canonical_text_is_json_of_the_same_value(value: object) -> None:
    assert json.loads(ledger.canonical(value)) == value


@given(value=st.dictionaries(st.text(max_size=5), VALUES, max_size=6), data=st.data())
@settings(max_examples=30, deadline=None)
def test_the_order_of_keys_does_not_matter(value: dict[str, object], data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(value.items()))))
    assert ledger.canonical(shuffled) == ledger.canonical(value)


def test_the_example_of_the_standard() -> None:
    """RFC 8785, sections 3.2.2 and 3.2.3, less the numbers that round."""
    text = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"
    assert ledger.canonical({"string": text, "literals": [None, True, False]}) == (
        b'{"literals":[null,true,false],"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    in_order = json.loads(ledger.canonical(dict.fromkeys(keys, 0)))
    assert list(in_order) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        {1: "a"},
        {"a": 1, None: 2},
        {"a": [{"b": 0.5}]},
        b"bytes",
        (1, 2),
        {1, 2},
        "\ud800",
        {"\udc00": 1},
        object(),
    ],
    ids=repr,
)
def test_what_has_no_one_text_is_refused(value: object) -> None:
    with pytest.raises(LedgerError):
        ledger.canonical(value)


def test_endless_nesting_is_refused() -> None:
    deep: list[object] = []
    deep.append(deep)
    with pytest.raises(LedgerError):
        ledger.canonical(deep)
