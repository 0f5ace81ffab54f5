"""Twenty report at once, each with a photograph, while others send slower than any thread lasts.

`python -m benchmarks door` does it with two hundred, and tells how long each waited.
"""

import psycopg
import pytest
from benchmarks import door

from haechi.demo.visitor import Visitor
from haechi.server.reports.return_code import ReturnCode

pytestmark = [pytest.mark.slow, pytest.mark.timeout(door.LONGEST_S)]

REPORTS, SLOW = 20, 10
KEPT = """
SELECT count(*), count(DISTINCT blob), count(DISTINCT report_id), count(DISTINCT sha256)
FROM evidence_exhibit
"""


def test_b14_b30_all_get_their_receipts_and_each_code_opens_its_report() -> None:
    """No error, nothing doubled or lost, and a few with one bar keep nobody out."""
    with door.running(worker=False) as house, door.pictures([(800, 600)]) as photos:
        told = door.crowd(house.port, photos, reports=REPORTS, slow=SLOW)

        assert told["wrong"] == []
        codes = {ReturnCode.parse(words) for words in told["codes"]}
        assert len(codes) == len(told["codes"]) == REPORTS
        assert told["look_s"], "somebody could look at a page meanwhile"
        with psycopg.connect(house.owner) as connection:
            assert connection.execute(KEPT).fetchone() == (REPORTS,) * 4
            entries = connection.execute(
                "SELECT count(*), max(position) FROM audit_entry"
            ).fetchone()
        assert entries == (2 * REPORTS, 2 * REPORTS), "one for each report and each file, no gap"
        for words in told["codes"][:3]:
            with Visitor(f"http://127.0.0.1:{house.port}", "en") as reporter:
                reporter.look("/return")
                reporter.send("/return", {"code": words})
                assert reporter.path == "/status"
