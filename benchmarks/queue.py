"""How fast the queue is with 100,000 open cases: the page as the desk's process renders it.

`python -m benchmarks queue` makes them with bulk SQL in a PostgreSQL of its own, each with a report, a
clock or none, and every tenth with a find, and asks for the page as a reviewer's browser would,
without the network.
"""

import secrets
import statistics
import time
from collections.abc import Callable

from benchmarks.own_database import installed
from benchmarks.rows import Row, row

CASES = 100_000
ROUNDS = 60

_REPORTS = """
INSERT INTO reports_report (id, submission, received_at, language, age, harms, danger, filer, state,
    recipient, wrap_vault, wrapped_to, wrap_code, lookup, sealed)
SELECT gen_random_uuid(), gen_random_uuid(), now() - number * interval '1 minute', 'ko',
    CASE WHEN number %% 50 = 0 THEN 'under_18' WHEN number %% 5 = 0 THEN 'unsaid' ELSE 'adult' END,
    CASE number %% 4 WHEN 0 THEN '["made", "shared"]' WHEN 1 THEN '["threatened"]'
        WHEN 2 THEN '["doxxed", "shared"]' ELSE '["made"]' END::jsonb,
    number %% 100 = 3, 'self', 'looked_at', 'age1', repeat('w', 400)::bytea, '',
    repeat('w', 300)::bytea, sha256(int8send(number)), repeat('s', 900)::bytea
FROM generate_series(1, %s) AS number
"""
_CASES = """
INSERT INTO cases_case (report_id, state, minor, opened_at, facets)
SELECT id, 'open', age = 'under_18', received_at, '{}' FROM reports_report
"""
_CLOCKS = """
INSERT INTO cases_clock (case_id, rule, rule_version, law, jurisdiction, action, source, why,
    stopped_by, paused_by, started_at, due_at)
SELECT id, CASE id %% 3 WHEN 0 THEN 'us_tida_remove' ELSE 'kr_tba_report_result' END, 1, 'An Act', 'US',
    'Remove it.', 'source', 'because', 'removal', '', opened_at, opened_at + interval '48 hours'
FROM cases_case WHERE id %% 7 <> 0
"""
_HITS = """
INSERT INTO matching_hit (report_id, hosted_id, verdict, found_by, found_at)
SELECT report_id, %s, 'same_picture', 'pdq', now() FROM cases_case WHERE id %% 10 = 0
"""


def measure(cases: int = CASES) -> list[Row]:
    """Rows for the table; no peer has a queue by legal clocks."""
    with installed("desk", "KR,US"):
        return _measured(cases)


def _measured(cases: int) -> list[Row]:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django.test import Client
    from django.utils import timezone

    from haechi.server.cases import claims, queue
    from haechi.server.staff import services as staff
    from haechi.server.staff.models import Role

    places = _fill(cases)
    begun = time.perf_counter()
    queue.refresh_all()
    refreshed_s = time.perf_counter() - begun
    _settle()
    user, _ = staff.add(
        "rim", "Rim", Role.REVIEWER, secrets.token_urlsafe(20), actor="bench", now=timezone.now()
    )
    desk = Client(headers={"accept-language": "ko"})
    desk.force_login(user)
    middle = queue.waiting(queue.Asked(age="adult"), user, now=timezone.now())[cases // 3].pk
    asked: dict[str, Callable[[int], object]] = {
        "queue.page": lambda _: desk.get("/"),
        "queue.page_deep": lambda _: desk.get("/", {"others": middle}),
        "queue.filter": lambda n: desk.get("/", _FILTERS[n % len(_FILTERS)]),
        "queue.search_place": lambda n: desk.post(
            "/queue/search", {"words": places[n % len(places)]}
        ),
        "queue.search_number": lambda n: desk.post("/queue/search", {"words": str(middle + n)}),
        "queue.next": lambda _: claims.take_next(user, now=timezone.now()),
    }
    bound = f"{cases:,} open cases; bounded by rendering 50 lines"
    rows = [
        row(
            "queue.refresh_all",
            refreshed_s,
            None,
            "s",
            "every case put where it belongs; PostgreSQL",
        )
    ]
    for name, act in asked.items():
        p50, p95 = _percentiles(act)
        rows += [
            row(f"{name}_p50", p50 * 1000, None, "ms", bound),
            row(f"{name}_p95", p95 * 1000, None, "ms", bound),
        ]
    return rows


_FILTERS = (
    {"harm": "doxxed"},
    {"law": "us_tida_remove", "age": "unsaid"},
    {"danger": "yes"},
    {"hits": "yes", "holder": "nobody"},
    {"hits": "no", "age": "adult"},
    {"age": "minor"},
    {"platform": "1"},
    {"holder": "me"},
)


def _fill(cases: int) -> list[str]:
    """The rows, and some places that reports name."""
    from django.db import connection
    from django.utils import timezone

    from haechi.server.cases.models import Case
    from haechi.server.matching import services as matching
    from haechi.server.matching.models import Hosted
    from haechi.server.reports import services as reports

    board = matching.register_platform(
        "board", "https://b.example", "https://b.example/h", webhook_secret=b"s" * 32
    )
    hosted = Hosted.objects.create(
        platform=board,
        content_id="1",
        url_digest=bytes(32),
        account_digest=bytes(32),
        sha256=bytes(32),
        registered_at=timezone.now(),
    )
    with connection.cursor() as cursor:
        cursor.execute(_REPORTS, [cases])
        cursor.execute(_CASES)
        cursor.execute(_CLOCKS, [])
        cursor.execute(_HITS, [hosted.pk])
        for table in ("reports_report", "cases_case", "cases_clock", "matching_hit"):
            cursor.execute(f"ANALYZE {table}")
    from haechi import seal

    places = [f"https://photos.example/{number}" for number in range(50)]
    recipient = seal.recipient_of(seal.new_identity())
    for number, case in enumerate(Case.objects.select_related("report")[: len(places)]):
        case.report.recipient = recipient
        reports.add_location(case.report, 1, places[number], now=timezone.now())
    return places


def _settle() -> None:
    """As autovacuum leaves it after a while."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE cases_case")


def _percentiles(act: Callable[[int], object]) -> tuple[float, float]:
    """Seconds: the median, and what 95 of 100 take at most."""
    times = []
    for number in range(ROUNDS + 3):
        begun = time.perf_counter()
        answer = act(number)
        times.append(time.perf_counter() - begun)
        status = getattr(answer, "status_code", 200)
        if status != 200:
            raise RuntimeError(f"the page answered {status}")
    times = times[3:]
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]
