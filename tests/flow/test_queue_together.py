"""Several people at the queue at the same moment, each with a connection of their own."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from tests.conftest import NOON
from tests.flow.queued import somebody, waits

from haechi.errors import CaseClaimed
from haechi.server.audit.models import Entry
from haechi.server.cases import claims
from haechi.server.cases.models import Case
from haechi.server.staff.models import User

HOUR = timedelta(hours=1)
TABLES = ("cases_grant", "cases_clock", "cases_case", "reports_report", "staff_user")


def together[T](count: int, act: Callable[[int], T]) -> list[T]:
    """What each of `count` threads got, all let go at the same moment."""
    ready = threading.Barrier(count)

    def one(number: int) -> T:
        try:
            ready.wait(60)
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.fixture
def shift(committed: None) -> Iterator[list[User]]:
    """Six reviewers whose rows other connections see."""
    people = [somebody(f"p{number}") for number in range(6)]
    yield people
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in TABLES:
            cursor.execute(f'DELETE FROM "{table}"')
        cursor.execute("RESET session_replication_role")


@pytest.mark.parametrize("cases", [4, 8])
def test_nobody_is_given_what_another_takes(shift: list[User], cases: int) -> None:
    """Six people press "the next one" at once: six cases, or all there are; never one twice."""
    for number in range(cases):
        waits(NOON + number * HOUR)
    first = list(Case.objects.queue()[:6])

    got = together(6, lambda number: claims.take_next(shift[number], now=NOON))

    taken = [case for case in got if case is not None]
    assert len(taken) == len(set(taken)) == min(6, cases)
    assert set(taken) == set(first)
    holders = dict(Case.objects.values_list("pk", "claimed_by"))
    assert all(holders[case.pk] == shift[n].pk for n, case in enumerate(got) if case is not None)


def test_of_many_who_take_one_case_one_has_it(shift: list[User]) -> None:
    """B19: the others are told, and nothing of theirs is written."""
    case = waits()

    def take(number: int) -> bool:
        try:
            claims.claim(case, shift[number], now=NOON)
        except CaseClaimed:
            return False
        return True

    assert sorted(together(6, take)) == [False] * 5 + [True]
    assert Entry.objects.filter(tag="case:claimed").count() == 1
    assert case.grants.count() == 1
