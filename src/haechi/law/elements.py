"""What a removal request must contain, under each law or programme, and what a report still lacks.

data/removal_request_elements.json holds what the laws ask for, data/request_fields.json our own
mapping: which facts of a report (never its content) give which element, and for which clock.
"""

import functools
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from importlib import resources
from typing import Any

from haechi.errors import UnknownRule
from haechi.law.table import Rule, rule


@dataclass(frozen=True)
class Element:
    """One thing to be stated.

    required   False where the regime only welcomes it.
    condition  When it is required, in words, or "". A person weighs it, no program.
    """

    key: str
    required: bool
    condition: str
    text: str


@dataclass(frozen=True)
class Asked:
    """One element, and how a report gives it.

    given     True when the report holds it.
    needed    False where the regime only welcomes it, or a fact of the report waives it.
    given_by  Alternatives, each a set of facts that are all needed; none: never through a report.
    """

    key: str
    given: bool
    needed: bool
    given_by: tuple[frozenset[str], ...]
    waived_by: frozenset[str]


@dataclass(frozen=True)
class Standing:
    """How far a report is a complete request under one regime, and the clock that is for."""

    regime: str
    clock: Rule
    asked: tuple[Asked, ...]

    @property
    def missing(self) -> tuple[Asked, ...]:
        """What is needed and not there."""
        return tuple(each for each in self.asked if each.needed and not each.given)

    @property
    def complete(self) -> bool:
        """True when nothing that is needed is missing."""
        return not self.missing


def standings(facts: Set[str], jurisdictions: Set[str]) -> tuple[Standing, ...]:
    """How a report with these facts stands under every regime of these jurisdictions.

    `facts` are words of request_fields.json. Raises UnknownRule for a word that is none of them.
    """
    if unknown := facts - fact_names():
        raise UnknownRule(", ".join(sorted(unknown)))
    found = (_standing(row, facts) for row in _fields()["regimes"])
    return tuple(each for each in found if each.clock.jurisdiction in jurisdictions)


def complete_for(facts: Set[str]) -> frozenset[str]:
    """Give the rules whose request a report with these facts completes, in any jurisdiction."""
    found = (_standing(row, facts) for row in _fields()["regimes"])
    return frozenset(each.clock.id for each in found if each.complete)


def regimes_of(rule_id: str) -> tuple[str, ...]:
    """Give the regimes whose complete request starts a rule's clock; none where it has none."""
    return tuple(row["id"] for row in _fields()["regimes"] if row["clock"] == rule_id)


def fact_names() -> frozenset[str]:
    """Give the words that `standings` knows for what a report holds."""
    return frozenset(_fields()["_meta"]["facts"])


def regimes() -> tuple[str, ...]:
    """Give the identifiers of all regimes that describe a request in words: "us_tida", ..."""
    return tuple(_by_regime())


def required_by(regime: str) -> tuple[Element, ...]:
    """Give the elements of a request under one regime. Raises UnknownRule."""
    try:
        return _by_regime()[regime]
    except KeyError as error:
        raise UnknownRule(regime) from error


def missing(regime: str, given: Set[str]) -> tuple[Element, ...]:
    """Give the required elements whose keys are not among `given`; none means it is valid.

    Elements with a condition are left out. Raises UnknownRule.
    """
    return tuple(
        each
        for each in required_by(regime)
        if each.required and not each.condition and each.key not in given
    )


def _standing(row: Mapping[str, Any], facts: Set[str]) -> Standing:
    waived_by = {key: frozenset(words) for key, words in row.get("waived_by", {}).items()}
    given_by = {
        key: tuple(frozenset(words) for words in ways) for key, ways in row["given_by"].items()
    }
    return Standing(
        regime=row["id"],
        clock=rule(row["clock"]),
        asked=tuple(
            Asked(
                key=each.key,
                given=any(way <= facts for way in given_by[each.key]),
                needed=each.required and not waived_by.get(each.key, frozenset()) & facts,
                given_by=given_by[each.key],
                waived_by=waived_by.get(each.key, frozenset()),
            )
            for each in required_by(row["id"])
        ),
    )


@functools.cache
def _fields() -> Any:  # noqa: ANN401 - JSON as it is in the file
    file = resources.files("haechi.law").joinpath("data/request_fields.json")
    return json.loads(file.read_bytes())


@functools.cache
def _by_regime() -> Mapping[str, tuple[Element, ...]]:
    file = resources.files("haechi.law").joinpath("data/removal_request_elements.json")
    # Rows without words are field lists of somebody's interface, not elements of a request.
    return {
        row["id"]: tuple(_element(each) for each in row["elements"])
        for row in json.loads(file.read_bytes())["regimes"]
        if all("text" in each for each in row["elements"])
    }


def _element(row: Mapping[str, Any]) -> Element:
    required = row["required"]
    condition = required if isinstance(required, str) else ""
    return Element(row["key"], bool(required), condition, row["text"])
