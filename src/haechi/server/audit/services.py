"""Write entries, sign checkpoints, verify the whole."""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.db import connection, models, transaction

from haechi import ledger
from haechi.errors import KeyMissing, LedgerBroken
from haechi.server.audit.models import Checkpoint, Entry

ORIGIN = "haechi/audit"
# Held by the database while it appends, until commit: positions have no gaps, the chain has one tail.
CHAIN_LOCK = 0x4841_4543

type Detail = Mapping[str, str | int | bool | list[str] | list[int] | None]


def record(
    tag: str, *, subject: models.Model | str, actor: str, at: datetime, detail: Detail | None = None
) -> None:
    """Append one entry inside the caller's transaction; it exists exactly if the act does.

    The database writes it (migration 0004), chained to the one before; a process may speak only for
    those it acts for, and the database refuses the others. `subject` is a row, or the name of
    something that is none, such as "blob:3fa0...". Keys of `detail` are ASCII. Raises
    transaction.TransactionManagementError outside a transaction.
    """
    transaction.get_connection().validate_no_broken_transaction()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an act and its entry are one transaction")
    given = json.dumps(dict(detail or {}))
    with connection.cursor() as cursor:
        named = subject if isinstance(subject, str) else name_of(subject)
        cursor.execute(
            "SELECT audit_record(%s, %s, %s, %s, %s)",
            [tag, named, given, actor, at.astimezone(UTC)],
        )


@contextmanager
def acting(actor: str, *, at: datetime, reason: str = "") -> Generator[None]:
    """Say who changes banks inside the caller's transaction: the database writes the entries.

    Raises transaction.TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an act and its entry are one transaction")
    _act(actor, at, reason)
    yield
    # Not in `finally`: after a database error the transaction takes nothing more.
    _act(None, None, None)


def _act(actor: str | None, at: datetime | None, reason: str | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_acting(%s, %s, %s)", [actor, at, reason])


def name_of(subject: models.Model) -> str:
    """The stable name of a row, for instance "cases.case:12"."""
    return f"{subject._meta.label_lower}:{subject.pk}"


def payload(entry: Entry) -> bytes:
    """The canonical bytes that the hash covers."""
    return ledger.canonical(
        {
            "position": entry.position,
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "tag": entry.tag,
            "actor": entry.actor,
            "subject": entry.subject,
            "detail": entry.detail,
        }
    )


def signing_key() -> Ed25519PrivateKey:
    """The key that signs checkpoints. Raises KeyMissing in a process that was not given it."""
    path = settings.HAECHI.signing_key_file
    if path is None:
        raise KeyMissing("this process holds no signing key")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise KeyMissing(f"the signing key cannot be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMissing("the signing key is no Ed25519 key")
    return key


def checkpoint(key: Ed25519PrivateKey, *, now: datetime) -> Checkpoint:
    """Sign size and Merkle root of the log as it stands; the same size is signed once."""
    tree = ledger.Tree()
    for hashed in Entry.objects.values_list("hash", flat=True).iterator(chunk_size=10_000):
        tree.append(bytes(hashed))
    known = Checkpoint.objects.filter(size=tree.size).first()
    if known:
        return known
    signed = ledger.Checkpoint(size=tree.size, root=tree.root(), at=now, origin=ORIGIN)
    return Checkpoint.objects.create(
        size=tree.size, root=tree.root(), at=now, note=signed.sign(key)
    )


def verify(key: Ed25519PublicKey | None = None) -> int:
    """Recompute every hash and compare with every signed note; return the number of entries.

    Raises LedgerBroken naming the first entry that does not fit, or the size of a checkpoint whose
    row says something else than its note. With `key`, a note that it did not sign raises
    LedgerError; without, the notes are compared all the same.
    """
    signed = [_signed(row, key) for row in Checkpoint.objects.all()]
    # Closed at once when something is broken, not when the collector comes by.
    with closing(_chain()) as entries:
        return ledger.verify_chain(entries, signed).size


def _signed(row: Checkpoint, key: Ed25519PublicKey | None) -> tuple[int, bytes]:
    read = ledger.Checkpoint
    note = read.verify(row.note, key) if key is not None else read.unverified(row.note)
    if (note.size, note.root, note.origin) != (row.size, bytes(row.root), ORIGIN):
        raise LedgerBroken(
            row.size, f"the checkpoint kept over {row.size} entries is not the one in its note"
        )
    return note.size, note.root


def _chain() -> Generator[tuple[int, bytes, bytes, bytes]]:
    for entry in Entry.objects.iterator(chunk_size=5_000):
        yield entry.position, payload(entry), bytes(entry.previous), bytes(entry.hash)


def history(subject: models.Model) -> Iterator[Entry]:
    """All entries about one row, oldest first."""
    yield from Entry.objects.filter(subject=name_of(subject)).order_by("position")
