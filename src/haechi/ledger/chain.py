"""The hash chain: every entry carries the hash of the one before."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from haechi.errors import LedgerBroken
from haechi.ledger.merkle import Tree

# What the first entry names as the hash before it.
GENESIS = bytes(32)


class Verified(NamedTuple):
    """What a whole chain comes to: entries, the last hash, the Merkle root.

    The leaves of the tree are the entry hashes. An empty log has GENESIS and EMPTY_ROOT.
    """

    size: int
    last_hash: bytes
    root: bytes


def entry_hash(previous: bytes, payload: bytes) -> bytes:
    """Hash an entry: SHA-256 of 0x02, the 32 bytes of the hash before, and the payload.

    The first byte keeps entries apart from leaves (0x00) and nodes (0x01) of the Merkle tree.
    """
    return hashlib.sha256(b"\x02" + previous + payload).digest()


type Link = tuple[int, bytes, bytes, bytes]
"""Position from 1, payload, previous hash, hash."""


def follow(
    entries: Iterable[Link], *, after: int = 0, last_hash: bytes = GENESIS
) -> Iterator[bytes]:
    """The hashes of entries that come after the `after` first, whose last hash is `last_hash`.

    Raises LedgerBroken with the position of the first entry that does not fit.
    """
    for expected, entry in enumerate(entries, start=after + 1):
        position, payload, previous, stored = entry
        if position != expected or previous != last_hash or stored != entry_hash(previous, payload):
            raise LedgerBroken(expected, _why(expected, entry, last_hash))
        last_hash = stored
        yield stored


def verify_chain(
    entries: Iterable[Link],
    checkpoints: Iterable[tuple[int, bytes]] = (),
    *,
    seen: Callable[[Tree], None] = lambda _tree: None,
) -> Verified:
    """Check a chain from its first entry on, in one pass and constant memory.

    entries      in order of position.
    checkpoints  (size, Merkle root) that were signed or kept elsewhere. Only they can show that
                 the end was cut off, or that everything after some entry was written anew.
    seen         told after every entry, with the tree so far.

    Raises LedgerBroken with the position of the first entry that does not fit; for a checkpoint
    that does not fit, its size, or one past the end if the log is shorter.
    """
    known = _by_size(checkpoints)
    tree, last_hash = Tree(), GENESIS
    _compare(known, tree)
    for last_hash in follow(entries):
        tree.append(last_hash)
        if tree.size in known:
            _compare(known, tree)
        seen(tree)
    if known and max(known) > tree.size:
        why = f"the log ends here, but a checkpoint was signed over {max(known)} entries"
        raise LedgerBroken(tree.size + 1, why)
    return Verified(tree.size, last_hash, tree.root())


def _by_size(checkpoints: Iterable[tuple[int, bytes]]) -> dict[int, bytes]:
    known: dict[int, bytes] = {}
    for size, root in checkpoints:
        if known.setdefault(size, root) != root:
            raise LedgerBroken(size, f"two different checkpoints were signed over {size} entries")
    return known


def _compare(known: dict[int, bytes], tree: Tree) -> None:
    expected = known.get(tree.size)
    if expected is not None and expected != tree.root():
        why = f"the first {tree.size} entries are not those that a checkpoint was signed over"
        raise LedgerBroken(tree.size, why)


def _why(expected: int, entry: Link, last_hash: bytes) -> str:
    position, _payload, previous, _stored = entry
    if position > expected:
        return f"it is missing; the next one is {position}"
    if position < expected:
        return f"entry {position} stands in its place"
    if previous != last_hash:
        return "it does not follow the entry before it"
    return "its content does not fit its hash"
