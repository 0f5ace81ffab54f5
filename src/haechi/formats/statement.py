"""Statements of reasons for the DSA Transparency Database (Art. 17 and 24(5) DSA), schema v2.

Fields, values, lengths and conditions are read from data/dsa_statement_of_reasons.json, which
was taken from the Commission's own source code; none of them is repeated here.
"""

import copy
import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib import resources
from typing import Any, NoReturn
from urllib.parse import urlsplit

from haechi.errors import InvalidDocument

Statement = Mapping[str, Any]
# Art. 24(5): no personal data. An e-mail address is the kind that slips into free text.
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]{2,}")


def dsa(
    *,
    puid: str,
    facts: str,
    ground: str,
    explanation: str,
    content_type: Sequence[str],
    content_date: date,
    application_date: date,
    minor: bool,
    automated_detection: bool,
    automated_decision: str,
    synthetic: bool = True,
    illegal: bool = True,
    visibility: str = "DECISION_VISIBILITY_CONTENT_REMOVED",
    source_type: str = "SOURCE_ARTICLE_16",
    territorial_scope: Sequence[str] = (),
) -> dict[str, Any]:
    """Give the statement for content that was removed or restricted, checked by validate().

    puid                Unique per platform and never used again; letters, digits, "-", "_".
    facts               What was found and how; no personal data. At most 5,000 characters.
    ground, explanation The law (illegal=True) or the term of service, at most 500 characters,
                        and why it applies, at most 2,000.
    content_type        CONTENT_TYPE_IMAGE and so on; CONTENT_TYPE_SYNTHETIC_MEDIA is put first
                        when `synthetic`.
    content_date        When it was posted; application_date when it was removed.
    minor               The person depicted is under age: then another category applies.
    automated_detection Found by a machine.
    automated_decision  AUTOMATED_DECISION_FULLY, _PARTIALLY or _NOT_AUTOMATED.
    visibility          What was done: removed, or disabled, restricted by age, labelled.
    territorial_scope   Country codes of the EEA; empty means everywhere.

    There is no argument for a name, account or address: the database takes no personal data.
    Raises InvalidDocument that names the field.
    """
    kind = "illegal" if illegal else "incompatible"
    wording = "illegal_content_legal_ground" if illegal else "incompatible_content_ground"
    types = ["CONTENT_TYPE_SYNTHETIC_MEDIA"] if synthetic else []
    statement: dict[str, Any] = {
        "decision_visibility": [visibility],
        "decision_facts": facts,
        "decision_ground": f"DECISION_GROUND_{kind.upper()}_CONTENT",
        wording: ground,
        f"{kind}_content_explanation": explanation,
        "content_type": [*types, *(each for each in content_type if each not in types)],
        **_category(minor=minor, synthetic=synthetic),
        "content_date": content_date.isoformat(),
        "application_date": application_date.isoformat(),
        "source_type": source_type,
        "automated_detection": "Yes" if automated_detection else "No",
        "automated_decision": automated_decision,
        "puid": puid,
    }
    if territorial_scope:
        statement["territorial_scope"] = list(territorial_scope)
    validate(statement)
    return statement


def _category(*, minor: bool, synthetic: bool) -> dict[str, Any]:
    """The category and keywords for what Haechi removes."""
    names = {
        (True, True): "minor_deepfake",
        (True, False): "minor_csam",
        (False, True): "adult_deepfake",
        (False, False): "adult_ncii_real",
    }
    return copy.deepcopy(dict(_schema()["ncii_relevant"][names[minor, synthetic]]))


def longest(name: str) -> int:
    """How many characters a field of text may have. Raises KeyError for one without a limit."""
    fields: list[dict[str, Any]] = _schema()["fields"]
    return int(next(field["max_length"] for field in fields if field["name"] == name))


def validate(statement: Statement) -> None:
    """Check a statement as the database would, and stricter: it must not silently drop a field.

    Raises InvalidDocument whose text begins with the name of the first field that fails.
    """
    fields = {field["name"]: field for field in _schema()["fields"]}
    for name in statement:
        if name not in fields:
            _fail(name, "is not a field of a statement")
    for name, field in fields.items():
        value = statement.get(name)
        present = value not in (None, "", [], {})
        needed, allowed = _presence(field["required"], name)(statement)
        if needed and not present:
            _fail(name, "is missing")
        if present and not allowed:
            _fail(name, f"has no place here: {field['required']}")
        if present:
            _check(name, field, value)


Presence = Callable[[Statement], tuple[bool, bool]]


@functools.cache
def _presence(text: str, name: str) -> Presence:
    """Turn the words under "required" into a test: (must it be there, may it be there).

    Raises InvalidDocument for words that are not understood, so that a changed data file is
    noticed and not skipped.
    """
    if text.startswith("required only if the other three of "):
        others = [each for each in re.findall(r"decision_\w+", text) if each != name]
        return lambda s: (not any(s.get(other) for other in others), True)
    if text == "required" or text.startswith("required;"):
        return lambda _: (True, True)
    if found := re.match(r"if (\w+) (?:contains|==) (\w+) \(else dropped\)$", text):
        field, value = found.groups()
        return lambda s: (_has(s, field, value), _has(s, field, value))
    if found := re.search(r"only kept with (\w+)$", text):
        value = found[1]
        return lambda s: (False, _has(s, _field_of(value), value))
    if found := re.search(r"dropped if (\w+) == (\w+)", text):
        field, value = found.groups()
        return lambda s: (False, not _has(s, field, value))
    if not re.match(r"optional($|; empty = indefinite$|; only key accepted )", text):
        _fail(name, f"the table says {text!r}, which is not understood")
    return lambda _: (False, True)


def _has(statement: Statement, field: str, value: str) -> bool:
    given = statement.get(field)
    return value in given if isinstance(given, list) else value == given


def _field_of(value: str) -> str:
    """The field whose values include this one."""
    enums: dict[str, Any] = _schema()["enums"]
    return next(name for name, values in enums.items() if value in values)


def _check(name: str, field: Mapping[str, Any], value: object) -> None:
    kind = field["type"].split(" ")[0]
    if kind == "object":
        _check_object(name, field["required"], value)
    elif kind.startswith("array"):
        _check_list(name, field, value)
    elif not isinstance(value, str):
        _fail(name, "must be text")
    elif kind == "enum":
        _check_value(name, field["enum"], value)
    elif kind == "date":
        _check_date(name, field, value)
    else:
        _check_text(name, field, value)


def _check_list(name: str, field: Mapping[str, Any], value: object) -> None:
    if not isinstance(value, list) or len(set(map(str, value))) < len(value):
        _fail(name, "must be a list without repetition")
    for each in value:
        _check_value(name, field["enum"], each)


def _check_value(name: str, values: str, value: object) -> None:
    if not isinstance(value, str) or value not in _schema()["enums"][values]:
        _fail(name, f"{value!r} is not one of its values")


def _check_date(name: str, field: Mapping[str, Any], value: str) -> None:
    try:
        canonical = date.fromisoformat(value).isoformat() == value
    except ValueError:
        canonical = False
    if not canonical:
        _fail(name, "must be a date YYYY-MM-DD")
    if not field.get("min", value) <= value <= field.get("max", value):
        _fail(name, "lies outside the years that are accepted")


def _check_text(name: str, field: Mapping[str, Any], value: str) -> None:
    if len(value) > field.get("max_length", len(value)):
        _fail(name, f"is longer than {field['max_length']} characters")
    if "regex" in field and not re.fullmatch(field["regex"], value):
        _fail(name, "has characters that are not accepted")
    if field["type"] == "url":
        _check_url(name, value)
    elif _MAIL.search(value):
        _fail(name, "holds an e-mail address; a statement holds no personal data")


def _check_url(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
    except ValueError:
        _fail(name, "is not a web address")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        _fail(name, "is not a web address")


def _check_object(name: str, words: str, value: object) -> None:
    found = re.search(r'only key accepted is "([^"]+)" \(regex (.+)\)$', words)
    if not found or not isinstance(value, dict) or set(value) != {found[1]}:
        _fail(name, "has keys that are not accepted")
    if not re.fullmatch(found[2], str(value[found[1]])):
        _fail(name, "has a value that is not accepted")


def _fail(name: str, why: str) -> NoReturn:
    msg = f"{name} {why}"
    raise InvalidDocument(msg)


@functools.cache
def _schema() -> Any:  # noqa: ANN401 - JSON as it is in the file
    file = resources.files("haechi.formats").joinpath("data/dsa_statement_of_reasons.json")
    return json.loads(file.read_bytes())
