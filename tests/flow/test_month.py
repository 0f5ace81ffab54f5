"""Some days of the simulated month; `python -m tests.month` lives through all of it."""

import pytest
from tests.month.story import month

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


# Who is killed in the middle closes no cursor.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_promise_is_broken_in_days_of_trouble() -> None:
    """B19, B21, B24: workers die and stand still, clocks are set back, mail and webhooks fail.

    No clock is missed in silence, nothing acts twice, and the numbers add up.
    """
    told = month(cases=10, days=2, risk=0.2)

    assert told.wrong == []
    # Otherwise nothing of this was put to the test.
    assert told.reports > 0
    assert told.deaths > 0
    assert told.tried_again > 0
    assert told.mails > 0
    assert told.decided
