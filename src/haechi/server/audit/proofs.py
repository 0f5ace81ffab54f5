"""Prove that entries are in the log that was signed, and that a checkpoint follows from another."""

from collections.abc import Iterable
from dataclasses import dataclass

from haechi import ledger
from haechi.server.audit import services as audit
from haechi.server.audit.models import Checkpoint, Entry
from haechi.server.audit.tree import StoredTree


@dataclass(frozen=True)
class Proof:
    """An entry with what shows that it is in the signed log.

    payload    the bytes that its hash covers
    text       the proof, with the checkpoint (`ledger.inclusion_text`)
    """

    position: int
    payload: bytes
    text: str


def latest() -> Checkpoint | None:
    """The newest checkpoint, or None before the first."""
    return Checkpoint.objects.order_by("-size").first()


def prove(entries: Iterable[Entry], checkpoint: Checkpoint) -> list[Proof]:
    """A proof for each; those that came after the checkpoint are left out.

    Raises LedgerBroken where hashes that it needs are missing.
    """
    tree = StoredTree(checkpoint.size)
    return [_proof(tree, entry, checkpoint) for entry in entries if entry.position <= tree.size]


def _proof(tree: StoredTree, entry: Entry, checkpoint: Checkpoint) -> Proof:
    index = entry.position - 1
    path = ledger.inclusion_proof(tree, index)
    extra = bytes(entry.previous)
    text = ledger.inclusion_text(index, path, checkpoint.note, extra=extra)
    return Proof(entry.position, audit.payload(entry), text)


def consistency(old_size: int, checkpoint: Checkpoint) -> str:
    """The proof, as text, that the signed log begins with the log of `old_size` entries.

    Raises LedgerError where the signed one is shorter.
    """
    path = ledger.consistency_proof(StoredTree(checkpoint.size), old_size)
    return ledger.consistency_text(old_size, path, checkpoint.note)


def told(subjects: Iterable[str]) -> list[Entry]:
    """Entries about these that a reporter is shown, the oldest first.

    The public process reads no other entry: a function of the database gives these (config/roles.py).
    """
    return list(Entry.objects.raw("SELECT * FROM audit_told(%s)", [list(subjects)]))
