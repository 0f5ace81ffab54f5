"""The register of what AI services made, at a million records: how fast it grows, answers and forgets.

`python -m benchmarks trace` fills a PostgreSQL of its own: hashes of evenly distributed bits come in bulk,
then further records through the service, one transaction each. Asked is as for a picture, in eight turns and
as negatives, for copies that differ from a known one in up to 31 bits; the benchmark stops where one
is not found.
"""

import secrets
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.own_database import installed
from benchmarks.rows import Row, row

if TYPE_CHECKING:
    from haechi.server.matching.models import Platform

RECORDS = 1_000_000
ROUNDS = 200
FURTHER = 2_000
FORGOTTEN = 20_000
_BITS = 31

_GENERATIONS = """
INSERT INTO tracing_generation (platform_id, account_id, trace_id, produce_digest, turns, frames, views,
    pdq_quality, media_type, model, made_at, recorded_at, expires_at, sha256, pdq)
SELECT %(platform)s, %(account)s, number, sha256(int8send(number)), '', '', '', 100, 'image/jpeg', 'painter 2',
    now(), now(), now() + CASE WHEN number <= %(over)s THEN interval '180 days' ELSE interval '365 days' END,
    sha256(int8send(-number)), sha256(int8send(number))
FROM generate_series(1, %(records)s) AS number
"""


def measure(records: int = RECORDS) -> list[Row]:
    """Rows for the table; no peer keeps such a register."""
    with installed("desk", "EU"):
        return _measured(records)


def _measured(records: int) -> list[Row]:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.utils import timezone

    from haechi.server.tracing import registry

    now = timezone.now()
    board = _board()
    filled_s = _fill(board, records)
    bound = f"{records:,} records"
    rate = FURTHER / _timed(lambda: _record(board, FURTHER))
    p50, p95 = _asked(records)
    over = now + timedelta(days=200)
    forgotten = FORGOTTEN / _timed(lambda: registry.forget(now=over))
    again = _asked(records)[0]
    return [
        row("trace.fill", records / filled_s, None, "rows/s", f"{bound}; bulk, indexes there"),
        row("trace.record", rate, None, "records/s", f"{bound}; one transaction each, one process"),
        row("trace.lookup_p50", p50 * 1000, None, "ms", f"{bound}; 16 hashes within {_BITS} bits"),
        row("trace.lookup_p95", p95 * 1000, None, "ms", f"{bound}; 16 hashes within {_BITS} bits"),
        row(
            "trace.forget", forgotten, None, "records/s", f"{FORGOTTEN:,} of {bound}; logged slices"
        ),
        row("trace.lookup_bytes", _peak(), None, "bytes", f"{bound}; most that one question holds"),
        row("trace.lookup_after_p50", again * 1000, None, "ms", "nothing is read anew after it"),
        row(
            "trace.likeness_bytes", _bytes(records), None, "bytes", "a record's hash and 12 indexes"
        ),
        row("trace.record_bytes", _bytes(records, "generation"), None, "bytes", "all else of it"),
    ]


def _board() -> "Platform":
    from haechi.server.matching import services as matching

    return matching.register_platform(
        "studio", "https://s.example", "https://s.example/h", webhook_secret=b"s" * 32
    )


def _fill(board: "Platform", records: int) -> float:
    """Seconds for the hashes; the records are there before."""
    from django.db import connection
    from django.utils import timezone

    from haechi.server.tracing import bands
    from haechi.server.tracing.models import BAND_COLUMNS, Account

    account = Account.objects.create(
        platform=board, digest=bytes(32), sealed=b"", sealed_to="", first_at=timezone.now()
    )
    with connection.cursor() as cursor:
        told = {"platform": board.pk, "account": account.pk, "records": records, "over": FORGOTTEN}
        cursor.execute(_GENERATIONS, told)
        cursor.execute("SELECT id, pdq FROM tracing_generation ORDER BY id")
        names = ("generation_id", "place", *BAND_COLUMNS)
        known = cursor.fetchall()
        begun = time.perf_counter()
        with cursor.copy(f"COPY tracing_likeness ({', '.join(names)}) FROM STDIN") as copy:
            for start in range(0, len(known), 10_000):
                some = known[start : start + 10_000]
                cuts = bands.cut(bands.words([bytes(pdq) for _, pdq in some])).tolist()
                for (number, _), cut in zip(some, cuts, strict=True):
                    copy.write_row((number, 0, *cut))
        filled_s = time.perf_counter() - begun
        for table in ("tracing_generation", "tracing_likeness"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return filled_s


def _record(board: "Platform", further: int) -> None:
    from django.utils import timezone

    from haechi.server.tracing import registry
    from haechi.server.tracing.registry import Look, Made

    for number in range(further):
        now = timezone.now()
        columns = {
            "sha256": secrets.token_bytes(32),
            "pdq": secrets.token_bytes(32),
            "pdq_quality": 100,
        }
        made = Made(account=f"account {number % 50}", model="painter 2", made_at=now)
        registry.record(board, made, Look(columns, "image/jpeg"), now=now)


def _asked(records: int) -> tuple[float, float]:
    """Seconds of a search: the median, and what 95 of 100 take at most."""
    from haechi.fingerprint.frames import turned
    from haechi.index import Query
    from haechi.server.tracing import known
    from haechi.server.tracing.models import Generation

    chance, times = np.random.default_rng(7), []
    for number in count():
        if len(times) == ROUNDS:
            break
        # Not of those that are forgotten in between.
        key = int(chance.integers(FORGOTTEN + 1, records + 1))
        row = Generation.objects.get(trace_id=key)
        bits = np.unpackbits(np.frombuffer(bytes(row.pdq), np.uint8))
        bits[chance.choice(256, int(chance.integers(_BITS + 1)), replace=False)] ^= 1
        query = Query(b"", turned(np.packbits(bits).tobytes()), 100, None)
        begun = time.perf_counter()
        found = [hit.key for hit in known.search(query)]
        if number >= 3:
            times.append(time.perf_counter() - begun)
        if row.pk not in found:
            raise RuntimeError(f"record {row.pk} was not found")
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def _peak() -> float:
    """The most memory that one search takes beside what the process has; the driver's is not in it."""
    import tracemalloc

    from haechi.fingerprint.frames import turned
    from haechi.index import Query
    from haechi.server.tracing import known

    query = Query(b"", turned(secrets.token_bytes(32)), 100, None)
    known.search(query)
    tracemalloc.start()
    known.search(query)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(peak)


def _bytes(records: int, table: str = "likeness") -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [f"tracing_{table}"])
        return float(cursor.fetchone()[0]) / records


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
