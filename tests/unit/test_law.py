"""Which clocks start, and when they run out."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi import law
from haechi.errors import LawError, UnknownRule

EVERYWHERE = frozenset({"US", "EU", "UK", "AU", "KR", "CN", "IN"})
ALL = frozenset(rule.id for rule in law.rules())
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEOUL, LONDON = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/London")
MOMENTS = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(2090, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.sampled_from([UTC, SEOUL, LONDON, timezone(timedelta(hours=-11))]),
)
# A limit in days in a country with summer time; the tables hold none that is enabled.
UK_DAYS = replace(law.rule("kr_tba_report_result"), jurisdiction="UK")


def started(
    event: str, *, valid: frozenset[str] = frozenset(), minor: bool = False, at: datetime = NOON
) -> list:
    facts = law.Facts(EVERYWHERE, minor=minor, event=event, valid=valid)
    return [clock.rule.id for clock in law.clocks_for(facts, at=at)]


def test_only_these_rules_run_today() -> None:
    """A row that is switched on by a change of the tables must be looked at by a person."""
    assert {rule.id for rule in law.rules() if rule.enabled} == {
        "us_tida_remove",
        "au_ibia_removal",
        "kr_tba_report_result",
    }


def test_what_runs_is_verified_dated_and_countable_and_the_rest_says_why_not() -> None:
    for rule in law.rules():
        if rule.enabled:
            assert rule.confidence == "verified in a stored text"
            assert rule.in_force_from
            assert rule.event in law.EVENTS
            assert rule.seconds
        else:
            assert rule.why_off


@pytest.mark.parametrize(
    ("rule_id", "why"),
    [
        ("uk_osa_48h", "the date of its entry into force is not verified"),
        ("in_ncii", "the rule is not known well enough: verified, secondary source only"),
        ("eu_dsa18_threat", "the limit is not a number of hours, days, months or years: promptly"),
        (
            "kr_kcsc_24h",
            (
                "nothing that happens in Haechi starts this limit; "
                "the rule is not known well enough: not verified; "
                "the date of its entry into force is not verified"
            ),
        ),
    ],
)
def test_a_rule_that_is_off_says_why_in_words(rule_id: str, why: str) -> None:
    assert law.rule(rule_id).why_off == why


def test_the_tables_are_read_whole_and_name_the_law_as_written() -> None:
    rows = json.loads(resources.files("haechi.law").joinpath("data/deadlines.json").read_bytes())
    assert [rule.id for rule in law.rules()] == [row["id"] for row in rows["rows"]]
    rule = law.rule("us_tida_remove")
    assert rule.law == "TAKE IT DOWN Act §3(a)(3) (Pub. L. 119-12)"
    assert (rule.seconds, rule.unit_text) == (172_800, "48 hours")
    assert rule.in_force_from == date(2026, 5, 19)


def test_the_events_file_knows_only_rules_events_and_zones_that_exist() -> None:
    file = resources.files("haechi.law").joinpath("data/events.json")
    table = json.loads(file.read_bytes())
    assert set(table["_meta"]["events"]) == set(law.EVENTS)
    assert {clock["event"] for clock in table["clocks"].values()} <= set(law.EVENTS)
    for rule_id in table["clocks"]:
        law.rule(rule_id)
    for rule in law.rules():
        assert law.time_zone(rule.jurisdiction)


@pytest.mark.parametrize("rule_id", ["", "us_tida", "US_TIDA_REMOVE", "no such rule"])
def test_a_rule_that_does_not_exist_is_unknown(rule_id: str) -> None:
    with pytest.raises(UnknownRule):
        law.rule(rule_id)


def test_a_jurisdiction_that_does_not_exist_is_unknown() -> None:
    with pytest.raises(UnknownRule):
        law.time_zone("XX")


def test_a_report_starts_what_it_starts() -> None:
    assert started("report") == ["kr_tba_report_result"]
    assert started("report", valid=ALL) == ["us_tida_remove", "kr_tba_report_result"]
    assert started("valid_request", valid=ALL) == ["us_tida_remove"]
    assert started("valid_request") == []
    assert started("order") == ["au_ibia_removal"]
    assert started("decision", minor=True) == []


def test_only_where_the_operator_answers() -> None:
    facts = law.Facts(frozenset({"US"}), minor=False, event="report", valid=ALL)
    assert [clock.rule.id for clock in law.clocks_for(facts, at=NOON)] == ["us_tida_remove"]
    nowhere = law.Facts(frozenset(), minor=False, event="report", valid=ALL)
    assert law.clocks_for(nowhere, at=NOON) == ()


def test_a_rule_for_minors_binds_only_for_minors(monkeypatch: pytest.MonkeyPatch) -> None:
    only = replace(law.rule("us_tida_remove"), only_minors=True)
    monkeypatch.setattr("haechi.law.clocks.rules", lambda: (only,))
    assert started("report", valid=ALL) == []
    assert started("report", valid=ALL, minor=True) == ["us_tida_remove"]


def test_in_force_is_judged_by_the_calendar_of_the_country() -> None:
    """The US rule binds from 19 May 2026, 00:00 in New York, which is 04:00 UTC."""
    before = datetime(2026, 5, 19, 3, 59, 59, tzinfo=UTC)
    assert started("valid_request", valid=ALL, at=before) == []
    after = datetime(2026, 5, 19, 4, 0, tzinfo=UTC)
    assert started("valid_request", valid=ALL, at=after) == ["us_tida_remove"]


def test_a_clock_says_when_and_why() -> None:
    facts = law.Facts(frozenset({"US"}), minor=False, event="valid_request", valid=ALL)
    [clock] = law.clocks_for(facts, at=NOON.astimezone(SEOUL))
    assert clock.started_at == NOON
    assert clock.due_at == NOON + timedelta(hours=48)
    assert clock.started_at.tzinfo is clock.due_at.tzinfo is UTC
    assert clock.why.startswith("TAKE IT DOWN Act §3(a)(3) (Pub. L. 119-12): 48 hours from valid")


def test_an_event_nobody_knows_is_refused() -> None:
    with pytest.raises(LawError):
        law.Facts(EVERYWHERE, minor=False, event="rumour", valid=ALL)


def test_a_moment_without_a_zone_is_refused() -> None:
    facts = law.Facts(EVERYWHERE, minor=False, event="report", valid=ALL)
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(LawError):
        law.clocks_for(facts, at=naive)
    with pytest.raises(LawError):
        law.due_at(law.rule("us_tida_remove"), naive)


COUNTABLE = st.sampled_from([rule for rule in law.rules() if rule.seconds] + [UK_DAYS])


@given(rule=COUNTABLE, at=MOMENTS)
@settings(deadline=None)
def test_a_limit_runs_out_after_it_began_and_within_an_hour_of_its_seconds(
    rule: law.Rule, at: datetime
) -> None:
    due = law.due_at(rule, at)
    assert due > at
    assert rule.seconds is not None
    passed = (due - at.astimezone(UTC)).total_seconds()
    slack = 3600 if rule.unit == "days" else 0
    assert abs(passed - rule.seconds) <= slack


@given(rule=COUNTABLE, one=MOMENTS, other=MOMENTS)
@settings(deadline=None)
def test_who_begins_later_is_not_due_earlier(
    rule: law.Rule, one: datetime, other: datetime
) -> None:
    """Except by the hour that summer time skips or repeats."""
    first, second = sorted([one, other])
    slack = timedelta(hours=1) if rule.unit == "days" else timedelta()
    assert law.due_at(rule, first) <= law.due_at(rule, second) + slack


@given(at=MOMENTS)
@settings(deadline=None)
def test_fourteen_days_in_korea_end_at_the_same_time_of_day(at: datetime) -> None:
    due = law.due_at(law.rule("kr_tba_report_result"), at)
    assert due - at.astimezone(UTC) == timedelta(days=14)
    assert due.astimezone(SEOUL).time() == at.astimezone(SEOUL).time()


@pytest.mark.parametrize(
    ("start", "due"),
    [
        # Over the spring change: the same time of day, one hour less passes.
        ("2026-03-20T12:00:00+00:00", "2026-04-03T12:00:00+01:00"),
        # Over the autumn change: one hour more.
        ("2026-10-20T12:00:00+01:00", "2026-11-03T12:00:00+00:00"),
        # Due at 01:30, which does not exist that night: the moment of the change, 01:00 UTC.
        ("2026-03-15T01:30:00+00:00", "2026-03-29T01:00:00+00:00"),
        # Due at 01:30, which comes twice that night: the first of the two.
        ("2026-10-11T01:30:00+01:00", "2026-10-25T01:30:00+01:00"),
        # Leap day.
        ("2028-02-15T23:59:59+00:00", "2028-02-29T23:59:59+00:00"),
        ("2028-02-20T08:00:00+00:00", "2028-03-05T08:00:00+00:00"),
        ("2027-02-20T08:00:00+00:00", "2027-03-06T08:00:00+00:00"),
        ("2026-12-25T08:00:00+00:00", "2027-01-08T08:00:00+00:00"),
    ],
)
def test_fourteen_days_where_there_is_summer_time(start: str, due: str) -> None:
    found = law.due_at(UK_DAYS, datetime.fromisoformat(start))
    assert found.isoformat() == datetime.fromisoformat(due).astimezone(UTC).isoformat()


def test_hours_pass_whatever_the_clock_on_the_wall_does() -> None:
    eve = datetime(2026, 3, 7, 22, 0, tzinfo=ZoneInfo("America/New_York"))
    due = law.due_at(law.rule("us_tida_remove"), eve)
    assert due == eve.astimezone(UTC) + timedelta(hours=48)
    assert due.astimezone(ZoneInfo("America/New_York")).hour == 23


def test_what_a_valid_request_must_state() -> None:
    keys = {element.key for element in law.required_by("us_tida")}
    assert keys == {"signature", "locate", "good_faith_nonconsent", "contact"}
    assert law.missing("us_tida", keys) == ()
    [gap] = law.missing("us_tida", keys - {"signature"})
    assert gap.key == "signature"
    assert "signature" in gap.text


def test_an_element_with_a_condition_is_left_to_a_person() -> None:
    by_key = {element.key: element for element in law.required_by("eu_dsa16")}
    assert "child sexual abuse" in by_key["name_email"].condition
    assert "name_email" not in {element.key for element in law.missing("eu_dsa16", frozenset())}


def test_every_regime_can_be_read_and_no_other() -> None:
    assert {"us_tida", "eu_dsa16", "uk_osa_s20a", "kr_tba"} <= set(law.regimes())
    assert all(law.required_by(regime) for regime in law.regimes())
    with pytest.raises(UnknownRule):
        law.missing("nowhere", frozenset())


COMPLETE = frozenset(
    {"declared", "signed", "standing", "exact_place", "place", "told", "kind", "code"}
)


def lacking(facts: frozenset[str], regime: str) -> list[str]:
    found = {each.regime: each for each in law.standings(facts, EVERYWHERE)}
    return [asked.key for asked in found[regime].missing]


def test_a_complete_report_is_complete_for_the_laws_whose_clocks_run() -> None:
    """Name, statement, place: no e-mail is needed where a page of its own answers the report."""
    assert lacking(COMPLETE, "us_tida") == []
    assert "us_tida_remove" in law.complete_for(COMPLETE)


@pytest.mark.parametrize(
    ("without", "regime", "key"),
    [
        ("signed", "us_tida", "signature"),
        ("declared", "us_tida", "good_faith_nonconsent"),
        ("standing", "us_tida", "good_faith_nonconsent"),
        ("exact_place", "us_tida", "locate"),
        ("exact_place", "kr_tba", "locate"),
        ("kind", "kr_tba", "explanation"),
        ("declared", "eu_dsa16", "bona_fide"),
    ],
)
def test_each_fact_that_is_missing_is_named(without: str, regime: str, key: str) -> None:
    assert key in lacking(COMPLETE - {without}, regime)
    assert key not in lacking(COMPLETE, regime)


def test_a_picture_stands_for_a_place_only_where_the_law_asks_to_locate() -> None:
    facts = COMPLETE - {"exact_place", "place"} | {"picture"}
    assert lacking(facts, "us_tida") == []
    assert lacking(facts, "eu_dsa16") == ["exact_url", "name_email"]


def test_a_child_need_not_give_name_and_address_under_the_dsa() -> None:
    """Article 16(2)(c) of Regulation (EU) 2022/2065."""
    assert lacking(COMPLETE, "eu_dsa16") == ["name_email"]
    assert lacking(COMPLETE | {"minor"}, "eu_dsa16") == []
    assert lacking(COMPLETE | {"contact", "email"}, "eu_dsa16") == []


def test_identity_is_never_proved_through_a_report() -> None:
    assert lacking(law.fact_names(), "cn_civil_1195") == ["true_identity"]


def test_every_element_of_a_regime_is_mapped_with_known_words_only() -> None:
    for each in law.standings(law.fact_names(), EVERYWHERE):
        assert [asked.key for asked in each.asked] == [
            element.key for element in law.required_by(each.regime)
        ]
        for asked in each.asked:
            assert frozenset().union(*asked.given_by, asked.waived_by) <= law.fact_names()
    with pytest.raises(UnknownRule):
        law.standings(frozenset({"rumour"}), EVERYWHERE)


def test_a_clock_starts_for_the_rule_whose_request_is_complete_and_for_no_other() -> None:
    assert "us_tida_remove" not in started("report", valid=frozenset({"uk_osa_48h"}))
    assert "us_tida_remove" in started("report", valid=frozenset({"us_tida_remove"}))


@given(st.frozensets(st.sampled_from(sorted(law.fact_names()))))
def test_more_facts_never_make_a_request_less_complete(facts: frozenset[str]) -> None:
    for word in law.fact_names():
        assert law.complete_for(facts) <= law.complete_for(facts | {word})
