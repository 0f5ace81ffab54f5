"""The Merkle tree of RFC 6962, section 2.1 (unchanged in RFC 9162).

A leaf is any bytes; SHA-256 with a first byte 0x00 for a leaf and 0x01 for a node. A lone node
moves up. Leaves are numbered from 0. Proofs are lists of 32-byte hashes, lowest level first.

A proof needs the roots over some ranges of leaves. `Subtrees` says where they come from: all leaves
in memory (`Leaves`), or hashes that were kept so that a log of millions answers at once
(`haechi.server.audit.tree`).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from haechi.errors import LedgerError

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Hash one leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that only grows; holds its size and at most log2(size) + 1 hashes.

    size, edge  What `size` and `edge` of an earlier tree gave, to go on where it stopped.
                Raises LedgerError if they do not belong together.
    """

    def __init__(self, size: int = 0, edge: Iterable[bytes] = ()) -> None:
        self._size = size
        self._edge = list(edge)
        if size < 0 or len(self._edge) != size.bit_count():
            raise LedgerError("the edge does not belong to a tree of this size")

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    @property
    def edge(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees, largest first."""
        return tuple(self._edge)

    def append(self, leaf: bytes) -> None:
        """Add one leaf."""
        self.append_subtree(leaf_hash(leaf), 0)

    def append_subtree(self, hashed: bytes, level: int) -> None:
        """Add 2**level leaves at once, by the root over them.

        Raises LedgerError where the tree's size is no multiple of so many.
        """
        places = self._size >> level
        if places << level != self._size:
            raise LedgerError("a subtree stands only where its own size fits")
        # Adding one to a binary number: each 1 at the end is a subtree that is now complete.
        while places & 1:
            hashed = node_hash(self._edge.pop(), hashed)
            places >>= 1
        self._edge.append(hashed)
        self._size += 1 << level

    def root(self) -> bytes:
        """Give the root of all leaves so far; of none, the hash of nothing."""
        if not self._edge:
            return EMPTY_ROOT
        result = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            result = node_hash(left, result)
        return result


def root(leaves: Iterable[bytes]) -> bytes:
    """Give the root over leaves."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


class Subtrees(Protocol):
    """Where proofs find the roots over ranges of leaves."""

    @property
    def size(self) -> int:
        """How many leaves there are."""

    def subtree(self, first: int, end: int) -> bytes:
        """The root over leaves `first` to `end`, without `end`."""


class Leaves:
    """Subtrees of leaves that are all in memory; each root is computed when it is asked for."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self._leaves)

    def subtree(self, first: int, end: int) -> bytes:
        """The root over a range of them."""
        return root(self._leaves[first:end])


def inclusion_proof(tree: Subtrees, index: int) -> list[bytes]:
    """Prove that leaf `index` is in the tree. Raises LedgerError if it is not."""
    if not 0 <= index < tree.size:
        msg = f"there is no leaf {index} in a tree of {tree.size}"
        raise LedgerError(msg)
    path, first, end = [], 0, tree.size
    while end - first > 1:
        split = first + _split(end - first)
        if index < split:
            path.append(tree.subtree(split, end))
            end = split
        else:
            path.append(tree.subtree(first, split))
            first = split
    return path[::-1]


def consistency_proof(tree: Subtrees, size: int) -> list[bytes]:
    """Prove that the first `size` leaves were the whole tree once.

    Empty for 0 and for all. Raises LedgerError if there are fewer than `size` leaves.
    """
    if not 0 <= size <= tree.size:
        msg = f"there are no {size} leaves in a tree of {tree.size}"
        raise LedgerError(msg)
    path, first, end = [], 0, tree.size
    if size in (0, end):
        return []
    while end != size:
        split = first + _split(end - first)
        if size <= split:
            path.append(tree.subtree(split, end))
            end = split
        else:
            path.append(tree.subtree(first, split))
            first = split
    # The old tree itself, where it is a subtree of the new one, is known to the reader.
    if first:
        path.append(tree.subtree(first, end))
    return path[::-1]


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes
) -> None:
    """Check that `leaf` is number `index` of the `size` leaves under `expected_root`.

    Raises LedgerError if the proof does not show that. RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise LedgerError("the leaf lies outside the tree")
    number, last, result = index, size - 1, leaf_hash(leaf)
    for sibling in proof:
        if last == 0:
            raise LedgerError("the proof is too long")
        if number & 1 or number == last:
            result = node_hash(sibling, result)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        number, last = number >> 1, last >> 1
    if last or result != expected_root:
        raise LedgerError("the proof does not lead to this root")


def verify_consistency(
    size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `new_size` leaves begins with the tree of `size` leaves.

    Raises LedgerError if the proof does not show that. RFC 9162, section 2.1.4.2.
    """
    if not 0 <= size <= new_size:
        raise LedgerError("a tree never shrinks")
    if size in {0, new_size}:
        known = EMPTY_ROOT if size == 0 else new_root
        if proof or old_root != known:
            raise LedgerError("the roots do not fit")
        return
    path = [old_root, *proof] if size.bit_count() == 1 else list(proof)
    number, last = size - 1, new_size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    if _climb(path, number, last) != (old_root, new_root):
        raise LedgerError("the proof does not lead to these roots")


def _climb(path: Sequence[bytes], number: int, last: int) -> tuple[bytes, bytes]:
    """Compute the old and the new root that a consistency proof leads to."""
    if not path:
        raise LedgerError("the proof is too short")
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise LedgerError("the proof is too long")
        if number & 1 or number == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        number, last = number >> 1, last >> 1
    if last:
        raise LedgerError("the proof is too short")
    return old, new
