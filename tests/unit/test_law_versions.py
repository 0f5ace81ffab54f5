"""What an administrator confirms about a rule takes the place of what the table says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from haechi import law
from haechi.errors import LawError, RuleRefused, UnknownRule

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NCII = law.Version(
    rule="in_ncii",
    version=1,
    runs=True,
    amount=2,
    unit="hours",
    event="valid_request",
    stopped_by="removal",
    paused_by="",
    only_minors=False,
    in_force_from=date(2026, 2, 20),
    in_force_until=None,
    source="Gazette of India, G.S.R. 120(E)",
)


def started(table: Any, *, at: datetime = NOON, **other: Any) -> list[str]:
    facts = law.Facts(
        frozenset({"IN"}), minor=False, event="report", valid=frozenset({"in_ncii"}), **other
    )
    return [clock.rule.id for clock in law.clocks_for(facts, at=at, table=table.values())]


def test_a_row_that_is_off_runs_once_it_is_confirmed() -> None:
    assert started(law.current(())) == []
    table = law.current([NCII])
    assert started(table) == ["in_ncii"]
    assert table["in_ncii"].source == "Gazette of India, G.S.R. 120(E)"
    assert table["in_ncii"].version == 1
    assert law.rule("in_ncii").version == 0


def test_the_newest_version_holds_whatever_the_order() -> None:
    newer = replace(NCII, version=2, amount=3)
    for versions in ([NCII, newer], [newer, NCII]):
        assert law.current(versions)["in_ncii"].amount == 3
    ended = replace(NCII, version=3, runs=False)
    assert started(law.current([NCII, newer, ended])) == []
    assert law.current([ended])["in_ncii"].off == ("switched_off",)


def test_the_last_day_is_a_day_of_the_place() -> None:
    """20 February in India ends at 18:30 UTC."""
    table = law.current([replace(NCII, in_force_until=date(2026, 11, 22))])
    midnight = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    assert started(table, at=midnight - timedelta(seconds=1)) == ["in_ncii"]
    assert started(table, at=midnight) == []


def test_a_law_binds_whom_it_binds() -> None:
    """A hotline has no deadline of a platform."""
    table = law.current([NCII])
    assert started(table, bound=frozenset({"authority"})) == []
    assert started(table, bound=frozenset()) == []
    assert started(table, bound=frozenset({"authority", "platform"})) == ["in_ncii"]
    with pytest.raises(LawError):
        started(table, bound=frozenset({"everybody"}))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 10**9}, "amount"),
        ({"unit": "moons"}, "unit"),
        ({"event": "rumour"}, "event"),
        ({"stopped_by": "luck"}, "stopped_by"),
        ({"paused_by": "lunch"}, "paused_by"),
        ({"source": "  "}, "source"),
        ({"in_force_until": date(2020, 1, 1)}, "in_force_until"),
        ({"rule": "in_order"}, "event"),
        ({"rule": "us_2258a_preserve", "event": "report"}, "keep"),
    ],
)
def test_what_cannot_run_is_refused_and_named(change: dict[str, Any], named: str) -> None:
    """A valid request starts a clock only where it is known what makes one valid."""
    with pytest.raises(RuleRefused, match=named):
        law.confirmed(replace(NCII, **change))


def test_a_row_that_can_no_longer_run_switches_its_rule_off_and_breaks_nothing() -> None:
    table = law.current([replace(NCII, unit="moons"), replace(NCII, rule="of_another_release")])
    assert table["in_ncii"].off == ("refused",)
    assert table.keys() == {rule.id for rule in law.rules()}
    with pytest.raises(UnknownRule):
        law.confirmed(replace(NCII, rule="of_another_release"))


def test_every_row_says_what_it_is_and_whom_it_binds() -> None:
    for rule in law.rules():
        assert rule.kind in law.KINDS
        assert rule.bound
        assert rule.bound <= set(law.ROLES)
        assert rule.paused_by in ("", law.ASKED)
        assert rule.source
    assert {rule.id for rule in law.rules() if rule.kind == "answer"} >= {"kr_tba_report_result"}
