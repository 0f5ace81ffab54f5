"""The hash chain: every entry carries the hash of the one before."""

import hashlib
from collections.abc import Iterable
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


def verify_chain(
    entries: Iterable[tuple[int, bytes, bytes, bytes]],
    checkpoints: Iterable[tuple[int, bytes]] = (),
) -> Verified:
    """Check a chain from its first entry on, in one pass and constant memory.

    entries      (position from 1, payload, previous hash, hash), in order of position.
    checkpoints  (size, Merkle root) that were signed or kept elsewhere. Only they can show that
                 the end was cut off, or that everything after some entry was written anew.

    Raises LedgerBroken with the position of the first entry that does not fit; for a checkpoint
    that does not fit, its size, or one past the end if the log is shorter.
    """
    known = dict(checkpoints)
    tree, last_hash = Tree(), GENESIS
    _compare(known, tree)
    for expected, entry in enumerate(entries, start=1):
        position, payload, previous, stored = entry
        if position != expected or previous != last_hash or stored != entry_hash(previous, payload):
            raise LedgerBroken(expected, _why(expected, entry, last_hash))
        tree.append(stored)
        last_hash = stored
        _compare(known, tree)
    if known and max(known) > tree.size:
        why = f"the log ends here, but a checkpoint was signed over {max(known)} entries"
        raise LedgerBroken(tree.size + 1, why)
    return Verified(tree.size, last_hash, tree.root())


def _compare(known: dict[int, bytes], tree: Tree) -> None:
    expected = known.get(tree.size)
    if expected is not None and expected != tree.root():
        why = f"the first {tree.size} entries are not those that a checkpoint was signed over"
        raise LedgerBroken(tree.size, why)


def _why(expected: int, entry: tuple[int, bytes, bytes, bytes], last_hash: bytes) -> str:
    position, _payload, previous, _stored = entry
    if position > expected:
        return f"it is missing; the next one is {position}"
    if position < expected:
        return f"entry {position} stands in its place"
    if previous != last_hash:
        return "it does not follow the entry before it"
    return "its content does not fit its hash"
