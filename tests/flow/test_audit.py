"""The log: append-only in the database, chained, and what is bent is named (B34)."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, connection, transaction
from tests.conftest import NOON

from haechi import ledger
from haechi.errors import LedgerBroken, LedgerError
from haechi.server.audit import services as audit
from haechi.server.audit.models import Checkpoint, Entry
from haechi.server.staff.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries(reviewer: User) -> User:
    """Ten entries and a checkpoint after the sixth."""
    for number in range(10):
        with transaction.atomic():
            audit.record("test:act", subject=reviewer, actor="test", at=NOON, detail={"n": number})
        if number == 4:
            audit.checkpoint(audit.signing_key(), now=NOON)
    return reviewer


@pytest.mark.parametrize("statement", ["UPDATE audit_entry SET tag='x'", "DELETE FROM audit_entry"])
def test_the_database_itself_refuses_changes(entries: User, statement: str) -> None:
    """Whoever asks, and by whatever client."""
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        _sql(statement)
    assert audit.verify(audit.signing_key().public_key()) == Entry.objects.count()


def _change(position: int) -> None:
    _sql(f"UPDATE audit_entry SET detail='{{\"n\": 99}}' WHERE position={position}")


def _remove(position: int) -> None:
    _sql(f"DELETE FROM audit_entry WHERE position={position}")


def _swap(position: int) -> None:
    """In three steps: one statement may reach either row first, and no two may share a place."""
    for was, now in ((position, -1), (position + 1, position), (-1, position + 1)):
        _sql(f"UPDATE audit_entry SET position={now} WHERE position={was}")


def _remove_last(position: int) -> None:
    _sql(f"DELETE FROM audit_entry WHERE position>={position}")


@pytest.mark.parametrize("damage", [_change, _remove, _swap])
@pytest.mark.parametrize("position", [1, 4, 9])
def test_damage_is_detected_and_located(
    entries: User, damage: Callable[[int], None], position: int
) -> None:
    """One entry changed, removed or moved: exactly that place is named."""
    _with_triggers_off(damage, position)
    with pytest.raises(LedgerBroken) as broken:
        audit.verify()
    assert broken.value.position == position


def test_cutting_the_end_off_is_noticed_by_the_checkpoint(entries: User) -> None:
    """A chain alone would verify; the signed size does not."""
    _with_triggers_off(_remove_last, 3)
    with pytest.raises(LedgerBroken) as broken:
        audit.verify()
    assert broken.value.position == 3


def test_rewriting_the_past_with_right_hashes_is_noticed_by_the_checkpoint(entries: User) -> None:
    """Somebody with the database but without the signing key recomputes the chain."""
    _rewrite_all()
    with pytest.raises(LedgerBroken, match="checkpoint"):
        audit.verify()


@pytest.mark.parametrize("knows", ["the key", "no key"])
def test_what_the_note_says_counts_not_its_row(entries: User, knows: str) -> None:
    """The chain and the checkpoint's row are rewritten together; the signed note cannot be."""
    size = Checkpoint.objects.get().size
    root = _rewrite_all(size)
    _with_triggers_off(lambda _: Checkpoint.objects.update(root=root), 0)
    key = audit.signing_key().public_key() if knows == "the key" else None
    with pytest.raises(LedgerBroken, match="note") as broken:
        audit.verify(key)
    assert broken.value.position == size


def test_a_note_by_another_key_is_refused(entries: User) -> None:
    """New notes need the signing key."""
    row = Checkpoint.objects.get()
    signed = ledger.Checkpoint(size=row.size, root=bytes(row.root), at=NOON, origin=audit.ORIGIN)
    note = signed.sign(Ed25519PrivateKey.generate())
    _with_triggers_off(lambda _: Checkpoint.objects.update(note=note), 0)
    with pytest.raises(LedgerError, match="no good signature"):
        audit.verify(audit.signing_key().public_key())


def _rewrite_all(size: int = 0) -> bytes:
    """Change the second entry and make every hash fit; the new root over `size` entries."""
    rows = list(Entry.objects.all())
    rows[1].detail = {"n": 99}
    previous = bytes(32)
    for row in rows:
        row.previous = previous
        row.hash = ledger.entry_hash(previous, audit.payload(row))
        previous = bytes(row.hash)
    _with_triggers_off(lambda _: [row.save() for row in rows], 0)
    tree = ledger.Tree()
    for row in rows[:size]:
        tree.append(bytes(row.hash))
    return tree.root()


def test_an_act_outside_a_transaction_is_refused(reviewer: User) -> None:
    """The entry and the act are one; the fixture's transaction is left for this look."""
    entry = Entry.objects.order_by("-position").first()
    assert entry is not None
    with pytest.raises(transaction.TransactionManagementError):
        _outside(lambda: audit.record("test:act", subject=reviewer, actor="test", at=NOON))


def _outside(act: Callable[[], object]) -> None:
    was, connection.in_atomic_block = connection.in_atomic_block, False
    try:
        act()
    finally:
        connection.in_atomic_block = was


def _with_triggers_off(damage: Callable[[int], object], position: int) -> None:
    _sql("SET CONSTRAINTS ALL IMMEDIATE")
    for table in ("audit_entry", "audit_checkpoint"):
        _sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    damage(position)
    for table in ("audit_entry", "audit_checkpoint"):
        _sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
