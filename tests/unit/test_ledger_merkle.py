"""The Merkle tree, against the vectors and against a second way of computing it."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi import ledger
from haechi.errors import LedgerError

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
# From the test data of Certificate Transparency (RFC 6962), for the first n leaves.
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Audit paths and consistency proofs of the same test data.
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (0, 1): [],
}
CONSISTENCY = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
LEAF_LISTS = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def unhex(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in hashes]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = max(2**power for power in range(20) if 2**power < len(leaves))
    halves = by_definition(leaves[:split]) + by_definition(leaves[split:])
    return hashlib.sha256(b"\1" + halves).digest()


@pytest.mark.parametrize("size", range(9))
def test_roots_of_the_vectors(size: int) -> None:
    assert ledger.root(LEAVES[:size]).hex() == ROOTS[size]
    assert by_definition(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_of_the_vectors(index: int, size: int) -> None:
    proof = unhex(INCLUSION[index, size])
    assert ledger.inclusion_proof(ledger.Leaves(LEAVES[:size]), index) == proof
    ledger.verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("size", "new_size"), CONSISTENCY)
def test_consistency_proofs_of_the_vectors(size: int, new_size: int) -> None:
    proof = unhex(CONSISTENCY[size, new_size])
    assert ledger.consistency_proof(ledger.Leaves(LEAVES[:new_size]), size) == proof
    old, new = bytes.fromhex(ROOTS[size]), bytes.fromhex(ROOTS[new_size])
    ledger.verify_consistency(size, old, new_size, new, proof)


@given(leaves=st.lists(st.binary(max_size=8), max_size=70))
@settings(deadline=None)
def test_the_growing_tree_has_the_root_of_the_definition(leaves: list[bytes]) -> None:
    tree = ledger.Tree()
    for leaf in leaves:
        tree.append(leaf)
        assert len(tree.edge) <= tree.size.bit_length()
    assert (tree.size, tree.root()) == (len(leaves), by_definition(leaves))


@given(leaves=LEAF_LISTS, stop=st.integers(0, 40))
@settings(deadline=None)
def test_a_tree_goes_on_where_it_stopped(leaves: list[bytes], stop: int) -> None:
    first = ledger.Tree()
    for leaf in leaves[:stop]:
        first.append(leaf)
    second = ledger.Tree(first.size, first.edge)
    for leaf in leaves[stop:]:
        second.append(leaf)
    assert second.root() == ledger.root(leaves)


@pytest.mark.parametrize(("size", "edge"), [(1, []), (3, [bytes(32)]), (-1, []), (0, [bytes(32)])])
def test_an_edge_of_another_size_is_refused(size: int, edge: list[bytes]) -> None:
    with pytest.raises(LedgerError):
        ledger.Tree(size, edge)


@given(leaves=LEAF_LISTS, data=st.data())
@settings(deadline=None)
def test_every_leaf_is_proved_and_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    size, root = len(leaves), ledger.root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = ledger.inclusion_proof(ledger.Leaves(leaves), index)
    ledger.verify_inclusion(leaves[index], index, size, proof, root)
    wrong = [
        (leaves[index] + b"!", index, size, proof, root),
        (leaves[index], index, size, proof, bytes(32)),
        (leaves[index], size, size, proof, root),
        (leaves[index], -1, size, proof, root),
        (leaves[index], index, size, [*proof, bytes(32)], root),
        *((leaves[index], index, size, proof[:-1], root) for _ in proof[:1]),
    ]
    for case in wrong:
        with pytest.raises(LedgerError):
            ledger.verify_inclusion(*case)


def test_a_proof_for_a_small_tree_is_none_for_a_large_one() -> None:
    root, proof = ledger.root(LEAVES[:2]), ledger.inclusion_proof(ledger.Leaves(LEAVES[:2]), 0)
    ledger.verify_inclusion(LEAVES[0], 0, 2, proof, root)
    with pytest.raises(LedgerError):
        ledger.verify_inclusion(LEAVES[0], 0, 8, proof, root)


@given(leaves=LEAF_LISTS, data=st.data())
@settings(deadline=None)
def test_every_earlier_tree_is_proved_and_nothing_else(
    leaves: list[bytes], data: st.DataObject
) -> None:
    new_size, new_root = len(leaves), ledger.root(leaves)
    size = data.draw(st.integers(0, new_size))
    old_root = ledger.root(leaves[:size])
    proof = ledger.consistency_proof(ledger.Leaves(leaves), size)
    ledger.verify_consistency(size, old_root, new_size, new_root, proof)
    wrong = [
        (size, bytes(32), new_size, new_root, proof),
        (size, old_root, new_size, new_root, [*proof, bytes(32)]),
        (new_size + 1, old_root, new_size, new_root, proof),
        *((size, old_root, new_size, bytes(32), proof) for _ in range(size)),
        *((size, old_root, new_size, new_root, proof[:-1]) for _ in proof),
        *((size, old_root, new_size, new_root, [bytes(32), *proof[1:]]) for _ in proof),
    ]
    for case in wrong:
        with pytest.raises(LedgerError):
            ledger.verify_consistency(*case)


@pytest.mark.parametrize("index", [-1, 8, 100])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(LedgerError):
        ledger.inclusion_proof(ledger.Leaves(LEAVES), index)


@pytest.mark.parametrize("size", [-1, 9])
def test_there_is_no_proof_for_a_tree_that_never_was(size: int) -> None:
    with pytest.raises(LedgerError):
        ledger.consistency_proof(ledger.Leaves(LEAVES), size)


def test_a_consistency_proof_is_exactly_as_long_as_it_must_be() -> None:
    roots = {size: ledger.root(LEAVES[:size]) for size in (3, 4, 8)}
    proof = ledger.consistency_proof(ledger.Leaves(LEAVES), 3)
    for wrong in ([], proof[:1], proof[:-1], [*proof, bytes(32)], [*proof, *proof]):
        with pytest.raises(LedgerError):
            ledger.verify_consistency(3, roots[3], 8, roots[8], wrong)
    short = ledger.consistency_proof(ledger.Leaves(LEAVES[:4]), 3)
    with pytest.raises(LedgerError):
        ledger.verify_consistency(3, roots[3], 8, roots[4], short)
