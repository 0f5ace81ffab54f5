"""How long it takes to look backwards: from a member's confirmation to its finds as rows.

`python -m benchmarks.backward [HOSTED]` registers HOSTED pictures by random PDQ (1,000,000), 1,000
of them near the members that are confirmed, in a PostgreSQL of its own, and measures (a) how long a
process needs to read everything for the first time, and (b) confirmations with everything read, as
the worker has it: the median and the worst of 20.
"""

import statistics
import sys
import time

from benchmarks.own_database import installed

HOSTED = 1_000_000
CONFIRMATIONS = 20
LIMIT_S = 10.0

_FILL = """
INSERT INTO matching_hosted (platform_id, content_id, url_digest, account_digest, sha256, pdq,
                             pdq_quality, views, frames, registered_at, seq)
SELECT %s, number::text, sha256(int8send(number)), sha256(int8send(-number)),
       sha256(int8send(number) || 'f'), sha256(int8send(number) || 'p'), 100, '', '', now(), 0
FROM generate_series(1, %s) AS number
"""


def measure(hosted: int = HOSTED) -> list[dict[str, object]]:
    """Rows for the table; needs no peer, since none of them looks backwards."""
    with installed("worker"):
        return _measured(hosted)


def _measured(hosted: int) -> list[dict[str, object]]:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.db import connection
    from django.utils import timezone

    from haechi.server import flow
    from haechi.server.matching import banks, listing, services
    from haechi.server.matching.models import (
        BankPolicy,
        Hosted,
        Member,
        MemberStatus,
        Sighting,
    )

    board = services.register_platform(
        "board", "https://b.example", "https://b.example/h", webhook_secret=b"s" * 32
    )
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [board.pk, hosted])
        cursor.execute("ANALYZE matching_hosted")
    act = {"actor": "bench", "now": timezone.now()}
    bank = banks.make("bench", BankPolicy.BLOCK, **act)
    # Each member is 20 bits from one hosted picture.
    near = Hosted.objects.filter(content_id__in=[str(n + 1) for n in range(CONFIRMATIONS + 1)])
    new = [
        listing.New(
            "bench",
            pdq=(int.from_bytes(bytes(row.pdq or b"")) ^ ((1 << 20) - 1)).to_bytes(32),
            pdq_quality=100,
        )
        for row in near
    ]
    numbers = listing.add(bank, new, status=MemberStatus.PENDING, **act)
    began = time.perf_counter()
    services.known().catch_up()
    first_s = time.perf_counter() - began
    flow.confirm_member(Member.objects.get(pk=numbers[0].member), **act)
    flow.search_backwards()
    took = []
    for added in numbers[1:]:
        member = Member.objects.get(pk=added.member)
        began = time.perf_counter()
        flow.confirm_member(member, actor="bench", now=timezone.now())
        flow.search_backwards()
        took.append(time.perf_counter() - began)
        assert Sighting.objects.filter(member=member).count() == 1
    size = f"{hosted // 1_000_000}m" if hosted >= 1_000_000 else f"{hosted // 1000}k"
    bound = (
        f"limit {LIMIT_S:.0f} s with the worker's wait of up to 3 s; worst {max(took):.2f} s; "
        f"reading everything at the start {first_s:.0f} s; no peer looks backwards"
    )
    return [
        {
            "name": f"banks.backward_{size}",
            "ours": round(statistics.median(took), 3),
            "peer": None,
            "unit": "s from confirmation to finds",
            "ratio": None,
            "bound": bound,
        }
    ]


if __name__ == "__main__":
    from benchmarks.table import show

    show(measure(*map(int, sys.argv[1:])))
