"""The log at a million entries: verify it whole, sign it, prove from it, and add to it.

`python -m benchmarks.ledger [ENTRIES]` fills a PostgreSQL of its own with entries like those of a
decision, and measures (a) `audit.verify` over all of them, (b) a checkpoint an hour later, (c) an
inclusion proof and a consistency proof, (d) what one entry adds to a transaction that changes a row.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.own_database import installed
from benchmarks.rows import Row, in_turns, row

ENTRIES = 1_000_000
AN_HOUR = 1_000
ROUNDS = 500
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def measure(entries: int = ENTRIES) -> list[Row]:
    """Rows for the table; no peer keeps such a log."""
    with installed("worker"):
        return _measured(entries)


def _measured(entries: int) -> list[Row]:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from haechi.server.audit import proofs
    from haechi.server.audit import services as audit
    from haechi.server.audit.models import Entry

    key = audit.signing_key()
    _fill(entries - AN_HOUR)
    first_s, before = _timed(lambda: audit.checkpoint(key, now=BEGUN))
    _fill(AN_HOUR, after=entries - AN_HOUR)
    sign_s, signed = _timed(lambda: audit.checkpoint(key, now=BEGUN))
    verify_s, count = _timed(lambda: audit.verify(key.public_key()))
    assert count == entries
    asked = Entry.objects.filter(position__in=[n * (entries // 20) + 7 for n in range(20)])
    prove_s = statistics.median(
        _timed(lambda one=one: proofs.prove([one], signed))[0] for one in asked
    )
    grew_s, _ = _timed(lambda: proofs.consistency(before.size, signed))
    size = f"{entries // 1_000_000}m" if entries >= 1_000_000 else f"{entries // 1000}k"
    return [
        row(f"ledger.verify_{size}", verify_s, None, "s", "bound: under 60 s; one core hashes"),
        row(
            f"ledger.checkpoint_{size}", sign_s * 1e3, None, "ms",
            f"{AN_HOUR} entries since the last; the first of all took {first_s:.1f} s",
        ),
        row(f"ledger.prove_{size}", prove_s * 1e3, None, "ms", "one entry, nothing read before"),
        row(f"ledger.consistency_{size}", grew_s * 1e3, None, "ms", "two checkpoints"),
        _append(),
    ]  # fmt: skip


def _append() -> Row:
    """The median of changing one row inside a transaction, with an entry and without."""
    from django.db import connection, transaction

    from haechi.server.audit import services as audit

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_row (id int PRIMARY KEY, n int)")
        cursor.execute("INSERT INTO bench_row VALUES (1, 0)")

    def change(_turn: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE bench_row SET n = n + 1 WHERE id = 1")

    def with_entry(turn: int) -> None:
        change(turn)
        audit.record(
            "case:decided",
            subject=f"cases.decision:{turn}",
            actor="staff:7",
            at=BEGUN,
            detail={"verdict": "remove", "ground": "deepfake"},
        )

    # Without the commit, which waits for the disk once with or without an entry.
    with transaction.atomic():
        alone_s, both_s = in_turns([change, with_entry], ROUNDS)
    return row(
        "ledger.append", (both_s - alone_s) * 1e3, None, "ms",
        f"bound: under 1 ms a decision; one UPDATE beside it takes {alone_s * 1e3:.2f} ms",
    )  # fmt: skip


def _timed[T](act: Callable[[], T]) -> tuple[float, T]:
    begun = time.perf_counter()
    answer = act()
    return time.perf_counter() - begun, answer


def _fill(count: int, after: int = 0) -> None:
    """Add entries as the database would have chained them, by COPY and without its triggers."""
    from django.db import connection

    from haechi.server.audit.models import Entry

    last = bytes(Entry.objects.get(position=after).hash) if after else bytes(32)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        names = "position, at, tag, actor, subject, detail, previous, hash"
        with cursor.copy(f"COPY audit_entry ({names}) FROM STDIN") as copy:
            for values in _entries(count, after, last):
                copy.write_row(values)
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
        cursor.execute("ANALYZE audit_entry")


def _entries(count: int, after: int, last: bytes) -> Iterator[tuple[object, ...]]:
    import json

    from haechi import ledger
    from haechi.server.audit import services as audit
    from haechi.server.audit.models import Entry

    for number in range(after + 1, after + count + 1):
        entry = Entry(
            position=number,
            at=BEGUN + timedelta(seconds=number),
            tag="case:decided",
            actor=f"staff:{number % 30}",
            subject=f"cases.decision:{number // 8}",
            detail={"verdict": "remove", "ground": "deepfake", "hits": number % 9},
        )
        hashed = ledger.entry_hash(last, audit.payload(entry))
        told = (entry.tag, entry.actor, entry.subject, json.dumps(entry.detail))
        yield (number, entry.at, *told, last, hashed)
        last = hashed


if __name__ == "__main__":
    from benchmarks.table import show

    show(measure(*map(int, sys.argv[1:])))
