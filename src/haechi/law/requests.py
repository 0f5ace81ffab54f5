"""What a removal request must contain, under each law or programme."""

import functools
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from importlib import resources
from typing import Any

from haechi.errors import UnknownRule


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


def regimes() -> tuple[str, ...]:
    """Give the identifiers of all regimes that describe a request in words: "us_tida", ..."""
    return tuple(_by_regime())


def elements(regime: str) -> tuple[Element, ...]:
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
        for each in elements(regime)
        if each.required and not each.condition and each.key not in given
    )


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
