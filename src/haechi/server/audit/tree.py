"""The Merkle tree over the log, without hashing it anew: every 256 hashes have one kept above them.

A node of level 8 stands for 256 entries, one of level 16 for 65,536, and so on: the tiles of
https://c2sp.org/tlog-tiles. They are written when a checkpoint is signed. A proof then reads a few
hundred hashes, however long the log is. Whether they are right, `services.verify` tells.
"""

from collections.abc import Callable

from haechi import ledger
from haechi.errors import LedgerBroken
from haechi.server.audit.models import Entry, Node

STEP = 8
WIDTH = 1 << STEP
LEVELS = tuple(range(STEP, 64, STEP))


class StoredTree:
    """The first `size` entries, as `ledger.Subtrees`. What was read is kept for the next proof."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: dict[tuple[int, int], list[bytes]] = {}

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._size

    def subtree(self, first: int, end: int) -> bytes:
        """The root over entries `first + 1` to `end`."""
        tree, at = ledger.Tree(), first
        while at < end:
            level = self._highest(at, end)
            if level:
                tree.append_subtree(self._node(level, at >> level), level)
            else:
                tree.append(self._node(0, at))
            at += 1 << level
        return tree.root()

    def root(self) -> bytes:
        """The root over all of them."""
        return self.subtree(0, self._size)

    def _highest(self, at: int, end: int) -> int:
        """The level of the largest kept node that begins at `at` and ends by `end`."""
        fits = [level for level in LEVELS if at % (1 << level) == 0 and at + (1 << level) <= end]
        return fits[-1] if fits else 0

    def _node(self, level: int, number: int) -> bytes:
        row, place = divmod(number, WIDTH)
        if (level, row) not in self._rows:
            self._rows[level, row] = _read(
                level, row * WIDTH, min(WIDTH, (self._size >> level) - row * WIDTH)
            )
        return self._rows[level, row][place]


def keep(size: int) -> None:
    """Write the nodes that are complete within the first `size` entries and not there yet."""
    for level in LEVELS:
        if size >> level == 0:
            return
        last = Node.objects.filter(level=level).order_by("-number").first()
        for number in range(last.number + 1 if last else 0, size >> level):
            below = _read(level - STEP, number * WIDTH, WIDTH)
            # Two processes may sign at once; both come to the same.
            Node.objects.bulk_create(
                [Node(level=level, number=number, hash=_above(below, level))], ignore_conflicts=True
            )


def compare() -> Callable[[ledger.Tree], None]:
    """What tells, while a tree grows to the whole log, whether the kept nodes fit it.

    The function it gives raises LedgerBroken with the first of the 256 entries that are no longer
    those that were hashed at a signing.
    """
    kept = dict(Node.objects.filter(level=STEP).order_by("number").values_list("number", "hash"))
    beside = ledger.Tree()

    def seen(tree: ledger.Tree) -> None:
        number, rest = divmod(tree.size, WIDTH)
        if rest or number - 1 not in kept:
            return
        beside.append_subtree(bytes(kept[number - 1]), STEP)
        if beside.edge != tree.edge:
            first = tree.size - WIDTH + 1
            why = (
                f"entries {first} to {tree.size} are not those that were hashed when it was signed"
            )
            raise LedgerBroken(first, why)

    return seen


def compare_above() -> None:
    """Whether nodes over nodes fit those below. Raises LedgerBroken with the first entry under one."""
    for node in Node.objects.filter(level__gt=STEP).order_by("level", "number"):
        below = _read(node.level - STEP, node.number * WIDTH, WIDTH)
        if _above(below, node.level) != bytes(node.hash):
            first = (node.number << node.level) + 1
            raise LedgerBroken(first, f"the hash kept over {1 << node.level} entries is another")


def _above(below: list[bytes], level: int) -> bytes:
    tree = ledger.Tree()
    for hashed in below:
        if level == STEP:
            tree.append(hashed)
        else:
            tree.append_subtree(hashed, level - STEP)
    return tree.root()


def _read(level: int, first: int, count: int) -> list[bytes]:
    """Hashes of entries (level 0) or nodes. Raises LedgerBroken where one is missing."""
    if level:
        rows = Node.objects.filter(level=level, number__gte=first, number__lt=first + count)
        found = list(rows.order_by("number").values_list("hash", flat=True))
    else:
        entries = Entry.objects.filter(position__gt=first, position__lte=first + count)
        found = list(entries.order_by("position").values_list("hash", flat=True))
    if len(found) != count:
        why = f"of {count} hashes from here on, {len(found)} are there"
        raise LedgerBroken((first << level) + 1, why)
    return list(map(bytes, found))
