"""Write entries, sign checkpoints, verify the whole."""

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.db import connection, models, transaction

from haechi import ledger
from haechi.errors import KeyMissing, LedgerBroken
from haechi.server.audit import tree
from haechi.server.audit.models import Checkpoint, Entry

ORIGIN = "haechi/audit"
# Held by the database while it appends, until commit: positions have no gaps, the chain has one tail.
CHAIN_LOCK = 0x4841_4543
_TELL_EVERY = 2_000

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
    return _payload(entry.position, entry.at, entry.tag, entry.actor, entry.subject, entry.detail)


def _payload(
    position: int, at: datetime, tag: str, actor: str, subject: str, detail: object
) -> bytes:
    # ledger.canonical() of these six, written out: a whole log is checked a million entries at a time.
    when = at.astimezone(UTC).isoformat(timespec="microseconds")
    return ledger.encoded(
        f'{{"actor":{ledger.quoted(actor)},"at":"{when}","detail":{ledger.canonical_text(detail)},'
        f'"position":{position},"subject":{ledger.quoted(subject)},"tag":{ledger.quoted(tag)}}}'
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


def verifier() -> str:
    """Its public half, as tools for signed notes read it. Raises KeyMissing as `signing_key` does."""
    return ledger.verifier_key(ORIGIN, signing_key().public_key())


def size() -> int:
    """How many entries there are."""
    return Entry.objects.aggregate(last=models.Max("position"))["last"] or 0


@transaction.atomic
def checkpoint(key: Ed25519PrivateKey, *, now: datetime) -> Checkpoint:
    """Sign size and Merkle root of the log as it stands; the same size is signed once.

    Only what follows from the checkpoint before is signed: its root is found again, and every entry
    since is hashed. Raises LedgerBroken where they do not fit; then nothing is signed.
    """
    end = size()
    before = Checkpoint.objects.order_by("-size").first()
    if before is not None and before.size == end:
        return before
    if before is not None and before.size > end:
        raise LedgerBroken(end + 1, f"it is missing; {before.size} entries were signed")
    _follows(before, end)
    tree.keep(end)
    signed = ledger.Checkpoint(end, tree.StoredTree(end).root(), now, ORIGIN)
    made, _ = Checkpoint.objects.get_or_create(
        size=end,
        defaults={
            "root": signed.root,
            "at": now,
            "note": signed.sign(key),
            "verifier": ledger.verifier_key(ORIGIN, key.public_key()),
        },
    )
    return made


def _follows(before: Checkpoint | None, size: int) -> None:
    """Whether the entries after a checkpoint, up to `size`, follow what it was signed over."""
    after, last_hash = 0, ledger.GENESIS
    if before is not None and before.size:
        after = before.size
        last_hash = bytes(Entry.objects.values_list("hash", flat=True).get(position=after))
        if tree.StoredTree(after).root() != bytes(before.root):
            why = f"the first {after} entries are not those that a checkpoint was signed over"
            raise LedgerBroken(after, why)
    count = after
    with closing(_chain(after, size)) as entries:
        for _ in ledger.follow(entries, after=after, last_hash=last_hash):
            count += 1
    if count < size:
        raise LedgerBroken(count + 1, "it is missing")


def verify(
    key: Ed25519PublicKey | None = None,
    *,
    notes: Iterable[str] = (),
    seen: Callable[[int], object] = lambda _count: None,
) -> int:
    """Recompute every hash and compare with every signed note; return the number of entries.

    notes   checkpoints that were kept elsewhere. Only they show that the end of the log was cut off
            together with the checkpoints over it.
    seen    told every few thousand entries how many were checked.

    Raises LedgerBroken naming the first entry that does not fit, or the size of a checkpoint whose
    row says something else than its note. With `key`, a note that it did not sign raises
    LedgerError; without, the notes are compared all the same.
    """
    signed = [_signed(row, key) for row in Checkpoint.objects.all()]
    signed += [_read_note(note, key) for note in notes]
    fits = tree.compare()

    def step(grown: ledger.Tree) -> None:
        fits(grown)
        if grown.size % _TELL_EVERY == 0:
            seen(grown.size)

    # Closed at once when something is broken, not when the collector comes by.
    with closing(_chain()) as entries:
        whole = ledger.verify_chain(entries, signed, seen=step)
    tree.compare_above()
    return whole.size


def _read_note(note: str, key: Ed25519PublicKey | None) -> tuple[int, bytes]:
    read = ledger.Checkpoint
    found = read.verify(note, key) if key is not None else read.unverified(note)
    return found.size, found.root


def _signed(row: Checkpoint, key: Ed25519PublicKey | None) -> tuple[int, bytes]:
    read = ledger.Checkpoint
    note = read.verify(row.note, key) if key is not None else read.unverified(row.note)
    if (note.size, note.root, note.origin) != (row.size, bytes(row.root), ORIGIN):
        raise LedgerBroken(
            row.size, f"the checkpoint kept over {row.size} entries is not the one in its note"
        )
    return note.size, note.root


_COVERED = ("position", "at", "tag", "actor", "subject", "detail", "previous", "hash")


def _chain(after: int = 0, until: int | None = None) -> Generator[ledger.Link]:
    """Entries after a position, as rows and not as objects: there may be millions."""
    asked = Entry.objects.filter(position__gt=after) if after else Entry.objects.all()
    if until is not None:
        asked = asked.filter(position__lte=until)
    for *covered, previous, stored in asked.values_list(*_COVERED).iterator(chunk_size=5_000):
        yield covered[0], _payload(*covered), bytes(previous), bytes(stored)


def history(subject: models.Model) -> Iterator[Entry]:
    """All entries about one row, oldest first."""
    yield from Entry.objects.filter(subject=name_of(subject)).order_by("position")
