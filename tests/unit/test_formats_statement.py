"""Statements of reasons, against the table taken from the Commission's source code."""

import inspect
import json
from datetime import date
from importlib import resources
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haechi.errors import InvalidDocument
from haechi.formats import statement

TABLE = json.loads(
    resources.files("haechi.formats").joinpath("data/dsa_statement_of_reasons.json").read_bytes()
)
FIELDS = {field["name"]: field for field in TABLE["fields"]}


def made(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "puid": "haechi-decision-17",
        "facts": "A person depicted reported a synthetic picture; a reviewer compared it.",
        "ground": "Criminal code, section 1",
        "explanation": "The picture was made and published without consent.",
        "content_type": ["CONTENT_TYPE_IMAGE"],
        "content_date": date(2026, 11, 20),
        "application_date": date(2026, 11, 22),
        "minor": False,
        "automated_detection": False,
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
    }
    return statement.dsa(**(arguments | changes))


GOOD = made()


def refused(name: str, **changes: Any) -> None:
    """Changed so, the statement is refused, and the text begins with the field's name."""
    with pytest.raises(InvalidDocument, match=rf"^{name} "):
        statement.validate(GOOD | changes)


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name not in names}


def test_what_is_stated_about_a_removed_deepfake() -> None:
    assert GOOD["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_REMOVED"]
    assert GOOD["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT"
    assert GOOD["category"] == "STATEMENT_CATEGORY_CYBER_VIOLENCE"
    assert GOOD["category_specification"] == ["KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE"]
    assert GOOD["content_type"] == ["CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_IMAGE"]
    assert GOOD["source_type"] == "SOURCE_ARTICLE_16"
    assert GOOD["automated_detection"] == "No"
    assert (GOOD["content_date"], GOOD["application_date"]) == ("2026-11-20", "2026-11-22")
    assert json.loads(json.dumps(GOOD)) == GOOD


@pytest.mark.parametrize(
    ("minor", "synthetic", "category", "keyword"),
    [
        (True, True, "PROTECTION_OF_MINORS", "CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE"),
        (True, False, "PROTECTION_OF_MINORS", "CHILD_SEXUAL_ABUSE_MATERIAL"),
        (False, False, "CYBER_VIOLENCE", "NON_CONSENSUAL_IMAGE_SHARING"),
    ],
)
def test_minors_and_real_pictures_have_their_own_keywords(
    *, minor: bool, synthetic: bool, category: str, keyword: str
) -> None:
    found = made(minor=minor, synthetic=synthetic)
    assert found["category"] == f"STATEMENT_CATEGORY_{category}"
    assert found["category_specification"] == [f"KEYWORD_{keyword}"]
    keywords = TABLE["category_tree_from_implementing_regulation"][found["category"]]["keywords"]
    assert set(found["category_specification"]) <= set(keywords)


def test_content_against_the_terms_is_stated_as_such() -> None:
    found = made(illegal=False)
    assert found["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT"
    assert found["incompatible_content_ground"] == "Criminal code, section 1"
    assert "illegal_content_legal_ground" not in found


def test_what_a_machine_did_is_said() -> None:
    found = made(automated_detection=True, automated_decision="AUTOMATED_DECISION_FULLY")
    assert found["automated_detection"] == "Yes"
    assert found["automated_decision"] == "AUTOMATED_DECISION_FULLY"


def test_there_is_no_argument_for_a_person() -> None:
    names = set(inspect.signature(statement.dsa).parameters)
    assert not names & {"name", "account", "user", "email", "url", "reporter", "source_identity"}


def test_one_statement_never_changes_the_next() -> None:
    made()["category_specification"].append("KEYWORD_OTHER")
    assert made() == GOOD


def test_every_condition_in_the_table_is_understood() -> None:
    for name, field in FIELDS.items():
        needed, allowed = statement._presence(field["required"], name)(GOOD)
        assert allowed or not needed
    with pytest.raises(InvalidDocument):
        statement._presence("only on Tuesdays", "puid")


@pytest.mark.parametrize("name", [name for name in GOOD if name != "category_specification"])
def test_a_missing_field_is_named(name: str) -> None:
    for empty in (without(name), GOOD | {name: ""}, GOOD | {name: None}):
        with pytest.raises(InvalidDocument, match=f"^{name} is missing"):
            statement.validate(empty)


def test_one_restriction_of_the_four_is_enough() -> None:
    others = without("decision_visibility")
    statement.validate(others | {"decision_account": "DECISION_ACCOUNT_SUSPENDED"})
    statement.validate(GOOD | {"decision_account": "DECISION_ACCOUNT_TERMINATED"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("decision_visibility_other", "words"),
        ("decision_monetary_other", "words"),
        ("incompatible_content_ground", "words"),
        ("incompatible_content_illegal", "Yes"),
        ("content_type_other", "words"),
    ],
)
def test_what_the_database_would_drop_in_silence_is_refused(name: str, value: str) -> None:
    refused(name, **{name: value})


def test_other_needs_its_words() -> None:
    refused("content_type_other", content_type=["CONTENT_TYPE_OTHER"])
    statement.validate(
        GOOD | {"content_type": ["CONTENT_TYPE_OTHER"], "content_type_other": "a hologram"}
    )


def test_the_identity_of_the_source_has_no_place_for_own_initiative() -> None:
    statement.validate(GOOD | {"source_identity": "A hotline"})
    refused("source_identity", source_identity="A hotline", source_type="SOURCE_VOLUNTARY")


@pytest.mark.parametrize(
    ("name", "field"), [(n, f) for n, f in FIELDS.items() if "max_length" in f and n in GOOD]
)
def test_lengths_are_those_of_the_table(name: str, field: dict[str, Any]) -> None:
    statement.validate(GOOD | {name: "x" * field["max_length"]})
    refused(name, **{name: "x" * (field["max_length"] + 1)})


ENUMS = [(n, f) for n, f in FIELDS.items() if "enum" in f and n in GOOD]


@pytest.mark.parametrize(("name", "field"), ENUMS)
@pytest.mark.parametrize("value", ["", "NO_SUCH_VALUE", 7, {}, {"a": 1}, ["NO_SUCH_VALUE"], [[]]])
def test_values_are_those_of_the_table(name: str, field: dict[str, Any], value: object) -> None:
    if value in ("", {}) and field["required"] == "optional":
        return
    refused(name, **{name: value})


def test_removed_and_report_only_values_are_refused() -> None:
    for category in TABLE["changes_2025_07_01"]["removed_categories"]:
        refused("category", category=category)
    refused("category", category="STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER")
    for keyword in TABLE["changes_2025_07_01"]["removed_keywords"]:
        refused("category_specification", category_specification=[keyword])


def test_the_same_value_twice_is_refused() -> None:
    refused("content_type", content_type=["CONTENT_TYPE_IMAGE"] * 2)


@pytest.mark.parametrize(
    "value", ["22.11.2026", "2026-11-31", "2026-W47-7", "20261122", "1999-12-31", "2038-01-02", 20]
)
def test_dates_are_real_and_inside_the_years(value: object) -> None:
    refused("content_date", content_date=value)


def test_the_removal_cannot_be_before_2020() -> None:
    statement.validate(GOOD | {"content_date": "2000-01-01"})
    refused("application_date", application_date="2019-12-31")


@given(puid=st.text(max_size=30))
@settings(deadline=None)
def test_a_puid_is_letters_digits_hyphen_and_underscore(puid: str) -> None:
    fits = bool(puid) and all(each.isascii() and (each.isalnum() or each in "-_") for each in puid)
    try:
        statement.validate(GOOD | {"puid": puid})
    except InvalidDocument:
        assert not fits
    else:
        assert fits


def test_a_puid_has_no_line_feed_at_its_end() -> None:
    refused("puid", puid="abc\n")


def test_greece_is_gr() -> None:
    assert made(territorial_scope=["GR", "DE"])["territorial_scope"] == ["GR", "DE"]
    refused("territorial_scope", territorial_scope=["EL"])


def test_an_address_in_free_text_is_refused() -> None:
    """Art. 24(5) DSA: no personal data."""
    refused("decision_facts", decision_facts="Reported by jane.doe@mail.example yesterday.")
    statement.validate(GOOD | {"decision_facts": "The handle @ and 5 @ 3 are no addresses."})


@pytest.mark.parametrize("value", ["no address", "javascript:alert(1)", "https://", "http://[::1"])
def test_a_reference_must_be_a_web_address(value: str) -> None:
    refused("decision_ground_reference_url", decision_ground_reference_url=value)
    statement.validate(GOOD | {"decision_ground_reference_url": "https://law.example/1?a=b@c.de"})


def test_a_product_number_has_thirteen_digits() -> None:
    statement.validate(GOOD | {"content_id": {"EAN-13": "4006381333931"}})
    for value in ({"EAN-13": "1"}, {"EAN": "4006381333931"}, {"EAN-13": "4" * 13, "x": 1}, "4"):
        refused("content_id", content_id=value)


def test_a_field_that_does_not_exist_is_named() -> None:
    refused("reporter_name", reporter_name="Jane")
